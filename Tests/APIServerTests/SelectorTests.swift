import Documents
import Objects
import Testing

@Suite struct LabelSelectorTests {
    private static let labels = ["app": "web", "tier": "front", "n": "5"]

    @Test(arguments: [
        ("", true), ("app=web", true), ("app==web", true), ("app!=web", false),
        ("other!=x", true), ("app", true), ("!app", false), ("!other", true),
        ("app in (web, db),tier", true), ("app in (db)", false), ("app notin (db)", true),
        ("other notin (x)", true), ("n>4", true), ("n<5", false), ("app=", false),
        ("app=web,tier=back", false), (" app = web ", true), ("in in (in)", false),
    ])
    func matching(_ text: String, _ expected: Bool) throws {
        let selector = try LabelSelector(parsing: text)
        #expect(selector.matches { Self.labels[$0] } == expected)
    }

    @Test(arguments: [
        ("app in web", "unable to parse requirement: found 'web' expected: '('"),
        ("app in (web", "unable to parse requirement: found '', expected: ',' or ')'"),
        ("=x", "found '=', expected: !, identifier, or 'end of string'"),
        ("a,", "found '', expected: identifier after ','"),
        ("a b", "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"),
        (
            "n>x",
            "unable to parse requirement: values[0]: Invalid value: \"x\": for 'Gt', 'Lt' "
                + "operators, the value must be an integer"
        ),
    ])
    func refusals(_ text: String, _ message: String) {
        do {
            _ = try LabelSelector(parsing: text)
            Issue.record("parsed \(text)")
        } catch {
            #expect(error.message == message)
        }
    }

    @Test func badKeysAndValues() {
        for text in ["-a=b", "a=b/c", "a/b/c", "/a", "A_/x=1", "a=-"] {
            #expect(throws: SelectorError.self) { try LabelSelector(parsing: text) }
        }
    }

    @Test func objects() throws {
        let selector = try LabelSelector(
            object: [
                "matchLabels": ["app": "web"],
                "matchExpressions": [
                    ["key": "tier", "operator": "In", "values": ["front", "back"]],
                    ["key": "x", "operator": "DoesNotExist"],
                ],
            ])
        #expect(selector.matches { Self.labels[$0] })
        #expect(selector.description == "app=web,tier in (back,front),!x")
        #expect(try !LabelSelector(object: nil).matches { Self.labels[$0] })
        #expect(try LabelSelector(object: [:]).matches { Self.labels[$0] })
        #expect(throws: SelectorError.self) {
            try LabelSelector(object: ["matchExpressions": [["key": "a", "operator": "Near"]]])
        }
    }
}

@Suite struct FieldSelectorTests {
    private static let pod: JSON = [
        "metadata": ["name": "p", "namespace": "ns"], "spec": ["nodeName": "n1"],
        "status": ["phase": "Running", "podIPs": [["ip": "10.0.0.1"]]],
    ]

    @Test(arguments: [
        ("", true), ("metadata.name=p", true), ("metadata.name!=p", false),
        ("spec.nodeName==n1,status.phase=Running", true), ("spec.host=n1", true),
        ("status.podIPs=10.0.0.1", true), ("status.podIP=", true),
        ("spec.hostNetwork=false", true), ("metadata.namespace=other", false),
    ])
    func matching(_ text: String, _ expected: Bool) throws {
        let selector = try FieldSelector(parsing: text).checked(for: "Pod")
        #expect(selector.matches(object: Self.pod) == expected)
    }

    @Test func unknownFields() {
        #expect(throws: SelectorError("field label not supported: spec.foo")) {
            try FieldSelector(parsing: "spec.foo=1").checked(for: "Pod")
        }
        #expect(
            throws: SelectorError(
                "\"x\" is not a known field selector: only \"metadata.name\", "
                    + "\"metadata.namespace\"")
        ) {
            try FieldSelector(parsing: "x=1").checked(for: "ConfigMap")
        }
        #expect(throws: SelectorError("invalid selector: 'abc'; can't understand 'abc'")) {
            try FieldSelector(parsing: "abc")
        }
    }

    @Test func escapes() throws {
        let selector = try FieldSelector(parsing: #"metadata.name=a\,b\=c\\"#)
        #expect(selector.requirements.first?.value == #"a,b=c\"#)
        #expect(throws: SelectorError.self) { try FieldSelector(parsing: #"a=b\x"#) }
    }
}
