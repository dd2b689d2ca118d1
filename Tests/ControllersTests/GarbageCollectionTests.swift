import Documents
import Basics
import Controllers
import Informers
import Objects
import Testing

struct GarbageCollectionTests {
    private func cluster(_ namespaces: [String] = ["default"]) -> TestCluster {
        TestCluster(
            [DeploymentController(), ReplicaSetController(), GarbageCollector()],
            namespaces: namespaces)
    }

    private func running() -> TestCluster {
        var cluster = cluster()
        cluster.create(.deployment, Samples.deployment())
        cluster.converge()
        return cluster
    }

    private func reference(
        _ owner: Object, blocks: Bool = false, controller: Bool = false
    ) -> JSON {
        var reference = OwnerReference(controller: owner)
        reference.isController = controller
        reference.blocksOwnerDeletion = blocks
        return reference.json
    }

    private func configMap(_ name: String, owners: [JSON]) -> JSON {
        ["metadata": ["name": .string(name), "ownerReferences": .array(owners)]]
    }

    @Test func backgroundTakesDependentsAfterTheOwner() throws {
        var cluster = running()
        cluster.delete(.deployment, "web", .background)
        #expect(cluster.get(.deployment, "web") == nil)
        cluster.settle()
        #expect(cluster.all(.replicaSet).isEmpty)
        #expect(cluster.all(.pod).allSatisfy { $0.isBeingDeleted })
        cluster.converge()
        #expect(cluster.all(.pod).isEmpty)
    }

    @Test func foregroundTakesTheOwnerLast() throws {
        var cluster = running()
        cluster.check = { cluster in
            let hasPods = !cluster.all(.pod).isEmpty
            if hasPods { #expect(!cluster.all(.replicaSet).isEmpty) }
            if !cluster.all(.replicaSet).isEmpty {
                #expect(cluster.get(.deployment, "web") != nil)
            }
        }
        cluster.delete(.deployment, "web", .foreground)
        cluster.settle()
        #expect(cluster.get(.deployment, "web")?.isBeingDeleted == true)
        #expect(cluster.all(.pod).count == 3)
        cluster.converge()
        #expect(cluster.all(.pod).isEmpty)
        #expect(cluster.all(.replicaSet).isEmpty)
        #expect(cluster.get(.deployment, "web") == nil)
    }

    @Test func orphanLeavesDependents() throws {
        var cluster = running()
        cluster.delete(.deployment, "web", .orphan)
        cluster.converge()
        #expect(cluster.get(.deployment, "web") == nil)
        let set = try #require(cluster.all(.replicaSet).first)
        #expect(set.ownerReferences.isEmpty)
        #expect(cluster.all(.pod).count == 3)
        // A Deployment that fits takes the set back instead of making a new one.
        cluster.create(.deployment, Samples.deployment())
        cluster.converge()
        #expect(cluster.all(.replicaSet).map(\.uid) == [set.uid])
        #expect(cluster.all(.replicaSet).first?.controllerOwner?.name == "web")
    }

    @Test func anObjectLivesWhileOneOwnerDoes() throws {
        var cluster = cluster()
        let one = cluster.create(.configMap, configMap("one", owners: []))
        let two = cluster.create(.configMap, configMap("two", owners: []))
        cluster.create(
            .configMap, configMap("child", owners: [reference(one), reference(two)]))
        cluster.settle()
        cluster.delete(.configMap, "one")
        cluster.settle()
        #expect(cluster.get(.configMap, "child")?.ownerReferences.map(\.name) == ["two"])
        cluster.delete(.configMap, "two")
        cluster.settle()
        #expect(cluster.get(.configMap, "child") == nil)
    }

    @Test func anOwnerThatNeverWasCountsAsGone() throws {
        var cluster = cluster()
        let owner = cluster.create(.configMap, configMap("owner", owners: []))
        cluster.delete(.configMap, "owner")
        cluster.create(.configMap, configMap("child", owners: [reference(owner)]))
        // The same name again is another object.
        cluster.create(.configMap, configMap("owner", owners: []))
        cluster.settle()
        #expect(cluster.get(.configMap, "child") == nil)
        #expect(cluster.get(.configMap, "owner") != nil)
    }

    @Test func foregroundWaitsForBlockingDependentsOnly() throws {
        var cluster = cluster()
        let owner = cluster.create(.configMap, configMap("owner", owners: []))
        cluster.create(.configMap, configMap("loose", owners: [reference(owner)]))
        var held = configMap("held", owners: [reference(owner, blocks: true)])
        held.set(["example.com/hold"], at: "metadata", "finalizers")
        cluster.create(.configMap, held)
        cluster.settle()
        cluster.delete(.configMap, "owner", .foreground)
        cluster.settle()
        #expect(cluster.get(.configMap, "loose") == nil)
        #expect(cluster.get(.configMap, "held")?.isBeingDeleted == true)
        #expect(cluster.get(.configMap, "owner") != nil)
        cluster.update(.configMap, "held") { $0.set(nil, at: "metadata", "finalizers") }
        cluster.settle()
        #expect(cluster.get(.configMap, "held") == nil)
        #expect(cluster.get(.configMap, "owner") == nil)
    }

    @Test func circlesOfForegroundDeletionEnd() throws {
        var cluster = cluster()
        let one = cluster.create(.configMap, configMap("one", owners: []))
        let two = cluster.create(
            .configMap, configMap("two", owners: [reference(one, blocks: true)]))
        cluster.update(.configMap, "one") {
            $0.set([reference(two, blocks: true)], at: "metadata", "ownerReferences")
        }
        cluster.settle()
        cluster.delete(.configMap, "one", .foreground)
        cluster.settle()
        #expect(cluster.all(.configMap).isEmpty)
    }

    @Test func anOwnerInAnotherNamespaceIsNone() throws {
        var cluster = cluster(["default", "team"])
        let owner = cluster.create(.configMap, configMap("owner", owners: []), in: "team")
        cluster.create(.configMap, configMap("child", owners: [reference(owner)]))
        cluster.settle()
        #expect(cluster.get(.configMap, "child") == nil)
        #expect(cluster.events.contains { $0.hasPrefix("OwnerRefInvalidNamespace ") })
    }

    @Test func ownersOfUnknownKindsAreLeftAlone() throws {
        var cluster = cluster()
        let owner: JSON = [
            "apiVersion": "example.com/v1", "kind": "Widget", "name": "w", "uid": "1-2-3",
        ]
        cluster.create(.configMap, configMap("child", owners: [owner]))
        cluster.settle()
        #expect(cluster.get(.configMap, "child") != nil)
    }

    @Test func manyDependentsGoInAFewCommits() throws {
        var cluster = cluster()
        let owner = cluster.create(.configMap, configMap("owner", owners: []))
        for index in 0..<1200 {
            cluster.create(.configMap, configMap("child-\(index)", owners: [reference(owner)]))
        }
        cluster.settle()
        cluster.delete(.configMap, "owner", .orphan)
        cluster.wait(seconds: 1)
        #expect(cluster.get(.configMap, "owner") == nil)
        #expect(cluster.all(.configMap).count == 1200)
        #expect(cluster.all(.configMap).allSatisfy { $0.ownerReferences.isEmpty })
    }
}
