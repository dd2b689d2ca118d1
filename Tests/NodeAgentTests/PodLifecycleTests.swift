import Documents
import Basics
import NodeAgent
import Objects
import Testing

@Suite struct PodLifecycleTests {
    @Test func startsVolumesThenSandboxThenContainers() {
        var driver = Driver(PodBuilder.pod("p"))
        #expect(driver.lifecycle.advance(now: driver.now) == [.prepareVolumes])
        #expect(driver.lifecycle.volumesPrepared(failure: nil, now: driver.now) == [.runSandbox])
        let actions = driver.lifecycle.sandboxStarted(ip: "10.64.1.2", now: driver.now)
        #expect(actions.starts == ["c0"])
        #expect(driver.lifecycle.phase == "Pending")
        #expect(driver.condition("PodReadyToStartContainers") == "True")
        #expect(driver.started("c").events == ["Created", "Started"])
        #expect(driver.lifecycle.phase == "Running")
        #expect(driver.condition("Ready") == "True")
        #expect(driver.status()["podIP"] == "10.64.1.2")
    }

    @Test func failedVolumesAreTriedAgain() {
        var driver = Driver(PodBuilder.pod("p"))
        _ = driver.lifecycle.advance(now: driver.now)
        let failed = driver.lifecycle.volumesPrepared(failure: "no such map", now: driver.now)
        #expect(failed.events == ["FailedMount"])
        #expect(driver.pass(9_999).isEmpty)
        #expect(driver.pass(1) == [.prepareVolumes])
    }

    @Test func volumesOfAPIDataAreRefreshed() {
        let volumes: JSON = [["name": "v", "configMap": ["name": "settings"]]]
        var pod = PodBuilder.pod("p", more: ["volumes": volumes])
        var driver = Driver(pod)
        _ = driver.begin()
        _ = driver.started("c")
        #expect(driver.pass(59_999).isEmpty)
        #expect(driver.pass(1) == [.prepareVolumes])
        #expect(driver.pass(60_000).isEmpty, "one at a time")
        let failed = driver.lifecycle.volumesPrepared(failure: "gone", now: driver.now)
        #expect(failed.events == ["FailedMount"])
        #expect(driver.lifecycle.phase == "Running", "what was mounted stays")
        pod.json.set(["a": "1"], at: "metadata", "annotations")
        let changed = driver.lifecycle.podChanged(PodDescription(pod), now: driver.now)
        #expect(changed == [.prepareVolumes], "a changed pod is looked at at once")
        pod.json.set(["a": "2"], at: "metadata", "annotations")
        #expect(driver.lifecycle.podChanged(PodDescription(pod), now: driver.now).isEmpty)
        let again = driver.lifecycle.volumesPrepared(failure: nil, now: driver.now)
        #expect(again == [.prepareVolumes], "it changed again meanwhile")
    }

    @Test func volumesWithoutAPIDataAreLeftAlone() {
        var driver = Driver(
            PodBuilder.pod("p", more: ["volumes": [["name": "v", "emptyDir": [:]]]]))
        _ = driver.begin()
        _ = driver.started("c")
        #expect(driver.lifecycle.wake() == nil)
        #expect(driver.pass(600_000).isEmpty)
    }

    @Test func backOffDoublesToFiveMinutes() {
        var driver = Driver(PodBuilder.pod("p"))
        _ = driver.begin()
        var delays: [UInt64] = []
        for attempt in 0..<8 {
            _ = driver.started("c", attempt: attempt)
            let ended = driver.exited("c", attempt: attempt, code: 1)
            if !ended.starts.isEmpty {
                delays.append(0)
                continue
            }
            #expect(ended.events == ["BackOff"])
            let state = driver.status()["containerStatuses"]?[0]?["state"]
            #expect(state?.path("waiting", "reason") == "CrashLoopBackOff")
            let wake = driver.lifecycle.wake() ?? driver.now
            let delay = wake.milliseconds(since: driver.now)
            delays.append(delay / 1000)
            #expect(driver.pass(delay).starts == ["c\(attempt + 1)"])
        }
        #expect(delays == [0, 10, 20, 40, 80, 160, 300, 300])
        #expect(driver.lifecycle.phase == "Running")
    }

    @Test func longRunResetsTheBackOff() {
        var driver = Driver(PodBuilder.pod("p"))
        _ = driver.begin()
        _ = driver.started("c", attempt: 0)
        _ = driver.exited("c", attempt: 0, code: 1)
        _ = driver.started("c", attempt: 1)
        _ = driver.pass(600_000)
        #expect(driver.exited("c", attempt: 1, code: 1).starts == ["c2"])
    }

    @Test(arguments: [(Int32(0), "Succeeded"), (Int32(3), "Failed")])
    func neverRestarted(code: Int32, phase: String) {
        var driver = Driver(PodBuilder.pod("p", more: ["restartPolicy": "Never"]))
        _ = driver.begin()
        _ = driver.started("c")
        #expect(driver.exited("c", code: code).contains(.stopSandbox))
        #expect(driver.lifecycle.phase == phase)
        #expect(driver.condition("Ready") == "False")
        #expect(driver.lifecycle.sandboxStopped(now: driver.now).isEmpty)
    }

