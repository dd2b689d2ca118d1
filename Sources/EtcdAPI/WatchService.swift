import HTTP
import Store

/// `etcdserverpb.Watch`: any number of watchers on one stream.
struct WatchService: Sendable {
    let store: any Store
    let headers: HeaderSource

    func register(on router: inout GRPCRouter) {
        router.stream("/etcdserverpb.Watch/Watch", kind: .bidirectional) { _, stream in
            WatchConnection(store: store, headers: headers, stream: stream)
        }
    }
}
