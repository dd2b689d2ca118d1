import HTTP
import NIOCore
import Store

/// `etcdserverpb.Watch`: any number of watchers on one stream.
struct WatchService: Sendable {
    let access: AccessControl
    let headers: HeaderSource
    /// How often a quiet watcher that asked for it is told how far it is.
    let progressInterval: TimeAmount

    func register(on router: inout GRPCRouter) {
        router.stream("/etcdserverpb.Watch/Watch", kind: .bidirectional) {
            context, stream in
            WatchConnection(
                access: access, context: context, headers: headers, stream: stream,
                progressInterval: progressInterval)
        }
    }
}
