import HTTP
import Store

/// `etcdserverpb.Watch`: any number of watchers on one stream.
struct WatchService: Sendable {
    let access: AccessControl
    let headers: HeaderSource

    func register(on router: inout GRPCRouter) {
        router.stream("/etcdserverpb.Watch/Watch", kind: .bidirectional) {
            context, stream in
            WatchConnection(access: access, context: context, headers: headers, stream: stream)
        }
    }
}
