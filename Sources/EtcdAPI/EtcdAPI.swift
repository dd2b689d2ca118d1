package import Basics
package import HTTP
package import Store

/// etcd's v3 gRPC services over any `Store`.
package enum EtcdAPI {
    /// What the services say they are; Martlet's own version goes beside it.
    package static let etcdVersion = "3.7.0"

    /// Puts every service on a router, and Martlet's own `Commit` beside them.
    package static func register(on router: inout GRPCRouter, store: any Store) {
        let headers = HeaderSource(store)
        KVService(store: store, headers: headers).register(on: &router)
        WatchService(store: store, headers: headers).register(on: &router)
        LeaseService(store: store, headers: headers).register(on: &router)
        ClusterService(store: store, headers: headers).register(on: &router)
        LockService(store: store, headers: headers).register(on: &router)
        ElectionService(store: store, headers: headers).register(on: &router)
        HealthService(store: store).register(on: &router)
        CommitService(store: store).register(on: &router)
    }

    /// The store's client port: gRPC, and `/health`, `/version` and `/metrics` beside it. With
    /// `admin`, Martlet's own maintenance calls too.
    ///
    /// - Parameter metrics: What `/metrics` shows beside the port's own counts.
    package static func handler(
        store: any Store, admin: (any StoreAdmin)? = nil, metrics: [any MetricSource] = []
    ) -> EtcdPort {
        let counts = EtcdPortMetrics()
        var router = GRPCRouter(metrics: counts.grpc)
        register(on: &router, store: store)
        if let admin {
            AdminService.register(on: &router, admin: admin)
            MemberService(store: store, admin: admin).register(on: &router)
            DatabaseService(headers: HeaderSource(store), admin: admin).register(on: &router)
            HashService(headers: HeaderSource(store), admin: admin).register(on: &router)
        }
        return EtcdPort(router: router, store: store, counts: counts, metrics: metrics)
    }
}
