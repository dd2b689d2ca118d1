import Documents
import HTTP
import Objects
import Testing

@Suite struct PatchRequestTests {
    private typealias C = TestCluster

    @Test func threeKinds() async throws {
        let cluster = try await TestCluster()
        try await cluster.create(C.deployments, C.deployment("d"))
        let path = C.deployments + "/d"
        let strategic = await cluster.ask(
            "PATCH", path,
            [
                "spec": [
                    "template": ["spec": ["containers": [["name": "c", "image": "i:2"]]]]
                ]
            ], type: "application/strategic-merge-patch+json")
        let containers = strategic.json.path("spec", "template", "spec", "containers")
        #expect(containers?.elements.count == 1)
        #expect(containers?[0]?["image"] == "i:2")
        let merge = await cluster.ask(
            "PATCH", path, ["metadata": ["labels": ["x": "y"]]],
            type: "application/merge-patch+json")
        #expect(merge.json.path("metadata", "labels", "x") == "y")
        let json = await cluster.ask(
            "PATCH", path, [["op": "replace", "path": "/spec/replicas", "value": 5]],
            type: "application/json-patch+json")
        #expect(json.json.path("spec", "replicas") == 5)
        #expect(json.json.path("metadata", "generation") == 3)
    }

    @Test func refusals() async throws {
        let cluster = try await TestCluster()
        try await cluster.create(C.configMaps, C.configMap("a"))
        let path = C.configMaps + "/a"
        let apply = await cluster.ask("PATCH", path, [:], type: "application/apply-patch+yaml")
        #expect(apply.status == 415)
        let test = await cluster.ask(
            "PATCH", path, [["op": "test", "path": "/data", "value": 1]],
            type: "application/json-patch+json")
        #expect(test.status == 422)
        #expect(
            test.json.path("details", "causes")?[0]?["message"]
                == "testing value /data failed: test failed")
        let garbage = await cluster.ask(
            "PATCH", path, bytes: Array("{".utf8), type: "application/merge-patch+json")
        #expect(garbage.status == 400)
        let stale = await cluster.ask(
            "PATCH", path, ["metadata": ["resourceVersion": "1"]],
            type: "application/merge-patch+json")
        #expect(stale.status == 409)
        let renamed = await cluster.ask(
            "PATCH", path, ["metadata": ["name": "b"]], type: "application/merge-patch+json")
        #expect(renamed.status == 400 || renamed.status == 422)
        let missing = await cluster.ask(
            "PATCH", C.configMaps + "/nope", [:], type: "application/merge-patch+json")
        #expect(missing.status == 404)
    }

    @Test func unknownFields() async throws {
        let cluster = try await TestCluster()
        try await cluster.create(C.deployments, C.deployment("d"))
        let patch: JSON = ["spec": ["replicaz": 1]]
        let type = "application/merge-patch+json"
        let path = C.deployments + "/d"
        let warned = await cluster.ask("PATCH", path, patch, type: type)
        #expect(warned.headers.all("warning") == ["299 - \"unknown field \\\"spec.replicaz\\\"\""])
        let ignored = await cluster.ask(
            "PATCH", path + "?fieldValidation=Ignore", patch, type: type)
        #expect(ignored.headers.all("warning").isEmpty)
        let strict = await cluster.ask(
            "PATCH", path + "?fieldValidation=Strict", patch, type: type)
        #expect(strict.status == 400)
        #expect(strict.message.contains("strict decoding error: unknown field \"spec.replicaz\""))
        let odd = await cluster.ask("PATCH", path + "?fieldValidation=Maybe", patch, type: type)
        #expect(odd.status == 422)
    }

    /// Patches without a version retry; none of them is lost.
    @Test func racingPatches() async throws {
        let cluster = try await TestCluster()
        try await cluster.create(C.configMaps, C.configMap("a"))
        await withTaskGroup(of: Int.self) { group in
            for index in 0..<8 {
                group.addTask {
                    await cluster.ask(
                        "PATCH", C.configMaps + "/a", ["data": ["k\(index)": "v"]],
                        type: "application/merge-patch+json"
                    ).status
                }
            }
            for await status in group { #expect(status == 200) }
        }
        let read = await cluster.ask("GET", C.configMaps + "/a")
        #expect(read.json["data"]?.objectValue?.count == 8)
    }
}
