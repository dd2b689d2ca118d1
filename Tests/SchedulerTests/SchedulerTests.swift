import Documents
import Basics
import Informers
import Keyspace
import Objects
import Scheduler
import Testing

/// The scheduler over a view, without a store.
struct SchedulerTests {
    /// Objects by key, and the scheduler that sees them.
    private struct Bench {
        var view = ClusterView(kinds: [.namespace, .node, .pod])
        var scheduler = Scheduler()
        var revision: Int64 = 1
        var events: [String] = []
        var isDirty = false
        var now = WallTime(seconds: 1_800_000_000)
        private var random = SeededRandom(seed: 1)
        private var plan = Plan()

        mutating func apply(_ mutations: [CommitRequest.Mutation]) {
            var events: [Event] = []
            for mutation in mutations {
                revision += 1
                switch mutation {
                case .put(let key, let value, _):
                    events.append(
                        Event(
                            kind: .put,
                            keyValue: KeyValue(
                                key: key, value: value, createRevision: 1, modRevision: revision,
                                version: 1)))
                case .delete(let key):
                    events.append(
                        Event(
                            kind: .delete,
                            keyValue: KeyValue(
                                key: key, value: [], createRevision: 0, modRevision: revision,
                                version: 0)))
                }
            }
            for change in view.apply(WatchBatch(events: events, revision: revision)) {
                var dirty = DirtyKeys()
                scheduler.observe(change, in: view, now: now, dirty: &dirty)
                if !dirty.keys.isEmpty { isDirty = true }
            }
        }

        mutating func put(_ kind: ResourceKind, _ json: JSON) {
            let object = Object(kind: kind, json: json)
            apply([.put(key: object.key, value: object.encodeStored(), lease: 0)])
        }

        mutating func delete(_ kind: ResourceKind, _ name: String) {
            apply([.delete(key: kind.key(namespace: "default", name: name))])
        }

        /// Plans and commits until nothing is dirty; answers the plans made.
        @discardableResult
        mutating func run() -> Int {
            var plans = 0
            while isDirty {
                isDirty = false
                var context = ReconcileContext(view: view, now: now, random: random)
                let plan = scheduler.reconcile(
                    ObjectReference(.pod, namespace: "", name: "pending"), &context)
                random = context.random
                events += plan.events.map { "\($0.reason): \($0.message)" }
                if plan.requeueAfterMilliseconds != nil { isDirty = true }
                apply(plan.mutations)
                plans += 1
            }
            return plans
        }

        func node(of pod: String) -> String? {
            view.object(.pod, "default", pod)?.spec["nodeName"]?.stringValue
        }

        func scheduled(_ pod: String) -> JSON? {
            view.object(.pod, "default", pod)?.status["conditions"]?.elements.first {
                $0["type"] == "PodScheduled"
            }
        }

        func count(on node: String) -> Int { view.pods(onNode: node).count }
    }

    private func node(
        _ name: String, cpu: String = "4", memory: String = "8Gi", pods: String = "110",
        labels: JSON = [:], spec: JSON = [:]
    ) -> JSON {
        [
            "metadata": ["name": .string(name), "uid": .string(name), "labels": labels],
            "spec": spec,
            "status": [
                "allocatable": [
                    "cpu": .string(cpu), "memory": .string(memory), "pods": .string(pods),
                ]
            ],
        ]
    }

    private func pod(
        _ name: String, cpu: String? = nil, owner: String? = nil, created: Int64 = 0,
        spec: JSON = [:]
    ) -> JSON {
        var container: JSON = ["name": "main", "image": "web:1"]
        if let cpu { container.set(["cpu": .string(cpu)], at: "resources", "requests") }
        var all: JSON = ["containers": [container]]
        for member in spec.objectValue ?? JSONObject() { all[member.key] = member.value }
        var metadata: JSON = [
            "name": .string(name), "namespace": "default", "uid": .string(name),
            "creationTimestamp": .string(WallTime(seconds: 1_700_000_000 + created).rfc3339),
        ]
        if let owner {
            metadata["ownerReferences"] = [
                ["kind": "ReplicaSet", "name": "rs", "uid": .string(owner), "controller": true]
            ]
        }
        return ["metadata": metadata, "spec": all, "status": ["phase": "Pending"]]
    }

    @Test func aPodIsBoundWithItsConditionAndEvent() throws {
        var bench = Bench()
        bench.put(.node, node("node-1"))
        bench.put(.pod, pod("p"))
        bench.run()
        #expect(bench.node(of: "p") == "node-1")
        #expect(bench.scheduled("p")?["status"] == "True")
        #expect(bench.events == ["Scheduled: Successfully assigned default/p to node-1"])
    }

    @Test func withoutNodesThePodWaitsAndIsBoundWhenOneComes() throws {
        var bench = Bench()
        bench.put(.pod, pod("p"))
        bench.run()
        #expect(bench.scheduled("p")?["reason"] == "Unschedulable")
        #expect(bench.scheduled("p")?["message"] == "no nodes available to schedule pods")
        #expect(bench.events == ["FailedScheduling: no nodes available to schedule pods"])
        bench.put(.node, node("node-1"))
        bench.run()
        #expect(bench.node(of: "p") == "node-1")
    }

