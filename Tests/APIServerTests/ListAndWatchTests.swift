import Documents
import Basics
import Objects
import Store
import TestSupport
import Testing

@Suite struct ListTests {
    private typealias C = TestCluster

    private func names(_ json: JSON) -> [String] {
        (json["items"]?.elements ?? []).compactMap { $0.path("metadata", "name")?.stringValue }
    }

    @Test func pagesArePinned() async throws {
        let cluster = try await TestCluster()
        for index in 0..<5 { try await cluster.create(C.configMaps, C.configMap("c\(index)")) }
        let first = await cluster.ask("GET", "/api/v1/configmaps?limit=2")
        #expect(names(first.json) == ["c0", "c1"])
        #expect(first.json.path("metadata", "remainingItemCount") == 3)
        let token = try #require(first.json.path("metadata", "continue")?.stringValue)
        _ = await cluster.ask("DELETE", C.configMaps + "/c2")
        try await cluster.create(C.configMaps, C.configMap("c9"))
        let second = await cluster.ask("GET", "/api/v1/configmaps?limit=2&continue=\(token)")
        #expect(names(second.json) == ["c2", "c3"])
        let rest = try #require(second.json.path("metadata", "continue")?.stringValue)
        let third = await cluster.ask("GET", "/api/v1/configmaps?limit=2&continue=\(rest)")
        #expect(names(third.json) == ["c4"])
        #expect(third.json.path("metadata", "continue") == nil)
        #expect(
            first.json.path("metadata", "resourceVersion")
                == third.json.path("metadata", "resourceVersion"))
        _ = try await cluster.store.compact(to: cluster.store.revision)
        let expired = await cluster.ask("GET", "/api/v1/configmaps?limit=2&continue=\(token)")
        #expect(expired.status == 410)
        #expect(expired.json["reason"] == "Expired")
    }

    @Test func selectorsAcrossPages() async throws {
        let cluster = try await TestCluster()
        for index in 0..<6 {
            try await cluster.create(
                C.configMaps, C.configMap("c\(index)", ["m": index % 3 == 0 ? "y" : "n"]))
        }
        let page = await cluster.ask("GET", C.configMaps + "?labelSelector=m%3Dy&limit=1")
        #expect(names(page.json) == ["c0"])
        #expect(page.json.path("metadata", "remainingItemCount") == nil)
        let token = try #require(page.json.path("metadata", "continue")?.stringValue)
        let next = await cluster.ask(
            "GET", C.configMaps + "?labelSelector=m%3Dy&limit=1&continue=\(token)")
        #expect(names(next.json) == ["c3"])
        let one = await cluster.ask("GET", C.configMaps + "?fieldSelector=metadata.name%3Dc4")
        #expect(names(one.json) == ["c4"])
        let bad = await cluster.ask("GET", C.configMaps + "?labelSelector=a%20in%20b")
        #expect(bad.status == 400)
    }

    @Test func versions() async throws {
        let cluster = try await TestCluster()
        let made = try await cluster.create(C.configMaps, C.configMap("a"))
        let version = made.path("metadata", "resourceVersion")?.stringValue ?? ""
        try await cluster.create(C.configMaps, C.configMap("b"))
        let exact = await cluster.ask(
            "GET", C.configMaps + "?resourceVersion=\(version)&resourceVersionMatch=Exact")
        #expect(names(exact.json) == ["a"])
        let atLeast = await cluster.ask("GET", C.configMaps + "?resourceVersion=\(version)")
        #expect(names(atLeast.json) == ["a", "b"])
        let future = await cluster.ask("GET", C.configMaps + "?resourceVersion=99999")
        #expect(future.status == 504)
        #expect(
            future.message
                == "Timeout: Too large resource version: 99999, current: \(cluster.store.revision)")
        for query in [
            "resourceVersionMatch=Exact", "resourceVersion=0&resourceVersionMatch=Exact",
            "sendInitialEvents=true", "resourceVersion=1&resourceVersionMatch=Near",
        ] {
            #expect(await cluster.ask("GET", C.configMaps + "?" + query).status == 422, "\(query)")
        }
        for query in ["resourceVersion=x", "resourceVersion=-1", "limit=x", "continue=x"] {
            #expect(await cluster.ask("GET", C.configMaps + "?" + query).status == 400, "\(query)")
        }
    }

    @Test func tables() async throws {
        let cluster = try await TestCluster()
        try await cluster.create(C.configMaps, C.configMap("a", [:], ["x": "1"]))
        let accept = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"
        let table = await cluster.ask("GET", C.configMaps, accept: accept).json
        #expect(table["kind"] == "Table")
        #expect(
            table["columnDefinitions"]?.elements.compactMap { $0["name"]?.stringValue }
                == ["Name", "Data", "Age"])
        let row = try #require(table["rows"]?[0])
        #expect(row["cells"]?[0] == "a")
        #expect(row["cells"]?[1] == 1)
        #expect(row.path("object", "kind") == "PartialObjectMetadata")
        let full = await cluster.ask(
            "GET", C.configMaps + "/a?includeObject=Object", accept: accept)
        #expect(full.json["rows"]?[0]?.path("object", "data", "x") == "1")
        let none = await cluster.ask("GET", C.configMaps + "?includeObject=None", accept: accept)
        #expect(none.json["rows"]?[0]?["object"] == .null)
        let unknown = await cluster.ask("GET", C.configMaps, accept: "text/html")
        #expect(unknown.status == 406)
    }
}