    @Test func initContainersRunInOrder() {
        let more: JSON = [
            "initContainers": [["name": "a", "image": "i"], ["name": "b", "image": "i"]]
        ]
        var driver = Driver(PodBuilder.pod("p", more: more))
        #expect(driver.begin().starts == ["a0"])
        _ = driver.started("a")
        #expect(driver.condition("Initialized") == "False")
        #expect(driver.exited("a", code: 0).starts == ["b0"])
        _ = driver.started("b")
        #expect(driver.exited("b", code: 1).starts == ["b1"])
        _ = driver.started("b", attempt: 1)
        #expect(driver.exited("b", attempt: 1, code: 0).starts == ["c0"])
        #expect(driver.condition("Initialized") == "True")
    }

    @Test func failedInitFailsAPodThatIsNeverRestarted() {
        let more: JSON = [
            "restartPolicy": "Never", "initContainers": [["name": "a", "image": "i"]],
        ]
        var driver = Driver(PodBuilder.pod("p", more: more))
        _ = driver.begin()
        _ = driver.started("a")
        #expect(driver.exited("a", code: 1).contains(.stopSandbox))
        #expect(driver.lifecycle.phase == "Failed")
    }

    @Test func deletionStopsThenRemoves() {
        let pod = PodBuilder.pod("p")
        var driver = Driver(pod)
        _ = driver.begin()
        _ = driver.started("c")
        var deleted = pod
        deleted.json.set("2026-01-02T03:04:05Z", at: "metadata", "deletionTimestamp")
        deleted.json.set(7, at: "metadata", "deletionGracePeriodSeconds")
        let stop = driver.lifecycle.podChanged(PodDescription(deleted), now: driver.now)
        #expect(stop.contains(.stopContainer(id: "c0", graceSeconds: 7, preStop: nil)))
        #expect(stop.events == ["Killing"])
        #expect(driver.exited("c", code: 143) == [.stopSandbox])
        #expect(driver.lifecycle.sandboxStopped(now: driver.now) == [.remove])
        #expect(driver.lifecycle.phase == "Failed")
    }

    @Test func containerThatCannotBeMadeWaits() {
        var driver = Driver(PodBuilder.pod("p"))
        _ = driver.begin()
        let error = RuntimeError("CreateContainerConfigError", "configmap \"x\" not found")
        let failed = driver.lifecycle.containerFailed(
            "c", error, now: driver.now, wall: driver.wall)
        #expect(failed.events == ["Failed"])
        let state = driver.status()["containerStatuses"]?[0]?["state"]
        #expect(state?.path("waiting", "reason") == "CreateContainerConfigError")
        #expect(driver.pass(10_000).starts == ["c0"])
    }

    @Test func adoptsWhatRuns() {
        let sandbox = PodSandbox(
            id: "u1", namespace: "default", name: "p", ip: "10.64.1.9", isReady: true)
        let running = RuntimeContainer(
            id: "c3", sandbox: "u1", name: "c", attempt: 3, image: "i", state: .running,
            startedAt: "2026-01-02T03:04:05Z")
        var driver = Driver(PodBuilder.pod("p"), sandbox: sandbox, containers: [running])
        _ = driver.lifecycle.advance(now: driver.now)
        #expect(driver.lifecycle.volumesPrepared(failure: nil, now: driver.now).isEmpty)
        #expect(driver.lifecycle.phase == "Running")
        #expect(driver.status()["containerStatuses"]?[0]?["restartCount"] == 3)
        #expect(driver.status()["podIP"] == "10.64.1.9")
    }

    @Test func startsAgainAfterEverythingDied() {
        let sandbox = PodSandbox(
            id: "u1", namespace: "default", name: "p", ip: "10.64.1.9", isReady: false)
        let lost = RuntimeContainer(
            id: "c3", sandbox: "u1", name: "c", attempt: 3, image: "i", state: .lost,
            startedAt: "2026-01-02T03:04:05Z")
        var driver = Driver(PodBuilder.pod("p"), sandbox: sandbox, containers: [lost])
        #expect(driver.begin().starts == ["c4"])
        let status = driver.status()["containerStatuses"]?[0]
        #expect(status?["restartCount"] == 4)
        #expect(status?.path("lastState", "terminated", "exitCode") == 255)
    }

    @Test func deadlineFailsThePod() {
        var driver = Driver(PodBuilder.pod("p", more: ["activeDeadlineSeconds": 5]))
        _ = driver.begin()
        _ = driver.started("c")
        let actions = driver.pass(5_000)
        #expect(actions.events.contains("DeadlineExceeded"))
        #expect(actions.stops == ["c0"])
        #expect(driver.lifecycle.phase == "Failed")
        #expect(driver.status()["reason"] == "DeadlineExceeded")
    }
}
