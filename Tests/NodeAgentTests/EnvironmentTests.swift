import Documents
import Basics
import NodeAgent
import Objects
import Testing

@Suite struct EnvironmentTests {
    @Test(arguments: [
        ("plain", "plain"), ("$(A)", "1"), ("x$(A)y$(B)", "x1y2"), ("$$(A)", "$(A)"),
        ("$(MISSING)", "$(MISSING)"), ("$A", "$A"), ("$", "$"), ("$(A", "$(A"), ("$$$(A)", "$1"),
        ("$()", "$()"),
    ])
    func expands(text: String, expected: String) {
        let values = ["A": "1", "B": "2"]
        #expect(Expansion.expand(text) { values[$0] } == expected)
    }

    private var sources: ConfigSources {
        ConfigSources([
            .init(.configMap, "m"): Object(
                kind: .configMap, json: ["data": ["k": "v", "a": "b"]]),
            .init(.secret, "s"): Object(kind: .secret, json: ["data": ["p": "aGVsbG8="]]),
        ])
    }

    private func variables(_ container: JSON) throws -> [String] {
        let facts = PodBuilder.facts(PodBuilder.pod("p"))
        let environment = try ContainerEnvironment(
            container: container, facts: facts, sources: sources)
        return environment.variables.map { "\($0.name)=\($0.value)" }
    }

    @Test func takesEverySource() throws {
        let found = try variables([
            "envFrom": [["prefix": "M_", "configMapRef": ["name": "m"]]],
            "env": [
                ["name": "IP", "valueFrom": ["fieldRef": ["fieldPath": "status.podIP"]]],
                ["name": "URL", "value": "http://$(IP):80/$(M_k)"],
                ["name": "PASS", "valueFrom": ["secretKeyRef": ["name": "s", "key": "p"]]],
                ["name": "K", "valueFrom": ["configMapKeyRef": ["name": "m", "key": "k"]]],
                [
                    "name": "APP",
                    "valueFrom": ["fieldRef": ["fieldPath": "metadata.labels['app']"]],
                ],
                ["name": "CPU", "valueFrom": ["resourceFieldRef": ["resource": "limits.cpu"]]],
                [
                    "name": "NONE",
                    "valueFrom": [
                        "configMapKeyRef": ["name": "x", "key": "k", "optional": true]
                    ],
                ],
            ],
            "resources": ["limits": ["cpu": "1500m"]],
        ])
        #expect(
            found == [
                "M_a=b", "M_k=v", "IP=10.64.1.2", "URL=http://10.64.1.2:80/v", "PASS=hello", "K=v",
                "APP=web", "CPU=2",
            ])
    }

    @Test func missingSourcesAreNamed() {
        let map: JSON = [
            "env": [["name": "K", "valueFrom": ["configMapKeyRef": ["name": "x", "key": "k"]]]]
        ]
        #expect(message(map) == "configmap \"x\" not found")
        let key: JSON = [
            "env": [["name": "K", "valueFrom": ["secretKeyRef": ["name": "s", "key": "q"]]]]
        ]
        #expect(message(key) == "couldn't find key q in Secret default/s")
    }

    private func message(_ container: JSON) -> String? {
        do {
            _ = try variables(container)
            return nil
        } catch {
            return (error as? RuntimeError)?.message
        }
    }

    @Test func downwardFilesQuoteAsGoDoes() throws {
        let volume: JSON = [
            "name": "v",
            "downwardAPI": [
                "items": [
                    ["path": "notes", "fieldRef": ["fieldPath": "metadata.annotations"]]
                ]
            ],
        ]
        let files = try #require(
            try VolumeFiles.make(
                volume, facts: PodBuilder.facts(PodBuilder.pod("p")), sources: sources))
        #expect(String(decoding: files[0].content, as: UTF8.self) == "a=\"say \\\"x\\\"\"\nb=\"2\"")
    }

    @Test func pathsStayInTheVolume() {
        #expect(throws: RuntimeError.self) { try VolumeFiles.checked("../x") }
        #expect(throws: RuntimeError.self) { try VolumeFiles.checked("/etc") }
        #expect((try? VolumeFiles.checked("a/b")) == "a/b")
    }
}
