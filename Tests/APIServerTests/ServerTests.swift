import Documents
import Basics
import HTTP
import Objects
import Testing

@Suite struct ServerTests {
    private typealias C = TestCluster

    @Test func whoMayDoWhat() async throws {
        let cluster = try await TestCluster()
        let bob = PeerIdentity(commonName: "bob", organizations: ["devs"])
        let refused = await cluster.ask("GET", C.pods, peer: bob)
        #expect(refused.status == 403)
        #expect(
            refused.message
                == "pods is forbidden: User \"bob\" cannot list resource \"pods\" in API group "
                + "\"\" in the namespace \"default\"")
        let node = PeerIdentity(commonName: "system:node:n1", organizations: ["system:nodes"])
        #expect(await cluster.ask("GET", "/api/v1/nodes", peer: node).status == 403)
        #expect(await cluster.ask("GET", "/api", peer: nil).status == 403)
        for path in ["/healthz", "/livez", "/readyz", "/version", "/readyz/ping"] {
            #expect(await cluster.ask("GET", path, peer: nil).status == 200, "\(path)")
        }
        #expect(await cluster.ask("GET", "/metrics", peer: nil).status == 403)
    }

    @Test func probes() async throws {
        let cluster = try await TestCluster()
        #expect(await cluster.ask("GET", "/readyz").text == "ok")
        #expect(
            await cluster.ask("GET", "/readyz?verbose").text
                == "[+]ping ok\n[+]etcd ok\nreadyz check passed\n")
        #expect(await cluster.ask("GET", "/readyz/nope").status == 404)
        let version = await cluster.ask("GET", "/version").json
        #expect(version["major"] == "1")
        #expect(version["minor"] == "36")
        _ = await cluster.ask("GET", C.pods)
        #expect(
            await cluster.ask("GET", "/metrics").text.contains(
                "apiserver_request_total{code=\"200\",group=\"\",resource=\"pods\","
                    + "subresource=\"\",verb=\"LIST\",version=\"v1\"} 1"))
    }

    @Test func discovery() async throws {
        let cluster = try await TestCluster()
        let list = await cluster.ask("GET", "/apis/apps/v1").json
        let names = list["resources"]?.elements.compactMap { $0["name"]?.stringValue }
        #expect(
            names == [
                "deployments", "deployments/scale", "deployments/status", "replicasets",
                "replicasets/scale", "replicasets/status",
            ])
        #expect(await cluster.ask("GET", "/apis").json["groups"]?.elements.count == 2)
        #expect(await cluster.ask("GET", "/apis/apps").json["name"] == "apps")
        #expect(await cluster.ask("GET", "/apis/none").status == 404)
        let accept =
            "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json"
        let aggregated = await cluster.ask("GET", "/apis", accept: accept)
        #expect(aggregated.json["kind"] == "APIGroupDiscoveryList")
        let etag = try #require(aggregated.headers.first("etag"))
        #expect(!etag.isEmpty)
        let core = await cluster.ask("GET", "/api", accept: accept)
        let resources = core.json["items"]?[0]?["versions"]?[0]?["resources"]?.elements
        let pods = try #require(resources?.first { $0["resource"] == "pods" })
        #expect(pods["scope"] == "Namespaced")
        #expect(
            pods["subresources"]?.elements.compactMap { $0["subresource"]?.stringValue }
                .contains("log") == true)
    }

    @Test func openAPI() async throws {
        let cluster = try await TestCluster()
        let index = await cluster.ask("GET", "/openapi/v3").json
        let url = try #require(
            index.path("paths", "apis/apps/v1", "serverRelativeURL")?.stringValue)
        let document = await cluster.ask("GET", url).json
        let schemas = try #require(document.path("components", "schemas"))
        let deployment = try #require(schemas["io.k8s.api.apps.v1.Deployment"])
        #expect(
            deployment["x-kubernetes-group-version-kind"] == [
                ["group": "apps", "version": "v1", "kind": "Deployment"]
            ])
        let containers = schemas.objectValue?["io.k8s.api.core.v1.PodSpec"]?
            .path("properties", "containers")
        #expect(containers?["x-kubernetes-patch-merge-key"] == "name")
        #expect(containers?["x-kubernetes-patch-strategy"] == "merge")
        // Every reference leads somewhere.
        var missing: [String] = []
        func walk(_ json: JSON) {
            if let target = json["$ref"]?.stringValue {
                let name = String(target.split(separator: "/").last ?? "")
                if schemas[name] == nil { missing.append(name) }
            }
            for member in json.objectValue ?? JSONObject() { walk(member.value) }
            for element in json.elements { walk(element) }
        }
        walk(document)
        #expect(missing.isEmpty)
        let patch = document.path(
            "paths", "/apis/apps/v1/namespaces/{namespace}/deployments/{name}", "patch")
        #expect(
            patch?["parameters"]?.elements.contains { $0["name"] == "fieldValidation" } == true)
        #expect(await cluster.ask("GET", "/openapi/v2").status == 404)
    }

    @Test(arguments: [
        ("PUT", "/api/v1/namespaces/default/configmaps", 405),
        ("POST", "/api/v1/namespaces/default/configmaps/a", 405),
        ("DELETE", "/api/v1/namespaces", 405), ("POST", "/api/v1/configmaps", 405),
        ("GET", "/api/v1/configmaps/a", 404), ("GET", "/api/v1/unicorns", 404),
        ("GET", "/apis/none/v1/things", 404), ("GET", "/nowhere", 404), ("POST", "/version", 404),
        ("GET", "/api/v1/namespaces/default/configmaps/a/status", 404),
        ("POST", "/api/v1/namespaces/default/pods/a/status", 405), ("PUT", "/api", 405),
    ])
    func methodsAndPaths(_ method: String, _ path: String, _ status: Int) async throws {
        let cluster = try await TestCluster()
        let answer = await cluster.ask(method, path, [:])
        #expect(answer.status == status)
        #expect(answer.json["kind"] == "Status")
    }

    @Test func bodies() async throws {
        let cluster = try await TestCluster()
        let path = C.configMaps
        let text = await cluster.ask("POST", path, bytes: Bytes("x".utf8), type: "text/plain")
        #expect(text.status == 415)
        let large = await cluster.ask("POST", path, bytes: Bytes(repeating: 0x20, count: 3_200_000))
        #expect(large.status == 413)
        let stored = await cluster.ask(
            "POST", path,
            C.configMap("a", [:], ["x": .string(String(repeating: "x", count: 1_600_000))]))
        #expect(stored.status == 413 || stored.status == 422)
        let yaml = await cluster.ask(
            "POST", path, bytes: Bytes("metadata: {name: y}\ndata: {a: b}\n".utf8),
            type: "application/yaml")
        #expect(yaml.status == 201)
        let wrong = await cluster.ask("POST", path, ["kind": "Pod", "apiVersion": "v1"])
        #expect(wrong.status == 400)
        let elsewhere = await cluster.ask(
            "POST", path, ["metadata": ["name": "a", "namespace": "other"]])
        #expect(elsewhere.status == 400)
    }
}