    struct RefusalCase: Sendable, CustomTestStringConvertible {
        var pod: JSON = [:]
        var node: JSON = [:]
        var reason: String
        var isFinal = true
        var testDescription: String { reason }

        static func requests(_ resources: JSON) -> JSON {
            ["containers": [["name": "m", "resources": ["requests": resources]]]]
        }
    }

    static let refusals: [RefusalCase] = [
        RefusalCase(node: ["unschedulable": true], reason: "1 node(s) were unschedulable"),
        RefusalCase(
            node: ["taints": [["key": "a", "value": "b", "effect": "NoSchedule"]]],
            reason: "1 node(s) had untolerated taint(s)"),
        RefusalCase(
            node: ["taints": [["key": "a", "effect": "NoExecute"]]],
            reason: "1 node(s) had untolerated taint(s)"),
        RefusalCase(
            pod: ["nodeSelector": ["disk": "ssd"]],
            reason: "1 node(s) didn't match Pod's node affinity/selector"),
        RefusalCase(
            pod: RefusalCase.requests(["cpu": "3500m"]), reason: "1 Insufficient cpu",
            isFinal: false),
        RefusalCase(pod: RefusalCase.requests(["cpu": "5"]), reason: "1 Insufficient cpu"),
        RefusalCase(
            pod: RefusalCase.requests(["cpu": "5", "memory": "9Gi"]),
            reason: "1 Insufficient cpu, 1 Insufficient memory"),
        RefusalCase(
            pod: RefusalCase.requests(["x.com/gpu": "1"]), reason: "1 Insufficient x.com/gpu"),
        RefusalCase(
            pod: [
                "containers": [["name": "m", "ports": [["hostPort": 80, "containerPort": 80]]]]
            ], reason: "1 node(s) didn't have free ports for the requested pod ports",
            isFinal: false),
    ]

    @Test(arguments: refusals)
    func everyRefusalIsWordedAsUpstream(
        _ refusal: RefusalCase
    ) throws {
        var bench = Bench()
        bench.put(.node, node("node-1", spec: refusal.node))
        bench.put(
            .pod,
            pod(
                "taken",
                spec: [
                    "nodeName": "node-1",
                    "containers": [
                        [
                            "name": "m", "resources": ["requests": ["cpu": "1"]],
                            "ports": [["hostPort": 80, "containerPort": 80]],
                        ]
                    ],
                ]))
        bench.put(.pod, pod("p", spec: refusal.pod))
        bench.run()
        let tail =
            refusal.isFinal
            ? "1 Preemption is not helpful for scheduling."
            : "1 No preemption victims found for incoming pod."
        let message =
            "0/1 nodes are available: \(refusal.reason). no new claims to deallocate, preemption: "
            + "0/1 nodes are available: " + tail
        #expect(bench.scheduled("p")?["message"]?.stringValue == message)
        #expect(bench.events == ["FailedScheduling: " + message])
        // The same answer again is not written again.
        let before = bench.revision
        bench.put(.node, node("node-1", labels: ["a": "b"], spec: refusal.node))
        bench.run()
        #expect(bench.revision == before + 1)
    }

