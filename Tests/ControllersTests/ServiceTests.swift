import Documents
import Basics
import Controllers
import Keyspace
import Objects
import Scheduler
import Store
import TestSupport
import Testing

/// The services over a store, with a node that runs what it is given.
@Suite(.timeLimit(.minutes(1)))
struct ServiceTests {
    enum Backend: String, CaseIterable, Sendable {
        case memory, keyspace

        func make() throws -> any Store {
            switch self {
            case .memory: MemoryStore()
            case .keyspace: try KeyspaceStore()
            }
        }
    }

    /// Runs controllers, scheduler and one node round `body`.
    private func withCluster(
        _ store: any Store, _ body: (StoreClient) async throws -> Void
    ) async throws {
        let client = StoreClient(store: store)
        try await client.createNode("node-1")
        try await withThrowingTaskGroup(of: Void.self) { group in
            var controllers = ControllerService.Configuration()
            controllers.rootCertificatePEM = "certificate"
            let service = ControllerService(store: store, controllers)
            group.addTask { await service.run() }
            let scheduling = SchedulerService(store: store)
            group.addTask { await scheduling.run() }
            group.addTask { try? await client.runKubelet(node: "node-1") }
            try await client.until { try await client.get(.namespace, "default") != nil }
            try await body(client)
            group.cancelAll()
        }
    }

    @Test(arguments: Backend.allCases)
    func aDeploymentRunsRollsAndGoes(_ backend: Backend) async throws {
        let store = try backend.make()
        try await withCluster(store) { client in
            try await client.create(.deployment, Samples.deployment(replicas: 100))
            try await client.until {
                try await client.get(.deployment, "web")?.status["availableReplicas"] == 100
            }
            let pods = try await client.all(.pod)
            #expect(pods.count == 100)
            #expect(pods.allSatisfy { $0.spec["nodeName"] == "node-1" })
            let events = try await client.all(.event)
            #expect(events.contains { $0.json["reason"] == "ScalingReplicaSet" })
            #expect(events.count { $0.json["reason"] == "SuccessfulCreate" } == 100)
            #expect(events.count { $0.json["reason"] == "Scheduled" } == 100)

            try await client.update(.deployment, "web") { json in
                json.set(3, at: "spec", "replicas")
                json.set("2", at: "spec", "template", "metadata", "labels", "version")
            }
            try await client.until {
                let status = try await client.get(.deployment, "web")?.status
                let pods = try await client.all(.pod)
                return status?["availableReplicas"] == 3 && status?["updatedReplicas"] == 3
                    && status?["replicas"] == 3 && pods.count == 3
            }
            try await client.delete(.deployment, "web")
            try await client.until { try await client.all(.pod).isEmpty }
            #expect(try await client.all(.replicaSet).isEmpty)
        }
    }

    @Test(arguments: Backend.allCases)
    func aNamespaceComesWithItsObjectsAndGoesWithAll(_ backend: Backend) async throws {
        let store = try backend.make()
        try await withCluster(store) { client in
            try await client.create(.namespace, ["metadata": ["name": "team"]])
            try await client.until {
                let account = try await client.get(.serviceAccount, "default", in: "team")
                let authority = try await client.get(.configMap, "kube-root-ca.crt", in: "team")
                return account != nil && authority?.json.path("data", "ca.crt") == "certificate"
            }
            try await client.create(.deployment, Samples.deployment(), in: "team")
            try await client.until {
                try await client.get(.deployment, "web", in: "team")?.status["readyReplicas"] == 3
            }
            try await client.delete(.namespace, "team")
            try await client.until { try await client.get(.namespace, "team") == nil }
            for kind in Kinds.all where kind.isNamespaced {
                #expect(try await client.all(kind, in: "team").isEmpty, "\(kind)")
            }
        }
    }

    @Test func theServicesSurviveAStoreThatFailsAndACompaction() async throws {
        let store = MemoryStore()
        try await withCluster(store) { client in
            try await client.create(.deployment, Samples.deployment())
            try await client.until { try await client.all(.pod).count == 3 }
            store.fail(with: .noLeader)
            try await Task.sleep(for: .milliseconds(100))
            store.fail(with: nil)
            let again = Task { try? await client.runKubelet(node: "node-1") }
            defer { again.cancel() }
            try await client.update(.deployment, "web") { $0.set(5, at: "spec", "replicas") }
            try await client.until {
                try await client.get(.deployment, "web")?.status["readyReplicas"] == 5
            }
            store.compactAndLose()
            try await client.update(.deployment, "web") { $0.set(6, at: "spec", "replicas") }
            try await client.until {
                try await client.all(.pod).count { $0.spec["nodeName"] != nil } == 6
            }
        }
    }

    @Test func oneLeadsAndTheOtherTakesOver() async throws {
        let store = MemoryStore()
        let client = StoreClient(store: store)
        let first = Task { await ControllerService(store: store).run() }
        try await client.until { try await client.get(.namespace, "default") != nil }
        let key = Bytes("/martlet/leaders/controllers".utf8)
        let holder = try await store.range(RangeRequest(.key(key))).keyValues.first?.value
        let second = Task { await ControllerService(store: store).run() }
        try await client.create(.namespace, ["metadata": ["name": "one"]])
        try await client.until {
            try await client.get(.serviceAccount, "default", in: "one") != nil
        }
        #expect(try await store.range(RangeRequest(.key(key))).keyValues.first?.value == holder)
        first.cancel()
        await first.value
        try await client.create(.namespace, ["metadata": ["name": "two"]])
        try await client.until {
            try await client.get(.serviceAccount, "default", in: "two") != nil
        }
        #expect(try await store.range(RangeRequest(.key(key))).keyValues.first?.value != holder)
        // A lease that ends deposes; the deposed one claims anew.
        let lease = try #require(
            try await store.range(RangeRequest(.key(key))).keyValues.first
        ).lease
        _ = try await store.leaseRevoke(id: lease)
        try await client.create(.namespace, ["metadata": ["name": "three"]])
        try await client.until {
            try await client.get(.serviceAccount, "default", in: "three") != nil
        }
        second.cancel()
        await second.value
        #expect(try await store.range(RangeRequest(.key(key))).keyValues.isEmpty)
    }
}
