import Documents
import Basics
import Controllers
import Informers
import Objects
import Testing

struct ReplicaSetTests {
    private func cluster() -> TestCluster {
        TestCluster([ReplicaSetController()])
    }

    private func owner(_ set: Object) -> JSON {
        OwnerReference(controller: set).json
    }

    @Test func itMakesAndDeletesPodsWithItsStatusInOneCommit() throws {
        var cluster = cluster()
        cluster.check = { cluster in
            guard let set = cluster.get(.replicaSet, "web") else { return }
            let active = cluster.all(.pod).count { !$0.isBeingDeleted }
            #expect(set.status["replicas"]?.intValue == Int64(active))
        }
        cluster.create(.replicaSet, Samples.replicaSet(replicas: 5))
        cluster.converge()
        #expect(cluster.all(.pod).count == 5)
        cluster.update(.replicaSet, "web") { $0.set(2, at: "spec", "replicas") }
        cluster.settle()
        let set = try #require(cluster.get(.replicaSet, "web"))
        #expect(set.status["replicas"] == 2)
        #expect(set.status["terminatingReplicas"] == 3)
        #expect(cluster.events.count { $0.hasPrefix("SuccessfulDelete Deleted pod: web-") } == 3)
        cluster.converge()
        #expect(cluster.all(.pod).count == 2)
        #expect(cluster.get(.replicaSet, "web")?.status["terminatingReplicas"] == 0)
        #expect(cluster.get(.replicaSet, "web")?.status["observedGeneration"] == 2)
    }

    @Test func aBurstIsBounded() throws {
        var cluster = cluster()
        cluster.create(.replicaSet, Samples.replicaSet(replicas: 1200))
        cluster.step()
        #expect(cluster.all(.pod).count == 500)
        cluster.wait(seconds: 1)
        #expect(cluster.all(.pod).count == 1200)
    }

    @Test func itAdoptsOrphansAndReleasesStrays() throws {
        var cluster = cluster()
        cluster.create(.pod, Samples.pod("orphan", labels: ["app": "web"]))
        cluster.create(.pod, Samples.pod("stranger", labels: ["app": "other"]))
        cluster.create(.replicaSet, Samples.replicaSet(replicas: 2))
        cluster.converge()
        let set = try #require(cluster.get(.replicaSet, "web"))
        #expect(cluster.get(.pod, "orphan")?.controllerOwner?.uid == set.uid)
        #expect(cluster.get(.pod, "stranger")?.controllerOwner == nil)
        #expect(cluster.all(.pod).count == 3)
        cluster.update(.pod, "orphan") { $0.set("other", at: "metadata", "labels", "app") }
        cluster.converge()
        #expect(cluster.get(.pod, "orphan")?.ownerReferences == [])
        #expect(cluster.all(.pod).count == 4)
    }

    @Test func surplusOrphansAreNotAdoptedButDeleted() throws {
        var cluster = cluster()
        for index in 0..<3 {
            cluster.create(.pod, Samples.pod("orphan-\(index)", labels: ["app": "web"]))
        }
        cluster.create(.replicaSet, Samples.replicaSet(replicas: 1))
        cluster.converge()
        #expect(cluster.all(.pod).count == 1)
    }

    @Test func endedAndTerminatingPodsAreReplaced() throws {
        var cluster = cluster()
        cluster.create(.replicaSet, Samples.replicaSet(replicas: 2))
        cluster.converge()
        let pods = cluster.all(.pod)
        cluster.update(.pod, pods[0].name, in: "default", .status) {
            $0.set("Failed", at: "status", "phase")
        }
        cluster.delete(.pod, pods[1].name, nil)
        cluster.settle()
        let active = cluster.all(.pod).filter {
            !$0.isBeingDeleted && $0.status["phase"] != "Failed"
        }
        #expect(active.count == 2)
        #expect(cluster.get(.pod, pods[0].name) != nil)
    }

    @Test func readyPodsBecomeAvailableAfterTheirTime() throws {
        var cluster = cluster()
        cluster.create(
            .replicaSet, Samples.replicaSet(replicas: 2, spec: ["minReadySeconds": 30]))
        cluster.converge()
        var status = try #require(cluster.get(.replicaSet, "web")).status
        #expect(status["readyReplicas"] == 2)
        #expect(status["availableReplicas"] == nil)
        cluster.wait(seconds: 31)
        status = try #require(cluster.get(.replicaSet, "web")).status
        #expect(status["availableReplicas"] == 2)
    }

