import Documents
import Basics
import Keyspace
import Objects
import Store
import Testing

/// What users and nodes do, straight on a store.
struct StoreClient: Sendable {
    let store: any Store

    func create(_ kind: ResourceKind, _ json: JSON, in namespace: String = "default") async throws {
        var json = json
        json["apiVersion"] = .string(kind.apiVersion)
        json["kind"] = .string(kind.kind)
        var random = SystemRandomNumberGenerator()
        let prepared = try Strategy.prepareCreate(
            kind, json, namespace: kind.isNamespaced ? namespace : "", now: .now(),
            uid: Names.uid(using: &random), nameSuffix: Names.suffix(using: &random))
        let object = Object(kind: kind, json: prepared)
        _ = try await store.commit(
            CommitRequest(mutations: [
                .put(key: object.key, value: object.encodeStored(), lease: 0)
            ]))
    }

    func get(_ kind: ResourceKind, _ name: String, in namespace: String = "default") async throws
        -> Object?
    {
        let key = kind.key(namespace: namespace, name: name)
        let response = try await store.range(RangeRequest(.key(key)))
        return try response.keyValues.first.map { try Object.decode($0) }
    }

    func all(_ kind: ResourceKind, in namespace: String = "default") async throws -> [Object] {
        let response = try await store.range(
            RangeRequest(kind.prefix(namespace: kind.isNamespaced ? namespace : nil)))
        return try response.keyValues.map { try Object.decode($0) }
    }

    /// Changes an object as often as it takes to win.
    func update(
        _ kind: ResourceKind, _ name: String, in namespace: String = "default",
        _ subresource: Subresource = .none, _ body: (inout JSON) -> Void
    ) async throws {
        while let old = try await get(kind, name, in: namespace) {
            var json = old.json
            body(&json)
            let prepared = try Strategy.prepareUpdate(
                kind, old: old, new: json, subresource: subresource, now: .now())
            if try await replace(old, with: prepared) { return }
        }
    }

    func delete(
        _ kind: ResourceKind, _ name: String, in namespace: String = "default",
        grace: Int64? = nil, _ propagation: DeleteOptions.Propagation? = nil
    ) async throws {
        var options = DeleteOptions()
        options.gracePeriodSeconds = grace
        options.propagation = propagation
        while let old = try await get(kind, name, in: namespace) {
            switch try Strategy.prepareDelete(kind, old: old, options: options, now: .now()) {
            case .unchanged: return
            case .update(let json): if try await replace(old, with: json) { return }
            case .remove: if try await replace(old, with: nil) { return }
            }
        }
    }

    private func replace(_ old: Object, with json: JSON?) async throws -> Bool {
        var object = old
        var mutation = CommitRequest.Mutation.delete(key: old.key)
        if let json {
            object.json = json
            mutation = .put(key: old.key, value: object.encodeStored(), lease: 0)
        }
        let request = CommitRequest(
            guards: [.modRevision(key: old.key, equals: old.revision)], mutations: [mutation])
        if case .committed = try await store.commit(request) { return true }
        return false
    }

    /// Waits until something holds; a test that waits for ever fails by its time limit.
    func until(_ holds: () async throws -> Bool) async throws {
        while try await !holds() { try await Task.sleep(for: .milliseconds(5)) }
    }

    /// A node that runs what is bound to it until cancelled.
    func runKubelet(node: String) async throws {
        let watch = store.watch(WatchRequest(ResourceKind.pod.prefix(), startRevision: 1))
        try await withTaskCancellationHandler {
            while true {
                for event in try await watch.next().events where event.kind == .put {
                    let pod = try Object.decode(event.keyValue)
                    guard pod.spec["nodeName"]?.stringValue == node else { continue }
                    if pod.isBeingDeleted {
                        try await delete(.pod, pod.name, in: pod.namespace, grace: 0)
                    } else if pod.status["phase"] == "Pending" {
                        try await update(.pod, pod.name, in: pod.namespace, .status) { json in
                            json.set("Running", at: "status", "phase")
                            var conditions = json.path("status", "conditions")?.elements ?? []
                            conditions.append([
                                "type": "Ready", "status": "True",
                                "lastTransitionTime": .string(WallTime.now().rfc3339),
                            ])
                            json.set(.array(conditions), at: "status", "conditions")
                        }
                    }
                }
            }
        } onCancel: {
            watch.cancel()
        }
    }

    func createNode(_ name: String, cpu: String = "64", pods: Int64 = 500) async throws {
        let ready: JSON = [
            "type": "Ready", "status": "True",
            "lastHeartbeatTime": .string(WallTime.now().rfc3339),
        ]
        try await create(
            .node,
            [
                "metadata": ["name": .string(name)],
                "status": [
                    "allocatable": [
                        "cpu": .string(cpu), "memory": "64Gi", "pods": .string(String(pods)),
                    ],
                    "conditions": [ready],
                ],
            ])
    }
}
