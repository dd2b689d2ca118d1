import Documents
import Basics
import Controllers
import Informers
import Objects
import Testing

struct RollingUpdateTests {
    private func cluster() -> TestCluster {
        TestCluster([DeploymentController(), ReplicaSetController(), GarbageCollector()])
    }

    private func setImage(_ image: String, of name: String = "web", in cluster: inout TestCluster) {
        cluster.update(.deployment, name) { json in
            json.set(
                Samples.template(image: image)["spec"]?["containers"], at: "spec", "template",
                "spec", "containers")
        }
    }

    @Test func aDeploymentMakesItsReplicaSetAndPods() throws {
        var cluster = cluster()
        cluster.create(.deployment, Samples.deployment())
        cluster.converge()
        let set = try #require(cluster.all(.replicaSet).first)
        #expect(cluster.all(.replicaSet).count == 1)
        #expect(set.annotation("deployment.kubernetes.io/revision") == "1")
        #expect(set.annotation("deployment.kubernetes.io/desired-replicas") == "3")
        #expect(set.annotation("deployment.kubernetes.io/max-replicas") == "4")
        let hash = try #require(set.label("pod-template-hash"))
        #expect(set.name == "web-" + hash)
        let pods = cluster.all(.pod)
        #expect(pods.count == 3)
        #expect(pods.allSatisfy { $0.name.hasPrefix(set.name + "-") })
        #expect(pods.allSatisfy { $0.label("pod-template-hash") == hash })
        let deployment = try #require(cluster.get(.deployment, "web"))
        let status = deployment.status
        #expect(deployment.annotation("deployment.kubernetes.io/revision") == "1")
        #expect(deployment.generation == 1)
        for key in ["replicas", "updatedReplicas", "readyReplicas", "availableReplicas"] {
            #expect(status[key] == 3, "\(key)")
        }
        #expect(status["unavailableReplicas"] == nil)
        #expect(status["observedGeneration"] == 1)
        #expect(condition("Available", status) == "True MinimumReplicasAvailable")
        #expect(condition("Progressing", status) == "True NewReplicaSetAvailable")
        #expect(
            cluster.events.first
                == "ScalingReplicaSet Scaled up replica set \(set.name) from 0 to 3")
        #expect(cluster.events.count { $0.hasPrefix("SuccessfulCreate Created pod: ") } == 3)
    }

    private func condition(_ type: String, _ status: JSON) -> String? {
        let entry = status["conditions"]?.elements.first { $0["type"]?.stringValue == type }
        return entry.map {
            ($0["status"]?.stringValue ?? "") + " " + ($0["reason"]?.stringValue ?? "")
        }
    }

    @Test(
        arguments: [
            (10, JSON("25%"), JSON("25%")), (10, 0, 1), (10, 1, 0), (10, "100%", "0%"),
            (3, "25%", "25%"), (1, "25%", "25%"), (1, 0, "50%"), (7, 2, 3), (10, "0%", "100%"),
        ] as [(Int64, JSON, JSON)])
    func aRolloutKeepsToItsLimits(replicas: Int64, surge: JSON, unavailable: JSON) throws {
        var cluster = cluster()
        cluster.create(
            .deployment,
            Samples.deployment(
                replicas: replicas, spec: Samples.rolling(surge: surge, unavailable: unavailable)))
        cluster.converge()
        let limits = DeploymentBounds(
            replicas: replicas, surge: surge, unavailable: unavailable)
        cluster.check = { cluster in
            let pods = cluster.all(.pod).filter { !$0.isBeingDeleted }
            let ready = pods.count {
                $0.status["conditions"]?[0]?["status"]?.stringValue == "True"
            }
            #expect(Int64(pods.count) <= limits.most)
            #expect(Int64(ready) >= limits.least)
        }
        setImage("web:2", in: &cluster)
        // One pod at a time becomes ready, which makes the rollout take all its steps.
        for _ in 0..<200 {
            cluster.settle()
            cluster.runKubelet(limit: 1)
        }
        cluster.settle()
        let sets = cluster.all(.replicaSet)
        #expect(sets.count == 2)
        #expect(sets.compactMap { $0.spec["replicas"]?.intValue }.sorted() == [0, replicas])
        let images = cluster.all(.pod).map {
            $0.spec["containers"]?[0]?["image"]?.stringValue
        }
        #expect(images == Array(repeating: "web:2", count: Int(replicas)))
        let deployment = try #require(cluster.get(.deployment, "web"))
        #expect(deployment.annotation("deployment.kubernetes.io/revision") == "2")
        #expect(condition("Progressing", deployment.status) == "True NewReplicaSetAvailable")
    }

    @Test func aBrokenImageStopsTheRolloutAndTimesOut() throws {
        var cluster = cluster()
        cluster.create(
            .deployment,
            Samples.deployment(replicas: 4, spec: ["progressDeadlineSeconds": 60]))
        cluster.converge()
        setImage("broken", in: &cluster)
        cluster.converge()
        var status = try #require(cluster.get(.deployment, "web")).status
        #expect(status["updatedReplicas"] == 2)
        #expect(status["availableReplicas"] == 3)
        #expect(condition("Progressing", status) == "True ReplicaSetUpdated")
        cluster.wait(seconds: 70)
        status = try #require(cluster.get(.deployment, "web")).status
        #expect(condition("Progressing", status) == "False ProgressDeadlineExceeded")
        // A good image goes on, and takes the unhealthy pods first.
        setImage("web:3", in: &cluster)
        cluster.converge()
        status = try #require(cluster.get(.deployment, "web")).status
        #expect(condition("Progressing", status) == "True NewReplicaSetAvailable")
        #expect(cluster.all(.pod).count == 4)
    }

    @Test func rollingBackReusesTheOldSet() throws {
        var cluster = cluster()
        cluster.create(.deployment, Samples.deployment())
        cluster.converge()
        let first = try #require(cluster.all(.replicaSet).first)
        setImage("web:2", in: &cluster)
        cluster.converge()
        setImage("web:1", in: &cluster)
        cluster.converge()
        #expect(cluster.all(.replicaSet).count == 2)
        let again = try #require(cluster.get(.replicaSet, first.name))
        #expect(again.uid == first.uid)
        #expect(again.spec["replicas"] == 3)
        #expect(again.annotation("deployment.kubernetes.io/revision") == "3")
        #expect(again.annotation("deployment.kubernetes.io/revision-history") == "1")
        #expect(
            cluster.get(.deployment, "web")?.annotation("deployment.kubernetes.io/revision")
                == "3")
    }

    @Test func aPausedDeploymentScalesButDoesNotRoll() throws {
        var cluster = cluster()
        cluster.create(.deployment, Samples.deployment())
        cluster.converge()
        cluster.update(.deployment, "web") { $0.set(true, at: "spec", "paused") }
        setImage("web:2", in: &cluster)
        cluster.converge()
        #expect(cluster.all(.replicaSet).count == 1)
        var status = try #require(cluster.get(.deployment, "web")).status
        #expect(condition("Progressing", status) == "Unknown DeploymentPaused")
        cluster.update(.deployment, "web") { $0.set(5, at: "spec", "replicas") }
        cluster.converge()
        #expect(cluster.all(.pod).count == 5)
        cluster.update(.deployment, "web") { $0.set(nil, at: "spec", "paused") }
        cluster.converge()
        #expect(cluster.all(.replicaSet).count == 2)
        status = try #require(cluster.get(.deployment, "web")).status
        #expect(condition("Progressing", status) == "True NewReplicaSetAvailable")
    }

    @Test func recreateWaitsForTheLastOldPod() throws {
        var cluster = cluster()
        cluster.create(
            .deployment, Samples.deployment(spec: ["strategy": ["type": "Recreate"]]))
        cluster.converge()
        cluster.check = { cluster in
            let images = Set(
                cluster.all(.pod).map { $0.spec["containers"]?[0]?["image"]?.stringValue })
            #expect(images.count <= 1)
        }
        setImage("web:2", in: &cluster)
        cluster.settle()
        #expect(cluster.all(.pod).count == 3)
        #expect(cluster.all(.pod).allSatisfy { $0.isBeingDeleted })
        #expect(cluster.all(.replicaSet).count == 1)
        cluster.runKubelet(limit: 2)
        cluster.settle()
        #expect(cluster.all(.replicaSet).count == 1)
        cluster.converge()
        #expect(cluster.all(.replicaSet).count == 2)
        #expect(cluster.all(.pod).count == 3)
    }

    @Test func oldSetsBeyondTheHistoryLimitGo() throws {
        var cluster = cluster()
        cluster.create(
            .deployment, Samples.deployment(replicas: 1, spec: ["revisionHistoryLimit": 2]))
        cluster.converge()
        for version in 2...6 {
            setImage("web:\(version)", in: &cluster)
            cluster.converge()
            cluster.wait(seconds: 1)
        }
        let revisions = cluster.all(.replicaSet).compactMap {
            $0.annotation("deployment.kubernetes.io/revision")
        }
        #expect(revisions.sorted() == ["4", "5", "6"])
    }

    @Test func scalingInTheMiddleOfARolloutIsProportional() throws {
        var cluster = cluster()
        cluster.create(
            .deployment,
            Samples.deployment(
                replicas: 10, spec: Samples.rolling(surge: 3, unavailable: 2)))
        cluster.converge()
        setImage("broken", in: &cluster)
        cluster.converge()
        #expect(sizes(cluster) == [5, 8])
        cluster.update(.deployment, "web") { $0.set(15, at: "spec", "replicas") }
        cluster.converge()
        // The example of upstream's documentation: 3 to the old set, 2 to the new one.
        #expect(sizes(cluster) == [7, 11])
    }

    private func sizes(_ cluster: TestCluster) -> [Int64] {
        cluster.all(.replicaSet).compactMap { $0.spec["replicas"]?.intValue }.sorted()
    }

    @Test func aTakenNameIsHashedAgain() throws {
        var cluster = cluster()
        cluster.create(.deployment, Samples.deployment())
        cluster.converge()
        let name = try #require(cluster.all(.replicaSet).first).name
        cluster.delete(.deployment, "web", .background)
        cluster.converge()
        #expect(cluster.all(.replicaSet).isEmpty)
        #expect(cluster.all(.pod).isEmpty)
        // A stranger of that name.
        cluster.create(
            .replicaSet,
            [
                "metadata": ["name": .string(name)],
                "spec": [
                    "replicas": 0, "selector": ["matchLabels": ["app": "other"]],
                    "template": Samples.template(app: "other"),
                ],
            ])
        cluster.create(.deployment, Samples.deployment())
        cluster.converge()
        #expect(cluster.get(.deployment, "web")?.status["collisionCount"] == 1)
        #expect(cluster.all(.pod).count == 3)
    }
}

/// How many pods a rollout may have, and how many must serve, counted anew.
private struct DeploymentBounds {
    var most: Int64
    var least: Int64

    init(replicas: Int64, surge: JSON, unavailable: JSON) {
        func value(_ json: JSON, up: Bool) -> Int64 {
            if let number = json.intValue { return number }
            let percent = Double(Int64(json.stringValue?.dropLast() ?? "0") ?? 0)
            let exact = Double(replicas) * percent / 100
            return Int64(exact.rounded(up ? .up : .down))
        }
        let extra = value(surge, up: true)
        var missing = value(unavailable, up: false)
        if extra == 0, missing == 0 { missing = 1 }
        most = replicas + extra
        least = replicas - min(missing, replicas)
    }
}
