import Documents
import Basics
import Objects
import Testing

@Suite struct RequestBodyTests {
    private func decode(
        _ text: String, _ kind: ResourceKind = .deployment,
        _ validation: FieldValidation = .strict, type: String = "application/json"
    ) throws(APIError) -> (json: JSON, warnings: [String]) {
        try RequestBody.decode(
            contentType: type, Bytes(text.utf8), expected: kind, fieldValidation: validation)
    }

    @Test func strictAndWarn() throws {
        let text =
            #"{"spec":{"foo":1,"replicas":1,"replicas":2,"template":{"spec":"#
            + #"{"containers":[{"name":"a","imag":"x"}]}}}}"#
        let error = #expect(throws: APIError.self) { try decode(text) }
        #expect(
            error?.message
                == "Deployment in version \"v1\" cannot be handled as a Deployment: strict "
                + "decoding error: unknown field \"spec.foo\", unknown field "
                + "\"spec.template.spec.containers[0].imag\", duplicate field \"spec.replicas\"")
        #expect(error?.code == 400)
        let (json, warnings) = try decode(text, .deployment, .warn)
        #expect(warnings.first == "unknown field \"spec.foo\"")
        #expect(warnings.count == 3)
        #expect(json.path("spec", "foo") == nil)
        #expect(json.path("spec", "replicas") == 2)
        #expect(json["kind"] == "Deployment" && json["apiVersion"] == "apps/v1")
        #expect(try decode(text, .deployment, .ignore).warnings.isEmpty)
    }

    @Test(arguments: [
        (
            #"{"spec":{"replicas":"three"}}"#,
            "json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of "
                + "type int32"
        ),
        (
            #"{"spec":{"template":{"spec":{"containers":{}}}}}"#,
            "json: cannot unmarshal object into Go struct field "
                + "PodSpec.spec.template.spec.containers of type []v1.Container"
        ),
        (
            #"{"metadata":{"labels":{"a":1}}}"#,
            "json: cannot unmarshal number into Go struct field ObjectMeta.metadata.labels.a of "
                + "type string"
        ),
        (
            #"{"metadata":{"creationTimestamp":"soon"}}"#,
            "parsing time \"soon\" as \"2006-01-02T15:04:05Z07:00\": cannot parse \"soon\" as "
                + "\"2006\""
        ),
        (
            #"{"spec":{"replicas":4294967296}}"#,
            "json: cannot unmarshal number 4294967296 into Go struct field "
                + "DeploymentSpec.spec.replicas of type int32"
        ),
    ])
    func typeErrors(text: String, reason: String) {
        let error = #expect(throws: APIError.self) { try decode(text) }
        #expect(
            error?.message
                == "Deployment in version \"v1\" cannot be handled as a Deployment: \(reason)")
    }

    @Test func normalises() throws {
        let text = """
            {"metadata":{"name":"p","creationTimestamp":null,"labels":{}},"spec":{
            "hostNetwork":false,"nodeName":"","automountServiceAccountToken":false,
            "containers":[{"name":"c","resources":{"limits":{"cpu":0.5,"memory":"0.5Gi"}}}]},
            "status":{"startTime":"2020-01-01T02:00:00.5+02:00"}}
            """
        let json = try decode(text, .pod).json
        #expect(json["metadata"] == ["name": "p"])
        #expect(json.path("spec", "hostNetwork") == nil)
        #expect(json.path("spec", "nodeName") == nil)
        #expect(json.path("spec", "automountServiceAccountToken") == false)
        let limits = json.path("spec", "containers")?[0]?.path("resources", "limits")
        #expect(limits == ["cpu": "500m", "memory": "512Mi"])
        #expect(json.path("status", "startTime") == "2020-01-01T00:00:00Z")
    }

    @Test(arguments: [
        ("", "application/json", "unexpected end of JSON input (<empty>)"),
        ("{nope", "application/json", "looking for beginning of object key string ({nope)"),
        ("[1]", "application/json", "(5b315d)"),
        ("a: [", "application/yaml", "yaml parse error: yaml: line"),
        ("garbage", "application/vnd.kubernetes.protobuf", "expected prefix [107 56 115 0]"),
        (#"{"kind":"Pod","apiVersion":"v1"}"#, "application/json", "unknown conversion"),
        (#"{"kind":"Deployment","apiVersion":"v1"}"#, "application/json", "(v1) does not match"),
        (#"{"kind":"X","apiVersion":"y/v9"}"#, "application/json", "no kind \"X\" is registered"),
        (#"{"kind":3}"#, "application/json", "cannot unmarshal"),
    ])
    func badBodies(text: String, type: String, part: String) {
        let error = #expect(throws: APIError.self) {
            try decode(text, .deployment, .warn, type: type)
        }
        #expect(error?.code == 400)
        #expect(error?.message.contains(part) == true, "\(error?.message ?? "")")
    }

    @Test func unsupportedType() {
        let error = #expect(throws: APIError.self) {
            try decode("{}", .pod, .warn, type: "text/plain")
        }
        #expect(error?.code == 415)
    }

    @Test func deleteOptions() throws {
        let options = try RequestBody.decodeDeleteOptions(
            contentType: "application/json",
            Bytes(
                #"{"kind":"DeleteOptions","apiVersion":"apps/v1","propagationPolicy":"Orphan","#
                    .utf8) + Bytes(#""gracePeriodSeconds":0,"preconditions":{"uid":"u"}}"#.utf8))
        #expect(options.propagation == .orphan)
        #expect(options.gracePeriodSeconds == 0)
        #expect(options.preconditionUID == "u")
        #expect(try RequestBody.decodeDeleteOptions(contentType: "", []) == DeleteOptions())
        let error = #expect(throws: APIError.self) {
            try RequestBody.decodeDeleteOptions(
                contentType: "application/json", Bytes(#"{"propagationPolicy":"Never"}"#.utf8))
        }
        #expect(error?.code == 422)
    }

    /// Nothing that a client sends may stop the process.
    @Test func randomBytes() throws {
        var random = SeededRandom(seed: 7)
        let types = [
            "application/json", "application/yaml", "application/vnd.kubernetes.protobuf",
        ]
        var seeds: [Bytes] = []
        for name in ["core.v1.Pod", "core.v1.Service", "core.v1.DeleteOptions"] {
            seeds += [try Golden.read(name + ".json"), try Golden.read(name + ".pb")]
        }
        for round in 0..<3000 {
            var bytes = seeds[random.below(seeds.count)]
            if round % 10 == 0 {
                bytes = (0..<random.below(200)).map { _ in UInt8(random.below(256)) }
            }
            if round % 7 == 0 { bytes = Bytes(bytes.prefix(random.below(bytes.count + 1))) }
            for _ in 0..<random.below(8) where !bytes.isEmpty {
                bytes[random.below(bytes.count)] = UInt8(random.below(256))
            }
            let type = types[round % 25 == 0 ? random.below(3) : (bytes.first == 0x7b ? 0 : 2)]
            for kind in [ResourceKind.pod, .service] {
                guard
                    let decoded = try? RequestBody.decode(
                        contentType: type, bytes, expected: kind, fieldValidation: .warn)
                else { continue }
                _ = try? Strategy.prepareCreate(
                    kind, decoded.json, namespace: "namespaceValue", now: WallTime(seconds: 0),
                    uid: "u", nameSuffix: "x")
            }
            _ = try? RequestBody.decodeDeleteOptions(contentType: type, bytes)
            _ = try? StoredValue(bytes)
            _ = ResourceKind.parse(key: bytes)
            _ = Quantity(String(decoding: bytes.prefix(12), as: UTF8.self))
        }
    }
}
