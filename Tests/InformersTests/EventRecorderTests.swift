import Documents
import Basics
import Informers
import Objects
import Testing

struct EventRecorderTests {
    private let pod = Object(
        kind: .pod,
        json: ["metadata": ["name": "p", "namespace": "team", "uid": "u"]], revision: 9)

    @Test func theSameAgainRaisesTheCount() {
        var recorder = EventRecorder()
        let record = EventRecord(.warning, "Failed", "why", about: pod)
        let start = WallTime(seconds: 1000)
        let first = recorder.event(
            for: record, component: "c", now: start, suffix: "s1", uid: "1")
        #expect(first.name == "p.s1" && first.namespace == "team")
        #expect(first.json["count"] == 1)
        #expect(first.json.path("involvedObject", "kind") == "Pod")
        #expect(first.json.path("involvedObject", "uid") == "u")
        #expect(first.json.path("involvedObject", "resourceVersion") == "9")
        #expect(first.json.path("source", "component") == "c")
        #expect(first.json["type"] == "Warning")
        let later = start.adding(seconds: 60)
        let second = recorder.event(
            for: record, component: "c", now: later, suffix: "s2", uid: "2")
        #expect(second.name == "p.s1")
        #expect(second.json["count"] == 2)
        #expect(second.json["firstTimestamp"] == first.json["firstTimestamp"])
        #expect(second.json["lastTimestamp"] == .string(later.rfc3339))
        // Another message, another source, or much later: an event of its own.
        let other = EventRecord(.warning, "Failed", "other", about: pod)
        #expect(
            recorder.event(for: other, component: "c", now: later, suffix: "s3", uid: "3").name
                == "p.s3")
        #expect(
            recorder.event(for: record, component: "d", now: later, suffix: "s4", uid: "4").name
                == "p.s4")
        let much = later.adding(seconds: 1000)
        #expect(
            recorder.event(for: record, component: "c", now: much, suffix: "s5", uid: "5").name
                == "p.s5")
    }

    @Test func memoryIsBounded() {
        var recorder = EventRecorder()
        let now = WallTime(seconds: 1000)
        for index in 0..<10_000 {
            let record = EventRecord(.normal, "R", "\(index)", about: pod)
            _ = recorder.event(
                for: record, component: "c", now: now, suffix: "\(index)", uid: "u")
        }
        // The newest are known still.
        let record = EventRecord(.normal, "R", "9999", about: pod)
        let event = recorder.event(
            for: record, component: "c", now: now, suffix: "new", uid: "u")
        #expect(event.json["count"] == 2)
    }

    @Test func clusterWideObjectsHaveEventsInDefault() {
        let node = Object(kind: .node, json: ["metadata": ["name": "n"]])
        #expect(EventRecord(.normal, "R", "m", about: node).namespace == "default")
    }
}
