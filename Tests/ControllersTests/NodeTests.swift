import Documents
import Basics
import Controllers
import Informers
import Objects
import Testing

struct NodeTests {
    private func cluster(nodes: Int = 2) -> TestCluster {
        var cluster = TestCluster(
            [NodeLifecycleController(), TaintEvictionController(), PodCollector()],
            namespaces: ["default", "kube-node-lease"])
        for index in 1...nodes { node("node-\(index)", &cluster) }
        cluster.settle()
        return cluster
    }

    private func node(_ name: String, _ cluster: inout TestCluster) {
        let now = JSON.string(cluster.now.rfc3339)
        let ready: JSON = [
            "type": "Ready", "status": "True", "lastHeartbeatTime": now,
            "lastTransitionTime": now,
        ]
        cluster.create(
            .node,
            ["metadata": ["name": .string(name)], "status": ["conditions": [ready]]], in: "")
        cluster.create(
            .lease,
            [
                "metadata": ["name": .string(name)],
                "spec": ["holderIdentity": .string(name), "leaseDurationSeconds": 40],
            ], in: "kube-node-lease")
    }

    /// Every node but those named renews its lease each ten seconds.
    private func pass(
        _ seconds: Int64, silent: [String] = [], _ cluster: inout TestCluster
    ) {
        for _ in 0..<(seconds / 10) {
            for node in cluster.all(.node) where !silent.contains(node.name) {
                let time = JSON.string(cluster.now.rfc3339Micro)
                cluster.update(.lease, node.name, in: "kube-node-lease") {
                    $0.set(time, at: "spec", "renewTime")
                }
            }
            cluster.wait(seconds: 10)
        }
    }

    private func taints(_ name: String, _ cluster: TestCluster) -> [String] {
        (cluster.get(.node, name)?.spec["taints"]?.elements ?? []).map {
            ($0["key"]?.stringValue ?? "").drop { $0 != "/" }.dropFirst() + ":"
                + ($0["effect"]?.stringValue ?? "")
        }
    }

    private func ready(_ name: String, _ cluster: TestCluster) -> String? {
        cluster.get(.node, name)?.status["conditions"]?.elements.first { $0["type"] == "Ready" }?[
            "status"]?.stringValue
    }

    @Test func aNodeThatRenewsStaysReady() throws {
        var cluster = cluster()
        pass(300, &cluster)
        #expect(ready("node-1", cluster) == "True")
        #expect(taints("node-1", cluster) == [])
    }

    @Test func aSilentNodeBecomesUnknownAndLosesItsPods() throws {
        var cluster = cluster()
        for name in ["brief", "default"] {
            var pod = Samples.pod(name)
            pod.set("node-1", at: "spec", "nodeName")
            let seconds: Int64 = name == "brief" ? 5 : 300
            pod.set(
                [
                    [
                        "key": "node.kubernetes.io/unreachable", "operator": "Exists",
                        "effect": "NoExecute", "tolerationSeconds": .integer(seconds),
                    ]
                ], at: "spec", "tolerations")
            cluster.create(.pod, pod)
        }
        cluster.runKubelet()
        pass(40, silent: ["node-1"], &cluster)
        #expect(ready("node-1", cluster) == "True")
        pass(20, silent: ["node-1"], &cluster)
        #expect(ready("node-1", cluster) == "Unknown")
        #expect(ready("node-2", cluster) == "True")
        #expect(
            taints("node-1", cluster) == ["unreachable:NoSchedule", "unreachable:NoExecute"])
        #expect(cluster.events.contains("NodeNotReady Node is not ready"))
        let pod = try #require(cluster.get(.pod, "default"))
        #expect(pod.status["conditions"]?[0]?["status"] == "False")
        pass(10, silent: ["node-1"], &cluster)
        #expect(cluster.get(.pod, "brief")?.isBeingDeleted == true)
        #expect(
            cluster.events.contains(
                "TaintManagerEviction Marking for deletion Pod default/brief"))
        #expect(cluster.get(.pod, "default")?.isBeingDeleted == false)
        pass(300, silent: ["node-1"], &cluster)
        #expect(cluster.get(.pod, "default")?.isBeingDeleted == true)
    }

    @Test func aNodeThatComesBackLosesItsTaints() throws {
        var cluster = cluster()
        pass(70, silent: ["node-1"], &cluster)
        #expect(ready("node-1", cluster) == "Unknown")
        let now = JSON.string(cluster.now.rfc3339)
        cluster.update(.node, "node-1", in: "", .status) { json in
            json.set(
                [
                    [
                        "type": "Ready", "status": "True", "lastHeartbeatTime": now,
                    ]
                ], at: "status", "conditions")
        }
        cluster.settle()
        #expect(taints("node-1", cluster) == [])
    }

    @Test func whenAllAreSilentNobodyIsEvicted() throws {
        var cluster = cluster()
        pass(100, silent: ["node-1", "node-2"], &cluster)
        #expect(taints("node-1", cluster) == ["unreachable:NoSchedule"])
        #expect(taints("node-2", cluster) == ["unreachable:NoSchedule"])
    }

    @Test func conditionsAndCordonsShowAsTaints() throws {
        var cluster = cluster()
        cluster.update(.node, "node-1", in: "") { $0.set(true, at: "spec", "unschedulable") }
        cluster.update(.node, "node-1", in: "", .status) { json in
            var conditions = json.path("status", "conditions")?.elements ?? []
            conditions.append(["type": "DiskPressure", "status": "True"])
            json.set(.array(conditions), at: "status", "conditions")
        }
        cluster.settle()
        #expect(
            Set(taints("node-1", cluster))
                == ["unschedulable:NoSchedule", "disk-pressure:NoSchedule"])
        cluster.update(.node, "node-1", in: "") { $0.set(nil, at: "spec", "unschedulable") }
        cluster.settle()
        #expect(taints("node-1", cluster) == ["disk-pressure:NoSchedule"])
    }

    @Test func podsOfANodeThatIsGoneAreRemovedAfterAWhile() throws {
        var cluster = cluster()
        var pod = Samples.pod("p")
        pod.set("node-1", at: "spec", "nodeName")
        cluster.create(.pod, pod)
        cluster.delete(.node, "node-1", in: "")
        cluster.wait(seconds: 30)
        #expect(cluster.get(.pod, "p") != nil)
        cluster.wait(seconds: 15)
        #expect(cluster.get(.pod, "p") == nil)
    }

    @Test func aTerminatingPodWithoutANodeGoes() throws {
        var cluster = cluster()
        var pod = Samples.pod("p")
        pod.set("node-1", at: "spec", "nodeName")
        cluster.create(.pod, pod)
        cluster.delete(.pod, "p", nil)
        #expect(cluster.get(.pod, "p")?.isBeingDeleted == true)
        var loose = try #require(cluster.get(.pod, "p"))
        loose.json.set(nil, at: "spec", "nodeName")
        cluster.put(loose)
        cluster.settle()
        #expect(cluster.get(.pod, "p") == nil)
    }
}
