import Documents
import Basics
import Objects
import Testing

@Suite struct HumanDurationTests {
    @Test(arguments: [
        (-5, "<invalid>"), (-1, "0s"), (0, "0s"), (119, "119s"), (120, "2m"), (150, "2m30s"),
        (600, "10m"), (10_799, "179m"), (10_800, "3h"), (11_100, "3h5m"), (28_800, "8h"),
        (172_799, "47h"), (172_800, "2d"), (176_400, "2d1h"), (691_200, "8d"),
        (63_072_000, "2y"), (64_000_000, "2y10d"), (252_288_000, "8y"),
    ])
    func text(_ seconds: Int64, _ expected: String) {
        #expect(HumanDuration.text(seconds: seconds) == expected)
    }
}

@Suite struct PodSummaryTests {
    private func pod(_ status: JSON, _ metadata: JSON = [:], spec: JSON? = nil) -> PodSummary {
        PodSummary([
            "metadata": metadata, "spec": spec ?? ["containers": [["name": "a"], ["name": "b"]]],
            "status": status,
        ])
    }

    @Test func pending() {
        let summary = pod(["phase": "Pending"])
        #expect(summary.reason == "Pending")
        #expect(summary.ready == 0)
        #expect(summary.total == 2)
    }

    @Test func running() {
        let running: JSON = ["running": ["startedAt": "2026-01-01T00:00:00Z"]]
        let status: JSON = [
            "phase": "Running",
            "containerStatuses": [
                ["name": "a", "ready": true, "restartCount": 1, "state": running],
                ["name": "b", "ready": false, "restartCount": 2, "state": running],
            ],
        ]
        let summary = pod(status)
        #expect(summary.reason == "Running")
        #expect(summary.ready == 1)
        #expect(summary.restarts == 3)
        let gone = pod(status, ["deletionTimestamp": "2026-01-01T00:00:00Z"])
        #expect(gone.reason == "Terminating")
    }

    private static let states: [(JSON, String)] = [
        (["waiting": ["reason": "CrashLoopBackOff"]], "CrashLoopBackOff"),
        (["terminated": ["reason": "Error", "exitCode": 1]], "Error"),
        (["terminated": ["exitCode": 3]], "ExitCode:3"),
        (["terminated": ["exitCode": 137, "signal": 9]], "Signal:9"),
        (["terminated": ["reason": "Completed", "exitCode": 0]], "Completed"),
    ]

    @Test(arguments: states)
    func reasons(_ state: JSON, _ expected: String) {
        let container: JSON = ["name": "a", "ready": false, "restartCount": 0, "state": state]
        #expect(
            pod(["phase": "Running", "containerStatuses": [container]]).reason == expected)
    }

    @Test func completedBesideRunning() {
        let done: JSON = ["terminated": ["reason": "Completed", "exitCode": 0]]
        var status: JSON = [
            "phase": "Running",
            "containerStatuses": [
                ["name": "a", "ready": false, "restartCount": 0, "state": done],
                ["name": "b", "ready": true, "restartCount": 0, "state": ["running": [:]]],
            ],
        ]
        #expect(pod(status).reason == "NotReady")
        status["conditions"] = [["type": "Ready", "status": "True"]]
        #expect(pod(status).reason == "Running")
    }

    @Test func initContainers() {
        let spec: JSON = [
            "containers": [["name": "a"]], "initContainers": [["name": "i"], ["name": "j"]],
        ]
        let done: JSON = ["name": "i", "state": ["terminated": ["exitCode": 0]]]
        let waits: JSON = ["name": "j", "state": ["waiting": ["reason": "PodInitializing"]]]
        let fails: JSON = ["name": "j", "state": ["terminated": ["exitCode": 2]]]
        #expect(
            pod(["phase": "Pending", "initContainerStatuses": [done, waits]], spec: spec).reason
                == "Init:1/2")
        #expect(
            pod(["phase": "Pending", "initContainerStatuses": [done, fails]], spec: spec).reason
                == "Init:ExitCode:2")
    }
}

@Suite struct TablePrinterTests {
    private let now = WallTime(rfc3339: "2026-01-01T01:00:00Z") ?? WallTime(seconds: 0)

    @Test func everyRowFitsItsColumns() {
        for kind in Kinds.all.map(\.kind) + ["Other"] {
            let printer = TablePrinter.printer(for: kind)
            let cells = printer.cells(["metadata": ["name": "x"]], now: now)
            #expect(cells.count == printer.columns.count, "\(kind)")
        }
    }

    @Test func node() {
        let cells = TablePrinter.printer(for: "Node").cells(
            [
                "metadata": [
                    "name": "n1", "creationTimestamp": "2026-01-01T00:55:00Z",
                    "labels": ["node-role.kubernetes.io/worker": ""],
                ],
                "spec": ["unschedulable": true],
                "status": [
                    "conditions": [["type": "Ready", "status": "True"]],
                    "addresses": [["type": "InternalIP", "address": "127.0.0.1"]],
                    "nodeInfo": ["kubeletVersion": "v1"],
                ],
            ], now: now)
        #expect(
            cells == [
                "n1", "Ready,SchedulingDisabled", "worker", "5m", "v1", "127.0.0.1", "<none>",
                "<unknown>", "<unknown>", "<unknown>",
            ])
    }

    @Test func event() {
        let cells = TablePrinter.printer(for: "Event").cells(
            [
                "metadata": ["name": "e"], "type": "Warning", "reason": "Bad", "message": "no\n",
                "involvedObject": ["kind": "Pod", "name": "p"], "count": 3,
                "firstTimestamp": "2026-01-01T00:50:00Z", "lastTimestamp": "2026-01-01T00:59:50Z",
                "source": ["component": "c", "host": "h"],
            ], now: now)
        #expect(
            cells == [
                "10s", "Warning", "Bad", "pod/p", "", "c, h", "no", "10m", 3, "e",
            ])
    }

    @Test func service() {
        let cells = TablePrinter.printer(for: "Service").cells(
            [
                "metadata": ["name": "s", "creationTimestamp": "2026-01-01T01:00:00Z"],
                "spec": [
                    "type": "NodePort", "clusterIP": "10.0.0.1", "selector": ["b": "2", "a": "1"],
                    "ports": [["port": 80, "nodePort": 30_000, "protocol": "TCP"]],
                ],
            ], now: now)
        #expect(
            cells == ["s", "NodePort", "10.0.0.1", "<none>", "80:30000/TCP", "0s", "a=1,b=2"])
    }
}
