import Basics
package import Keyspace

/// The store as the agent of one node may see it (docs/ARCHITECTURE.md, trust).
///
/// It may read and write its Node and Lease; read the pods bound to it, write their status, and
/// delete those that are being deleted; read the Secrets and ConfigMaps that those pods name; and
/// write its own events. Everything else is etcd's `permission denied`. What is decided from a
/// value that was read holds only if the value is still the same: the commit is given a guard on
/// its mod revision.
package final class GatedStore: Store {
    let store: any Store
    let node: String
    let inspector: any GateInspector

    static let leaseTTLSecondsMax: Int64 = 86_400

    package init(_ store: any Store, node: String, inspector: any GateInspector) {
        self.store = store
        self.node = node
        self.inspector = inspector
    }

    // MARK: Reading

    package func range(_ request: RangeRequest, _ done: @escaping Completion<RangeResponse>) {
        if NodePlace.isPods(request.range) { return pods(request, done) }
        guard request.range.end == .single else { return done(.failure(.permissionDenied)) }
        switch NodePlace(request.range.start, node: node) {
        case .node, .lease:
            store.range(request, done)
        case .secret(let namespace, let name):
            ifNamed(namespace, { $0.secrets.contains(name) }, request, done)
        case .configMap(let namespace, let name):
            ifNamed(namespace, { $0.configMaps.contains(name) }, request, done)
        case .event:
            ownEvent(request, done)
        case .pod, .elsewhere:
            done(.failure(.permissionDenied))
        }
    }

    /// The pods of a range that are bound to the node; counts and limits are theirs alone.
    private func pods(_ request: RangeRequest, _ done: @escaping Completion<RangeResponse>) {
        var whole = request
        whole.limit = 0
        whole.keysOnly = false
        whole.countOnly = false
        let (node, inspector) = (node, inspector)
        store.range(whole) { result in
            done(
                result.map { response in
                    var response = response
                    response.keyValues.removeAll { inspector.boundPod($0, node: node) == nil }
                    response.count = Int64(response.keyValues.count)
                    response.more = false
                    if request.limit > 0, response.count > request.limit {
                        response.keyValues.removeLast(Int(response.count - request.limit))
                        response.more = true
                    }
                    if request.countOnly { response.keyValues = [] }
                    if request.keysOnly {
                        for index in response.keyValues.indices {
                            response.keyValues[index].value = []
                        }
                    }
                    return response
                })
        }
    }

    /// Reads if a pod of the node in this namespace names what is asked for.
    private func ifNamed(
        _ namespace: String, _ isNamed: @escaping @Sendable (GatedPod) -> Bool,
        _ request: RangeRequest, _ done: @escaping Completion<RangeResponse>
    ) {
        let prefix = NodePlace.pods + Bytes("\(namespace)/".utf8)
        let (store, node, inspector) = (store, node, inspector)
        store.range(RangeRequest(.prefix(prefix))) { result in
            switch result {
            case .failure(let error): done(.failure(error))
            case .success(let response):
                let allowed = response.keyValues.contains {
                    inspector.boundPod($0, node: node).map(isNamed) ?? false
                }
                guard allowed else { return done(.failure(.permissionDenied)) }
                store.range(request, done)
            }
        }
    }

    private func ownEvent(_ request: RangeRequest, _ done: @escaping Completion<RangeResponse>) {
        let (node, inspector) = (node, inspector)
        var whole = request
        whole.keysOnly = false
        whole.countOnly = false
        store.range(whole) { result in
            done(
                result.flatMap { response in
                    let isOwn = response.keyValues.allSatisfy {
                        inspector.eventHost($0.value) == node
                    }
                    return isOwn ? .success(response) : .failure(.permissionDenied)
                })
        }
    }

    package func watch(_ request: WatchRequest) -> any WatchStream {
        if NodePlace.isPods(request.range) {
            return GatedPodWatch(store, request, node: node, inspector: inspector)
        }
        if request.range.end == .single {
            switch NodePlace(request.range.start, node: node) {
            case .node, .lease: return store.watch(request)
            case .pod, .event, .secret, .configMap, .elsewhere: break
            }
        }
        return RefusedWatch()
    }

    package func status(_ done: @escaping Completion<StoreStatus>) { store.status(done) }

    // MARK: Writing

    /// Agents write by `commit`, which can be guarded; etcd's transactions are not for them.
    package func transaction(
        _ request: TransactionRequest, _ done: @escaping Completion<TransactionResponse>
    ) {
        done(.failure(.permissionDenied))
    }

    package var commitsWhole: Bool { store.commitsWhole }

    package func commit(_ request: CommitRequest, _ done: @escaping Completion<CommitResponse>) {
        GatedCommit(self, request, done).start()
    }

    package func compact(to revision: Int64, _ done: @escaping Completion<Int64>) {
        done(.failure(.permissionDenied))
    }

    /// Leases are for events, which go with them; which lease another has, an agent cannot see.
    package func leaseGrant(
        id: Int64, ttlSeconds: Int64, _ done: @escaping Completion<LeaseStatus>
    ) {
        guard id == 0, ttlSeconds <= Self.leaseTTLSecondsMax else {
            return done(.failure(.permissionDenied))
        }
        store.leaseGrant(id: 0, ttlSeconds: ttlSeconds, done)
    }

    package func leaseRevoke(id: Int64, _ done: @escaping Completion<Int64>) {
        done(.failure(.permissionDenied))
    }
    package func leaseKeepAlive(id: Int64, _ done: @escaping Completion<LeaseStatus>) {
        done(.failure(.permissionDenied))
    }
    package func leaseTimeToLive(
        id: Int64, keys: Bool, _ done: @escaping Completion<LeaseStatus>
    ) {
        done(.failure(.permissionDenied))
    }
    package func leases(_ done: @escaping Completion<[Int64]>) {
        done(.failure(.permissionDenied))
    }
}