@Suite struct WatchTests {
    private typealias C = TestCluster

    private func shapes(_ events: [JSON]) -> [String] {
        events.map { event in
            (event["type"]?.stringValue ?? "") + " "
                + (event.path("object", "metadata", "name")?.stringValue ?? "")
        }
    }

    @Test func initialStateThenChanges() async throws {
        let cluster = try await TestCluster()
        try await cluster.create(C.configMaps, C.configMap("a"))
        let watch = cluster.begin("GET", C.configMaps + "?watch=true")
        #expect(shapes(await watch.events(1)) == ["ADDED a"])
        try await cluster.create(C.configMaps, C.configMap("b"))
        _ = await cluster.ask(
            "PATCH", C.configMaps + "/b", ["data": ["x": "y"]],
            type: "application/merge-patch+json")
        _ = await cluster.ask("DELETE", C.configMaps + "/b")
        let events = await watch.events(4)
        #expect(shapes(events) == ["ADDED a", "ADDED b", "MODIFIED b", "DELETED b"])
        let versions = events.compactMap {
            $0.path("object", "metadata", "resourceVersion")?.stringValue.flatMap { Int64($0) }
        }
        #expect(versions == versions.sorted())
        #expect(Set(versions).count == 4)
        #expect(events[3].path("object", "data", "x") == "y")
        watch.stop()
    }

    @Test func objectsEnterAndLeaveTheSelection() async throws {
        let cluster = try await TestCluster()
        try await cluster.create(C.configMaps, C.configMap("a", ["m": "n"]))
        let start = cluster.store.revision
        let watch = cluster.begin(
            "GET", C.configMaps + "?watch=1&labelSelector=m%3Dy&resourceVersion=\(start)")
        for value in ["y", "y", "n"] {
            _ = await cluster.ask(
                "PATCH", C.configMaps + "/a",
                ["metadata": ["labels": ["m": .string(value)]], "data": ["x": .string(value)]],
                type: "application/merge-patch+json")
            _ = await cluster.ask(
                "PATCH", C.configMaps + "/a", ["data": ["z": .string(value)]],
                type: "application/merge-patch+json")
        }
        let events = await watch.events(3)
        #expect(shapes(events) == ["ADDED a", "MODIFIED a", "DELETED a"])
        // What leaves is shown as it last was, at the revision at which it left.
        #expect(events[2].path("object", "metadata", "labels", "m") == "y")
        watch.stop()
    }

    @Test func goneRevisions() async throws {
        let cluster = try await TestCluster()
        for index in 0..<3 { try await cluster.create(C.configMaps, C.configMap("c\(index)")) }
        _ = try await cluster.store.compact(to: cluster.store.revision)
        let watch = cluster.begin("GET", C.configMaps + "?watch=1&resourceVersion=2")
        let event = try #require(await watch.events(1).first)
        #expect(event["type"] == "ERROR")
        #expect(event.path("object", "code") == 410)
        #expect(event.path("object", "reason") == "Expired")
        #expect(await watch.answer().status == 200)
    }

    @Test func timeoutsAndBookmarks() async throws {
        let cluster = try await TestCluster()
        try await cluster.create(C.configMaps, C.configMap("a"))
        let watch = cluster.begin(
            "GET",
            C.configMaps + "?watch=1&timeoutSeconds=1&allowWatchBookmarks=true"
                + "&sendInitialEvents=true&resourceVersionMatch=NotOlderThan")
        let answer = await watch.answer()
        let events = answer.body.split(separator: 0x0a).compactMap { try? JSON.parse(Bytes($0)) }
        #expect(events.count == 3)
        #expect(events[0]["type"] == "ADDED")
        #expect(events[1]["type"] == "BOOKMARK")
        #expect(
            events[1].path("object", "metadata", "annotations", "k8s.io/initial-events-end")
                == "true")
        #expect(events[2]["type"] == "BOOKMARK")
        let refused = await cluster.ask("GET", C.configMaps + "?watch=1&sendInitialEvents=true")
        #expect(refused.status == 422)
    }

    @Test func tables() async throws {
        let cluster = try await TestCluster()
        try await cluster.create(C.configMaps, C.configMap("a"))
        try await cluster.create(C.configMaps, C.configMap("b"))
        let watch = cluster.begin(
            "GET", C.configMaps + "?watch=1",
            accept: "application/json;as=Table;v=v1;g=meta.k8s.io")
        let events = await watch.events(2)
        #expect(events[0].path("object", "columnDefinitions")?.elements.count == 3)
        #expect(events[1].path("object", "columnDefinitions") == .null)
        #expect(events[1].path("object", "rows")?[0]?["cells"]?[0] == "b")
        watch.stop()
    }
}
