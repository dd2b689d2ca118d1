import Documents
import Basics
import Controllers
import Informers
import Objects
import Testing

struct NamespaceTests {
    private func cluster() -> TestCluster {
        TestCluster(
            [
                SystemNamespaces(), NamespaceController(), NamespaceObjects.serviceAccounts,
                NamespaceObjects.rootCertificates("certificate"), GarbageCollector(),
                PodCollector(),
            ], namespaces: ["default", "team"])
    }

    private func configMap(_ name: String, finalizers: JSON = []) -> JSON {
        ["metadata": ["name": .string(name), "finalizers": finalizers]]
    }

    @Test func theSystemsNamespacesComeAndComeBack() throws {
        var cluster = cluster()
        cluster.settle()
        for name in ["default", "kube-system", "kube-public", "kube-node-lease"] {
            #expect(cluster.get(.namespace, name) != nil)
            #expect(cluster.get(.serviceAccount, "default", in: name) != nil)
        }
    }

    @Test func everyNamespaceHasItsObjects() throws {
        var cluster = cluster()
        cluster.settle()
        cluster.delete(.serviceAccount, "default", in: "team")
        cluster.update(.configMap, "kube-root-ca.crt", in: "team") {
            $0.set("changed", at: "data", "ca.crt")
            $0.set("kept", at: "metadata", "labels", "mine")
        }
        cluster.settle()
        #expect(cluster.get(.serviceAccount, "default", in: "team") != nil)
        let map = try #require(cluster.get(.configMap, "kube-root-ca.crt", in: "team"))
        #expect(map.json.path("data", "ca.crt") == "certificate")
        #expect(map.label("mine") == "kept")
    }

    @Test func anEmptyNamespaceGoesAtOnce() throws {
        var cluster = cluster()
        cluster.settle()
        cluster.create(.secret, ["metadata": ["name": "s"]], in: "team")
        cluster.delete(.namespace, "team", in: "", nil)
        #expect(cluster.get(.namespace, "team")?.status["phase"] == "Terminating")
        cluster.settle()
        #expect(cluster.get(.namespace, "team") == nil)
        #expect(cluster.all(.secret, in: "team").isEmpty)
        #expect(cluster.all(.configMap, in: "team").isEmpty)
        #expect(cluster.all(.serviceAccount, in: "team").isEmpty)
    }

    @Test func podsGoBeforeWhatTheyUse() throws {
        var cluster = cluster()
        cluster.settle()
        cluster.create(.configMap, configMap("used"), in: "team")
        cluster.create(.pod, Samples.pod("p"), in: "team")
        cluster.runKubelet(in: "team")
        cluster.create(
            .node, ["metadata": ["name": "node-1"]], in: "")
        cluster.delete(.namespace, "team", in: "", nil)
        cluster.settle()
        #expect(cluster.get(.pod, "p", in: "team")?.isBeingDeleted == true)
        #expect(cluster.get(.configMap, "used", in: "team") != nil)
        let status = try #require(cluster.get(.namespace, "team")).status
        let remaining = status["conditions"]?.elements.first {
            $0["type"] == "NamespaceContentRemaining"
        }
        #expect(remaining?["status"] == "True")
        #expect(
            remaining?["message"]
                == "Some resources are remaining: pods. has 1 resource instances")
        cluster.runKubelet(in: "team")
        cluster.settle()
        #expect(cluster.get(.namespace, "team") == nil)
        #expect(cluster.get(.configMap, "used", in: "team") == nil)
    }

    @Test func finalizersHoldTheNamespace() throws {
        var cluster = cluster()
        cluster.settle()
        cluster.create(
            .configMap, configMap("held", finalizers: ["example.com/hold"]), in: "team")
        cluster.delete(.namespace, "team", in: "", nil)
        cluster.settle()
        let status = try #require(cluster.get(.namespace, "team")).status
        let condition = status["conditions"]?.elements.first {
            $0["type"] == "NamespaceFinalizersRemaining"
        }
        #expect(
            condition?["message"]
                == .string(
                    "Some content in the namespace has finalizers remaining: "
                        + "example.com/hold in 1 resource instances")
        )
        cluster.update(.configMap, "held", in: "team") {
            $0.set(nil, at: "metadata", "finalizers")
        }
        cluster.settle()
        #expect(cluster.get(.namespace, "team") == nil)
    }
}
