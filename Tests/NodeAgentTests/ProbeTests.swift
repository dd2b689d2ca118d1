import Documents
import Basics
import NodeAgent
import Objects
import Testing

@Suite struct ProbeTests {
    private func pod(_ probes: JSON) -> Object {
        var container: JSON = ["name": "c", "image": "i"]
        for member in probes.objectValue ?? JSONObject() { container[member.key] = member.value }
        return PodBuilder.pod("p", containers: [container])
    }

    private func finish(_ driver: inout Driver, _ kind: Probe.Kind, _ succeeded: Bool)
        -> [PodAction]
    {
        driver.lifecycle.probeFinished(
            "c", id: "c0", kind: kind, succeeded: succeeded, output: "x", now: driver.now)
    }

    @Test func defaultsAreUpstreams() throws {
        let probe = try #require(Probe(["tcpSocket": ["port": 80]]))
        #expect(probe.initialDelaySeconds == 0)
        #expect(probe.periodSeconds == 10)
        #expect(probe.timeoutSeconds == 1)
        #expect(probe.successThreshold == 1)
        #expect(probe.failureThreshold == 3)
        #expect(Probe(["periodSeconds": 1]) == nil)
    }

    @Test func readinessDecidesReady() {
        var driver = Driver(
            pod(["readinessProbe": ["tcpSocket": ["port": 80], "initialDelaySeconds": 2]]))
        _ = driver.begin()
        #expect(driver.started("c").probes.isEmpty)
        #expect(driver.condition("Ready") == "False")
        #expect(driver.pass(2_000).probes == [.readiness])
        _ = finish(&driver, .readiness, true)
        #expect(driver.condition("Ready") == "True")
        for _ in 0..<3 {
            #expect(driver.condition("Ready") == "True")
            #expect(driver.pass(10_000).probes == [.readiness])
            #expect(finish(&driver, .readiness, false).events == ["Unhealthy"])
        }
        #expect(driver.condition("Ready") == "False")
    }

    @Test func oneProbeAtATime() {
        var driver = Driver(pod(["readinessProbe": ["tcpSocket": ["port": 80]]]))
        _ = driver.begin()
        #expect(driver.started("c").probes == [.readiness])
        #expect(driver.pass(30_000).probes.isEmpty)
        #expect(finish(&driver, .readiness, true).probes == [.readiness])
    }

    @Test func livenessRestartsAfterThreeFailures() {
        var driver = Driver(pod(["livenessProbe": ["exec": ["command": ["false"]]]]))
        _ = driver.begin()
        #expect(driver.started("c").probes == [.liveness])
        #expect(finish(&driver, .liveness, false).stops.isEmpty)
        _ = driver.pass(10_000)
        #expect(finish(&driver, .liveness, false).stops.isEmpty)
        _ = driver.pass(10_000)
        let last = finish(&driver, .liveness, false)
        #expect(last.events == ["Unhealthy", "Killing"])
        #expect(last.stops == ["c0"])
        #expect(driver.pass(10_000).isEmpty)
        #expect(driver.exited("c", code: 137).starts == ["c1"])
    }

    @Test func startupGatesTheOthers() {
        var driver = Driver(
            pod([
                "startupProbe": ["tcpSocket": ["port": 80], "failureThreshold": 30],
                "readinessProbe": ["tcpSocket": ["port": 80], "initialDelaySeconds": 60],
                "livenessProbe": ["tcpSocket": ["port": 80]],
            ]))
        _ = driver.begin()
        #expect(driver.started("c").probes == [.startup])
        #expect(driver.status()["containerStatuses"]?[0]?["started"] == false)
        _ = finish(&driver, .startup, false)
        #expect(driver.pass(10_000).probes == [.startup])
        #expect(finish(&driver, .startup, true).probes == [.liveness, .readiness])
        #expect(driver.status()["containerStatuses"]?[0]?["started"] == true)
    }
}
