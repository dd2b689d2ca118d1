import Documents
import Basics
import Objects
import Testing

@Suite struct ProtobufTests {
    @Test(arguments: Golden.names) func decodesWhatUpstreamEncodes(name: String) throws {
        let expected = try JSON.parse(try Golden.read(name + ".json"))
        let apiVersion = try #require(expected["apiVersion"]?.stringValue)
        let kind = try #require(expected["kind"]?.stringValue)
        let fromJSON = try RequestBody.decode(
            contentType: "application/json", try Golden.read(name + ".json"),
            apiVersion: apiVersion, kind: kind, fieldValidation: .strict)
        let fromProtobuf = try RequestBody.decode(
            contentType: "application/vnd.kubernetes.protobuf", try Golden.read(name + ".pb"),
            apiVersion: apiVersion, kind: kind, fieldValidation: .strict)
        #expect(difference(fromJSON.json, expected) == "")
        #expect(difference(fromProtobuf.json, expected) == "")
    }

    /// The first place where two documents differ.
    private func difference(_ left: JSON, _ right: JSON, _ path: String = "$") -> String {
        if left == right { return "" }
        if let a = left.objectValue, let b = right.objectValue {
            for key in a.keys + b.keys where a[key] != b[key] {
                guard let first = a[key], let second = b[key] else {
                    return "\(path).\(key): \(a[key] as Any) and \(b[key] as Any)"
                }
                return difference(first, second, "\(path).\(key)")
            }
        }
        if let a = left.arrayValue, let b = right.arrayValue, a.count == b.count {
            for index in a.indices where a[index] != b[index] {
                return difference(a[index], b[index], "\(path)[\(index)]")
            }
        }
        return "\(path): \(left) and \(right)"
    }
}

/// Bodies that kubectl 1.37.1 sent for `kubectl create …`.
@Suite struct KubectlBodyTests {
    private func create(_ kind: ResourceKind) throws -> JSON {
        let decoded = try RequestBody.decode(
            contentType: "application/vnd.kubernetes.protobuf",
            try Golden.read("kubectl-create-\(kind.plural).pb"), expected: kind,
            fieldValidation: .strict)
        return try Strategy.prepareCreate(
            kind, decoded.json, namespace: kind.isNamespaced ? "default" : "",
            now: WallTime(seconds: 0), uid: "u", nameSuffix: "bcdfg")
    }

    private func metadata(_ name: String) -> JSON {
        [
            "name": .string(name), "namespace": "default", "uid": "u",
            "creationTimestamp": "1970-01-01T00:00:00Z",
        ]
    }

    @Test func configuration() throws {
        #expect(
            try create(.configMap) == [
                "kind": "ConfigMap", "apiVersion": "v1", "metadata": metadata("x"),
                "data": ["a": "b"],
            ])
        #expect(
            try create(.secret) == [
                "kind": "Secret", "apiVersion": "v1", "metadata": metadata("s1"),
                "data": ["p": "cQ=="], "type": "Opaque",
            ])
        #expect(
            try create(.serviceAccount) == [
                "kind": "ServiceAccount", "apiVersion": "v1", "metadata": metadata("sa1"),
            ])
        #expect(
            try create(.namespace).path("metadata", "labels")
                == ["kubernetes.io/metadata.name": "n1"])
    }

    @Test func workloads() throws {
        let service = try create(.service)
        #expect(service.path("spec", "selector") == ["app": "svc1"])
        #expect(
            service.path("spec", "ports") == [
                ["name": "80-8080", "protocol": "TCP", "port": 80, "targetPort": 8080]
            ])
        let deployment = try create(.deployment)
        #expect(deployment.path("spec", "replicas") == 2)
        #expect(deployment.path("spec", "template", "metadata") == ["labels": ["app": "web"]])
        let containers = deployment.path("spec", "template", "spec", "containers")
        #expect(
            containers == [
                [
                    "name": "nginx", "image": "nginx", "command": ["sleep", "5"],
                    "ports": [["containerPort": 80, "protocol": "TCP"]], "resources": [:],
                    "terminationMessagePath": "/dev/termination-log",
                    "terminationMessagePolicy": "File", "imagePullPolicy": "Always",
                ]
            ])
    }
}