    /// Each trait in turn, the pod that goes first before the one that stays.
    @Test(arguments: 0..<7)
    func whatCostsLeastGoesFirst(_ index: Int) throws {
        let order = [
            Traits(), Traits(node: "a"), Traits(node: "a", phase: "Running"),
            Traits(node: "a", phase: "Running", ready: true, cost: -5),
            Traits(node: "a", phase: "Running", ready: true, age: 10),
            Traits(node: "a", phase: "Running", ready: true, age: 100_000, restarts: 3),
            Traits(node: "a", phase: "Running", ready: true, age: 100_000),
            Traits(node: "a", phase: "Running", ready: true, cost: 5, age: 100_000),
        ]
        var cluster = cluster()
        cluster.now = cluster.now.adding(seconds: -200_000)
        let set = cluster.create(.replicaSet, Samples.replicaSet(replicas: 0))
        cluster.now = cluster.now.adding(seconds: 200_000)
        // The one that stays has the lower uid, so that uids do not decide by chance.
        for (name, traits) in [("goes", order[index]), ("stays", order[index + 1])] {
            var pod = cluster.create(
                .pod, Samples.pod(name, labels: ["app": "web"], owner: owner(set)))
            traits.apply(to: &pod, now: cluster.now)
            cluster.put(pod)
        }
        cluster.update(.replicaSet, "web") { $0.set(1, at: "spec", "replicas") }
        cluster.settle()
        #expect(cluster.get(.pod, "stays")?.isBeingDeleted == false)
        #expect(cluster.get(.pod, "goes")?.isBeingDeleted != false)
    }

    @Test func crowdedNodesGiveFirst() throws {
        var cluster = cluster()
        let set = cluster.create(.replicaSet, Samples.replicaSet(replicas: 0))
        for (name, node) in [("one", "a"), ("two", "b"), ("three", "b")] {
            var pod = cluster.create(
                .pod, Samples.pod(name, labels: ["app": "web"], owner: owner(set)))
            Traits(node: node, phase: "Running", ready: true, age: 100)
                .apply(to: &pod, now: cluster.now)
            cluster.put(pod)
        }
        cluster.update(.replicaSet, "web") { $0.set(2, at: "spec", "replicas") }
        cluster.settle()
        #expect(cluster.get(.pod, "one")?.isBeingDeleted == false)
        #expect(cluster.all(.pod).count { !$0.isBeingDeleted } == 2)
    }

    @Test func podsAreNotMadeInATerminatingNamespace() throws {
        var cluster = TestCluster([ReplicaSetController()], namespaces: ["default", "team"])
        cluster.delete(.namespace, "team", in: "", nil)
        cluster.create(.replicaSet, Samples.replicaSet(), in: "team")
        cluster.settle()
        #expect(cluster.all(.pod, in: "team").isEmpty)
    }

    @Test func podsAreCompletedAsAdmissionWould() throws {
        var cluster = cluster()
        cluster.create(.replicaSet, Samples.replicaSet(replicas: 1))
        cluster.settle()
        let pod = try #require(cluster.all(.pod).first)
        #expect(pod.spec["serviceAccountName"] == "default")
        let tolerations = pod.spec["tolerations"]?.elements ?? []
        #expect(tolerations.compactMap { $0["tolerationSeconds"]?.intValue } == [300, 300])
        #expect(pod.spec["restartPolicy"] == "Always")
        #expect(pod.status["phase"] == "Pending")
        let owner = try #require(pod.controllerOwner)
        #expect(owner.kind == "ReplicaSet" && owner.blocksOwnerDeletion)
        #expect(pod.json.path("metadata", "generateName") == "web-")
    }
}

/// What the order of deletion looks at.
struct Traits: Sendable {
    var node = ""
    var phase = "Pending"
    var ready = false
    var cost: Int64 = 0
    var age: Int64 = 100_000
    var restarts: Int64 = 0

    func apply(to pod: inout Object, now: WallTime) {
        if !node.isEmpty { pod.json.set(.string(node), at: "spec", "nodeName") }
        if cost != 0 {
            pod.setAnnotation("controller.kubernetes.io/pod-deletion-cost", String(cost))
        }
        let since = JSON.string(now.adding(seconds: -age).rfc3339)
        pod.json.set(.string(phase), at: "status", "phase")
        pod.json.set(
            [
                [
                    "type": "Ready", "status": ready ? "True" : "False",
                    "lastTransitionTime": since,
                ]
            ], at: "status", "conditions")
        pod.json.set(
            [["name": "main", "restartCount": .integer(restarts)]], at: "status",
            "containerStatuses")
    }
}
