package import Basics
package import HTTP
import NIOCore
package import Store

/// etcd's v3 gRPC services over any `Store`.
package enum EtcdAPI {
    /// What the services say they are; Martlet's own version goes beside it.
    package static let etcdVersion = "3.7.0"

    /// How often etcd tells quiet watchers how far they are.
    package static let progressNotify: UInt64 = 600_000

    /// Puts every service on a router, and Martlet's own `Commit` beside them.
    package static func register(on router: inout GRPCRouter, store: any Store) {
        register(on: &router, AccessControl(store, nil), HeaderSource(store), progressNotify)
    }

    private static func register(
        on router: inout GRPCRouter, _ access: AccessControl, _ headers: HeaderSource,
        _ progressMilliseconds: UInt64
    ) {
        let store = access.whole
        KVService(access: access, headers: headers).register(on: &router)
        WatchService(
            access: access, headers: headers,
            progressInterval: .milliseconds(Int64(clamping: progressMilliseconds))
        ).register(on: &router)
        LeaseService(store: store, access: access, headers: headers).register(on: &router)
        ClusterService(store: store, access: access, headers: headers).register(on: &router)
        LockService(store: store, access: access, headers: headers).register(on: &router)
        ElectionService(store: store, access: access, headers: headers).register(on: &router)
        HealthService(store: store).register(on: &router)
        CommitService(store: store, access: access).register(on: &router)
    }

    /// The store's client port: gRPC, and `/health`, `/version` and `/metrics` beside it. With
    /// `admin`, Martlet's own maintenance calls too; with `auth`, users and roles.
    ///
    /// - Parameters:
    ///   - authOptions: Who callers are.
    ///   - electionMilliseconds: How long a leader may be unknown before that is an event.
    ///   - progressMilliseconds: How often quiet watchers that asked for it are told how far they
    ///     are.
    ///   - metrics: What `/metrics` shows beside the port's own counts.
    package static func handler(
        store: any Store, admin: (any StoreAdmin)? = nil, auth: (any StoreAuth)? = nil,
        authOptions: EtcdAuthOptions = EtcdAuthOptions(), electionMilliseconds: UInt64 = 300,
        progressMilliseconds: UInt64 = progressNotify, metrics: [any MetricSource] = []
    ) -> EtcdPort {
        let counts = EtcdPortMetrics()
        let gate = LeaderGate(store, electionMilliseconds: electionMilliseconds)
        var router = GRPCRouter(metrics: counts.grpc, gate: gate)
        let access = AccessControl(store, auth, authOptions)
        let headers = HeaderSource(store)
        register(on: &router, access, headers, progressMilliseconds)
        if let admin {
            AdminService.register(on: &router, admin: admin, access)
            MemberService(store: store, access: access, admin: admin).register(on: &router)
            DatabaseService(headers: headers, access: access, admin: admin).register(on: &router)
            HashService(headers: headers, access: access, admin: admin).register(on: &router)
        }
        if let auth {
            AuthService(auth: auth, access: access, headers: headers).register(on: &router)
        }
        return EtcdPort(router: router, store: store, counts: counts, metrics: metrics)
    }
}