    @Test func reasonsOfSeveralNodesAreCounted() throws {
        var bench = Bench()
        bench.put(.node, node("node-1", spec: ["unschedulable": true]))
        bench.put(.node, node("node-2", cpu: "1"))
        bench.put(.node, node("node-3", cpu: "1"))
        bench.put(.pod, pod("p", cpu: "2"))
        bench.run()
        #expect(
            bench.scheduled("p")?["message"]
                == .string(
                    "0/3 nodes are available: 1 node(s) were unschedulable, 2 Insufficient cpu. "
                        + "no new claims to deallocate, preemption: 0/3 nodes are available: "
                        + "3 Preemption is not helpful for scheduling.")
        )
    }

    @Test func tolerationsAndAffinityOpenNodes() throws {
        var bench = Bench()
        let taints: JSON = ["taints": [["key": "a", "value": "b", "effect": "NoSchedule"]]]
        bench.put(.node, node("node-1", labels: ["zone": "1"], spec: taints))
        bench.put(.node, node("node-2", labels: ["zone": "2"], spec: ["unschedulable": true]))
        bench.put(
            .pod,
            pod(
                "tolerates",
                spec: ["tolerations": [["key": "a", "operator": "Equal", "value": "b"]]]))
        let required: JSON = [
            "nodeSelectorTerms": [
                ["matchExpressions": [["key": "zone", "operator": "In", "values": ["2"]]]]
            ]
        ]
        bench.put(
            .pod,
            pod(
                "selects",
                spec: [
                    "tolerations": [["operator": "Exists"]],
                    "affinity": [
                        "nodeAffinity": [
                            "requiredDuringSchedulingIgnoredDuringExecution": required
                        ]
                    ],
                ]))
        bench.run()
        #expect(bench.node(of: "tolerates") == "node-1")
        #expect(bench.node(of: "selects") == "node-2")
    }

    @Test func podsOfOneOwnerSpreadAndFillNodesEvenly() throws {
        var bench = Bench()
        for index in 1...4 { bench.put(.node, node("node-\(index)")) }
        for index in 0..<40 { bench.put(.pod, pod("p-\(index)", cpu: "100m", owner: "rs")) }
        #expect(bench.run() <= 2)
        for index in 1...4 { #expect(bench.count(on: "node-\(index)") == 10) }
    }

    @Test func theEmptierNodeIsTaken() throws {
        var bench = Bench()
        bench.put(.node, node("node-1"))
        bench.put(.node, node("node-2"))
        bench.put(.pod, pod("big", cpu: "3", spec: ["nodeName": "node-1"]))
        bench.put(.pod, pod("p", cpu: "500m"))
        bench.run()
        #expect(bench.node(of: "p") == "node-2")
    }

    @Test func aBatchNeverOvercommits() throws {
        var bench = Bench()
        bench.put(.node, node("node-1", cpu: "2"))
        for index in 0..<5 { bench.put(.pod, pod("p-\(index)", cpu: "1")) }
        bench.run()
        #expect(bench.count(on: "node-1") == 2)
        // Room that a pod leaves goes to one that waits.
        let gone = try #require(bench.view.pods(onNode: "node-1").first).name
        bench.delete(.pod, gone)
        bench.run()
        #expect(bench.count(on: "node-1") == 2)
        // An ended pod takes nothing either.
        var ended = try #require(bench.view.pods(onNode: "node-1").first)
        ended.json.set("Succeeded", at: "status", "phase")
        bench.put(.pod, ended.json)
        bench.run()
        #expect(bench.count(on: "node-1") == 3)
    }

    @Test func priorityAndAgeDecideWhoComesFirst() throws {
        var bench = Bench()
        bench.put(.pod, pod("late", cpu: "1", created: 20))
        bench.put(.pod, pod("early", cpu: "1", created: 10))
        bench.put(.pod, pod("vip", cpu: "1", created: 30, spec: ["priority": 100]))
        bench.put(.node, node("node-1", cpu: "2"))
        bench.run()
        #expect(bench.node(of: "vip") == "node-1")
        #expect(bench.node(of: "early") == "node-1")
        #expect(bench.node(of: "late") == nil)
    }

    @Test func podLimitsOfNodesHold() throws {
        var bench = Bench()
        bench.put(.node, node("node-1", pods: "1"))
        bench.put(.pod, pod("a"))
        bench.put(.pod, pod("b", created: 1))
        bench.run()
        #expect(bench.node(of: "a") == "node-1")
        #expect(
            bench.scheduled("b")?["message"]?.stringValue?.hasPrefix(
                "0/1 nodes are available: 1 Too many pods.") == true)
    }

    @Test func otherSchedulersPodsAndGatedPodsAreLeft() throws {
        var bench = Bench()
        bench.put(.node, node("node-1"))
        bench.put(.pod, pod("theirs", spec: ["schedulerName": "other"]))
        bench.put(.pod, pod("gated", spec: ["schedulingGates": [["name": "g"]]]))
        bench.run()
        #expect(bench.node(of: "theirs") == nil)
        #expect(bench.scheduled("theirs") == nil)
        #expect(bench.scheduled("gated")?["reason"] == "SchedulingGated")
        bench.put(.pod, pod("gated"))
        bench.run()
        #expect(bench.node(of: "gated") == "node-1")
    }

    @Test func manyPodsGoInBatches() throws {
        var bench = Bench()
        for index in 1...10 { bench.put(.node, node("node-\(index)", cpu: "64", pods: "200")) }
        for index in 0..<1200 { bench.put(.pod, pod("p-\(index)", cpu: "10m", owner: "rs")) }
        #expect(bench.run() <= 5)
        for index in 1...10 { #expect(bench.count(on: "node-\(index)") == 120) }
    }

    @Test func initContainersAndOverheadCount() throws {
        var bench = Bench()
        bench.put(.node, node("node-1", cpu: "3"))
        func container(_ cpu: String, restarts: Bool = false) -> JSON {
            var json: JSON = ["name": "c", "resources": ["requests": ["cpu": .string(cpu)]]]
            if restarts { json["restartPolicy"] = "Always" }
            return json
        }
        // Two containers of 1 with a sidecar of 500m; an init container of 2 beside the sidecar.
        bench.put(
            .pod,
            pod(
                "fits",
                spec: [
                    "containers": [container("1"), container("1")],
                    "initContainers": [container("500m", restarts: true), container("2")],
                    "overhead": ["cpu": "500m"],
                ]))
        bench.put(.pod, pod("small", cpu: "1m", created: 1))
        bench.run()
        #expect(bench.node(of: "fits") == "node-1")
        #expect(bench.node(of: "small") == nil)
    }
}
