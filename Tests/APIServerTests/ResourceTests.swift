import Documents
import APIServer
import Basics
import Keyspace
import Objects
import Store
import TestSupport
import Testing

@Suite struct ResourceTests {
    private typealias C = TestCluster

    @Test func bootstrapObjects() async throws {
        let cluster = try await TestCluster()
        try await cluster.server.bootstrap()
        let list = await cluster.ask("GET", "/api/v1/namespaces")
        #expect(
            list.json["items"]?.elements.compactMap { $0.path("metadata", "name")?.stringValue }
                == ["default", "kube-node-lease", "kube-public", "kube-system"])
        let service = await cluster.ask("GET", "/api/v1/namespaces/default/services/kubernetes")
        #expect(service.json.path("spec", "clusterIP") == "10.96.0.1")
    }

    @Test func lifeOfAnObject() async throws {
        let cluster = try await TestCluster()
        let made = try await cluster.create(C.configMaps, C.configMap("a", [:], ["x": "1"]))
        let version = try #require(made.path("metadata", "resourceVersion")?.stringValue)
        #expect(made.path("metadata", "uid")?.stringValue?.count == 36)
        let again = await cluster.ask("POST", C.configMaps, C.configMap("a"))
        #expect(again.status == 409)
        #expect(again.message == "configmaps \"a\" already exists")
        let read = await cluster.ask("GET", C.configMaps + "/a")
        #expect(read.json == made)

        var changed = made
        changed["data"] = ["x": "2"]
        let updated = await cluster.ask("PUT", C.configMaps + "/a", changed)
        #expect(updated.status == 200)
        #expect(updated.json.path("metadata", "resourceVersion")?.stringValue != version)
        let stale = await cluster.ask("PUT", C.configMaps + "/a", changed)
        #expect(stale.status == 409)
        #expect(
            stale.message
                == "Operation cannot be fulfilled on configmaps \"a\": the object has been "
                + "modified; please apply your changes to the latest version and try again")
        // An update that changes nothing writes nothing.
        let same = await cluster.ask("PUT", C.configMaps + "/a", updated.json)
        #expect(same.json == updated.json)

        let deleted = await cluster.ask("DELETE", C.configMaps + "/a")
        #expect(deleted.json["status"] == "Success")
        #expect(deleted.json.path("details", "uid") == made.path("metadata", "uid"))
        let gone = await cluster.ask("GET", C.configMaps + "/a")
        #expect(gone.status == 404)
        #expect(gone.message == "configmaps \"a\" not found")
    }

    @Test func generatedNames() async throws {
        let cluster = try await TestCluster()
        let made = try await cluster.create(
            C.configMaps, ["metadata": ["generateName": "g-"]])
        let name = try #require(made.path("metadata", "name")?.stringValue)
        #expect(name.hasPrefix("g-"))
        #expect(name.count == 7)
    }

    @Test func namespaces() async throws {
        let cluster = try await TestCluster()
        let path = "/api/v1/namespaces/foo/configmaps"
        let missing = await cluster.ask("POST", path, C.configMap("a"))
        #expect(missing.status == 404)
        #expect(missing.message == "namespaces \"foo\" not found")
        try await cluster.create("/api/v1/namespaces", ["metadata": ["name": "foo"]])
        try await cluster.create(path, C.configMap("a"))
        let deleted = await cluster.ask("DELETE", "/api/v1/namespaces/foo")
        #expect(deleted.json.path("status", "phase") == "Terminating")
        let refused = await cluster.ask("POST", path, C.configMap("b"))
        #expect(refused.status == 403)
        #expect(refused.message.contains("because it is being terminated"))
        let finalized = await cluster.ask(
            "PUT", "/api/v1/namespaces/foo/finalize",
            ["metadata": ["name": "foo"], "spec": ["finalizers": []]])
        #expect(finalized.status == 200)
        #expect(await cluster.ask("GET", "/api/v1/namespaces/foo").status == 404)
        let kept = await cluster.ask("DELETE", "/api/v1/namespaces/default")
        #expect(kept.status == 403)
    }

    @Test func finalizersHoldTheObject() async throws {
        let cluster = try await TestCluster()
        var json = C.configMap("a")
        json.set(["example.com/x"], at: "metadata", "finalizers")
        try await cluster.create(C.configMaps, json)
        let deleted = await cluster.ask("DELETE", C.configMaps + "/a")
        #expect(deleted.status == 200)
        #expect(deleted.json.path("metadata", "deletionTimestamp") != nil)
        let patched = await cluster.ask(
            "PATCH", C.configMaps + "/a", ["metadata": ["finalizers": .null]],
            type: "application/merge-patch+json")
        #expect(patched.status == 200)
        #expect(await cluster.ask("GET", C.configMaps + "/a").status == 404)
    }

    @Test func preconditionsAndPropagation() async throws {
        let cluster = try await TestCluster()
        try await cluster.create(C.deployments, C.deployment("d"))
        let other = await cluster.ask(
            "DELETE", C.deployments + "/d", ["preconditions": ["uid": "x"]])
        #expect(other.status == 409)
        let odd = await cluster.ask("DELETE", C.deployments + "/d?propagationPolicy=Sideways")
        #expect(odd.status == 422)
        let orphan = await cluster.ask(
            "DELETE", C.deployments + "/d", ["propagationPolicy": "Orphan"])
        #expect(orphan.json.path("metadata", "finalizers") == ["orphan"])
    }

    @Test func dryRunWritesNothing() async throws {
        let cluster = try await TestCluster()
        let before = cluster.store.revision
        let made = await cluster.ask("POST", C.configMaps + "?dryRun=All", C.configMap("a"))
        #expect(made.status == 201)
        #expect(made.json.path("metadata", "resourceVersion") == nil)
        #expect(cluster.store.revision == before)
        try await cluster.create(C.configMaps, C.configMap("a"))
        let after = cluster.store.revision
        for method in ["DELETE", "PATCH"] {
            let answer = await cluster.ask(
                method, C.configMaps + "/a?dryRun=All",
                method == "PATCH" ? ["data": ["x": "y"]] : nil,
                type: "application/merge-patch+json")
            #expect(answer.status == 200)
        }
        #expect(cluster.store.revision == after)
        let odd = await cluster.ask("POST", C.configMaps + "?dryRun=Some", C.configMap("b"))
        #expect(odd.status == 422)
    }

    @Test func collections() async throws {
        let cluster = try await TestCluster()
        for index in 0..<5 {
            try await cluster.create(
                C.configMaps, C.configMap("c\(index)", ["odd": index % 2 == 1 ? "y" : "n"]))
        }
        let deleted = await cluster.ask("DELETE", C.configMaps + "?labelSelector=odd%3Dy")
        #expect(deleted.json["items"]?.elements.count == 2)
        let left = await cluster.ask("GET", C.configMaps)
        #expect(left.json["items"]?.elements.count == 3)
    }

    @Test func scale() async throws {
        let cluster = try await TestCluster()
        try await cluster.create(C.deployments, C.deployment("d"))
        let read = await cluster.ask("GET", C.deployments + "/d/scale")
        #expect(read.json.path("spec", "replicas") == 2)
        #expect(read.json.path("status", "selector") == "app=d")
        let patched = await cluster.ask(
            "PATCH", C.deployments + "/d/scale", ["spec": ["replicas": 7]],
            type: "application/merge-patch+json")
        #expect(patched.json.path("spec", "replicas") == 7)
        var scale = patched.json
        scale.set(-1, at: "spec", "replicas")
        #expect(await cluster.ask("PUT", C.deployments + "/d/scale", scale).status == 422)
        let deployment = await cluster.ask("GET", C.deployments + "/d")
        #expect(deployment.json.path("spec", "replicas") == 7)
        #expect(deployment.json.path("metadata", "generation") == 2)
    }

    @Test func statusAndSpecAreApart() async throws {
        let cluster = try await TestCluster()
        try await cluster.create(C.deployments, C.deployment("d"))
        let status = await cluster.ask(
            "PATCH", C.deployments + "/d/status",
            ["spec": ["replicas": 9], "status": ["replicas": 1]],
            type: "application/merge-patch+json")
        #expect(status.json.path("spec", "replicas") == 2)
        #expect(status.json.path("status", "replicas") == 1)
        let spec = await cluster.ask(
            "PATCH", C.deployments + "/d",
            ["spec": ["replicas": 9], "status": ["replicas": 5]],
            type: "application/merge-patch+json")
        #expect(spec.json.path("spec", "replicas") == 9)
        #expect(spec.json.path("status", "replicas") == 1)
    }

    @Test func binding() async throws {
        let cluster = try await TestCluster()
        try await cluster.create(C.pods, C.pod("p"))
        let binding: JSON = [
            "metadata": ["name": "p"], "target": ["kind": "Node", "name": "n1"],
        ]
        #expect(await cluster.ask("POST", C.pods + "/p/binding", binding).status == 201)
        let pod = await cluster.ask("GET", C.pods + "/p")
        #expect(pod.json.path("spec", "nodeName") == "n1")
        let again = await cluster.ask("POST", C.pods + "/p/binding", binding)
        #expect(again.status == 409)
        #expect(again.message.contains("pod p is already assigned to node \"n1\""))
        // A bound pod waits for its node.
        let deleted = await cluster.ask("DELETE", C.pods + "/p")
        #expect(deleted.json.path("metadata", "deletionGracePeriodSeconds") == 30)
        let forced = await cluster.ask("DELETE", C.pods + "/p?gracePeriodSeconds=0")
        #expect(forced.status == 200)
        #expect(await cluster.ask("GET", C.pods + "/p").status == 404)
    }

    @Test func logWithoutAgent() async throws {
        let cluster = try await TestCluster()
        try await cluster.create(C.pods, C.pod("p"))
        let unbound = await cluster.ask("GET", C.pods + "/p/log")
        #expect(unbound.status == 200)
        #expect(unbound.body.isEmpty)
        let odd = await cluster.ask("GET", C.pods + "/p/log?container=x")
        #expect(odd.message == "container x is not valid for pod p")
        _ = await cluster.ask(
            "POST", C.pods + "/p/binding", ["target": ["kind": "Node", "name": "n1"]])
        #expect(await cluster.ask("GET", C.pods + "/p/log").status == 503)
    }

    @Test func serviceAddresses() async throws {
        let cluster = try await TestCluster()
        let path = "/api/v1/namespaces/default/services"
        let spec: JSON = ["ports": [["port": 80]], "type": "NodePort"]
        var addresses: [String] = []
        for index in 0..<5 {
            let made = try await cluster.create(
                path, ["metadata": ["name": .string("s\(index)")], "spec": spec])
            addresses.append(made.path("spec", "clusterIP")?.stringValue ?? "")
            let port = made.path("spec", "ports")?[0]?["nodePort"]?.intValue ?? 0
            #expect((30_000...32_767).contains(port))
        }
        #expect(Set(addresses).count == 5)
        #expect(addresses.allSatisfy { $0.hasPrefix("10.96.") })
        let taken = await cluster.ask(
            "POST", path,
            [
                "metadata": ["name": "t"],
                "spec": ["ports": [["port": 80]], "clusterIP": .string(addresses[0])],
            ])
        #expect(taken.status == 422)
        #expect(taken.message.contains("provided IP is already allocated"))
    }

    @Test func leasesAreMadeByPut() async throws {
        let cluster = try await TestCluster()
        let path = "/apis/coordination.k8s.io/v1/namespaces/default/leases/l"
        let lease: JSON = ["metadata": ["name": "l"], "spec": ["holderIdentity": "h"]]
        #expect(await cluster.ask("PUT", path, lease).status == 201)
        #expect(await cluster.ask("PUT", path, lease).status == 422)
    }

    @Test func foreignValuesAreAnError() async throws {
        let cluster = try await TestCluster()
        _ = try await cluster.store.transaction(
            TransactionRequest(success: [
                .put(
                    PutRequest(
                        key: Bytes("/registry/configmaps/default/x".utf8),
                        value: Bytes("not an object".utf8)))
            ]))
        let read = await cluster.ask("GET", C.configMaps + "/x")
        #expect(read.status == 500)
        #expect(read.message.contains("/registry/configmaps/default/x"))
        #expect(await cluster.ask("GET", C.configMaps).status == 500)
    }
}
