import Documents
import Objects
import Testing

@Suite struct JSONPatchTests {
    private func apply(_ patch: String, _ document: String) throws -> JSON {
        try JSONPatch(try JSON.parse(patch)).apply(to: try JSON.parse(document))
    }

    @Test(arguments: [
        (#"[{"op":"add","path":"/a","value":1}]"#, #"{}"#, #"{"a":1}"#),
        (#"[{"op":"add","path":"/a/1","value":9}]"#, #"{"a":[1,2]}"#, #"{"a":[1,9,2]}"#),
        (#"[{"op":"add","path":"/a/-","value":9}]"#, #"{"a":[1,2]}"#, #"{"a":[1,2,9]}"#),
        (#"[{"op":"remove","path":"/a/0"}]"#, #"{"a":[1,2]}"#, #"{"a":[2]}"#),
        (#"[{"op":"replace","path":"/a~1b","value":2}]"#, #"{"a/b":1}"#, #"{"a/b":2}"#),
        (#"[{"op":"move","from":"/a","path":"/b"}]"#, #"{"a":1}"#, #"{"b":1}"#),
        (#"[{"op":"copy","from":"/a","path":"/b"}]"#, #"{"a":1}"#, #"{"a":1,"b":1}"#),
        (#"[{"op":"test","path":"/a","value":{"x":1}}]"#, #"{"a":{"x":1}}"#, #"{"a":{"x":1}}"#),
        (#"[{"op":"replace","path":"","value":{"z":1}}]"#, #"{"a":1}"#, #"{"z":1}"#),
    ])
    func changes(_ patch: String, _ before: String, _ after: String) throws {
        #expect(try apply(patch, before) == JSON.parse(after))
    }

    @Test(arguments: [
        (#"[{"op":"test","path":"/a","value":2}]"#, "testing value /a failed: test failed"),
        (
            #"[{"op":"remove","path":"/b"}]"#,
            "error in remove for path: '/b': Unable to remove nonexistent key: b: missing value"
        ),
        (
            #"[{"op":"replace","path":"/b","value":1}]"#,
            "replace operation does not apply: doc is missing key: /b: missing value"
        ),
        (
            #"[{"op":"add","path":"/b/c","value":1}]"#,
            "add operation does not apply: doc is missing path: \"/b/c\": missing value"
        ),
        (#"[{"op":"leap","path":"/a"}]"#, "Unexpected kind: leap"),
        (
            #"[{"op":"add","path":"/a"}]"#, "add operation does not apply: missing \"value\" field"
        ),
    ])
    func refusals(_ patch: String, _ message: String) throws {
        do {
            _ = try apply(patch, #"{"a":1}"#)
            Issue.record("applied")
        } catch let error as PatchError {
            #expect(error.message == message)
            #expect(error.kind == .inapplicable)
        }
    }

    @Test func needsAList() {
        #expect(throws: PatchError.self) { try JSONPatch([:]) }
    }

    @Test func aFailureLeavesNothingBehind() throws {
        let patch = #"[{"op":"add","path":"/b","value":1},{"op":"remove","path":"/c"}]"#
        #expect(throws: PatchError.self) { try apply(patch, #"{"a":1}"#) }
    }
}

@Suite struct MergePatchTests {
    /// The examples of RFC 7386's appendix.
    @Test(arguments: [
        (#"{"a":"b"}"#, #"{"a":"c"}"#, #"{"a":"c"}"#),
        (#"{"a":"b"}"#, #"{"b":"c"}"#, #"{"a":"b","b":"c"}"#),
        (#"{"a":"b"}"#, #"{"a":null}"#, #"{}"#),
        (#"{"a":["b"]}"#, #"{"a":"c"}"#, #"{"a":"c"}"#),
        (#"{"a":"c"}"#, #"{"a":["b"]}"#, #"{"a":["b"]}"#),
        (#"{"a":{"b":"c"}}"#, #"{"a":{"b":"d","c":null}}"#, #"{"a":{"b":"d"}}"#),
        (#"{"a":[{"b":"c"}]}"#, #"{"a":[1]}"#, #"{"a":[1]}"#),
        (#"{}"#, #"{"a":{"bb":{"ccc":null}}}"#, #"{"a":{"bb":{}}}"#),
    ])
    func rfc(_ document: String, _ patch: String, _ result: String) throws {
        let merged = MergePatch.apply(try JSON.parse(patch), to: try JSON.parse(document))
        #expect(try merged == JSON.parse(result))
    }
}

@Suite struct StrategicMergePatchTests {
    private func apply(_ patch: String, _ document: String) throws -> JSON {
        let merge = StrategicMergePatch { message, name in
            guard let field = Schema.message(message)?.property(name) else { return nil }
            return PatchField(
                mergeKey: field.mergeKey, mergesList: field.patchStrategies.contains("merge"),
                retainsKeys: field.patchStrategies.contains("retainKeys"),
                message: field.message?.name, isMap: field.cardinality == .map)
        }
        return try merge.apply(
            try JSON.parse(patch), to: try JSON.parse(document),
            message: "api.core.v1.PodSpec")
    }

    private static let two =
        #"{"containers":[{"name":"a","image":"1"},{"name":"b","image":"1"}]}"#

    @Test(arguments: [
        (
            #"{"containers":[{"name":"b","image":"2"}]}"#,
            #"{"containers":[{"name":"a","image":"1"},{"name":"b","image":"2"}]}"#
        ),
        (
            #"{"containers":[{"name":"c","image":"1"}]}"#,
            #"{"containers":[{"name":"a","image":"1"},{"name":"b","image":"1"},"#
                + #"{"name":"c","image":"1"}]}"#
        ),
        (
            #"{"containers":[{"name":"a","$patch":"delete"}]}"#,
            #"{"containers":[{"name":"b","image":"1"}]}"#
        ),
        (
            #"{"containers":[{"$patch":"replace"},{"name":"z"}]}"#,
            #"{"containers":[{"name":"z"}]}"#
        ),
        (
            #"{"$setElementOrder/containers":[{"name":"b"},{"name":"a"}],"#
                + #""containers":[{"name":"b","image":"3"}]}"#,
            #"{"containers":[{"name":"b","image":"3"},{"name":"a","image":"1"}]}"#
        ),
        (#"{"containers":null}"#, #"{}"#),
        (
            #"{"nodeSelector":{"x":"y"}}"#,
            #"{"containers":[{"name":"a","image":"1"},{"name":"b","image":"1"}],"#
                + #""nodeSelector":{"x":"y"}}"#
        ),
    ])
    func containers(_ patch: String, _ result: String) throws {
        #expect(try apply(patch, Self.two) == JSON.parse(result))
    }

    @Test func atomicListsAreReplaced() throws {
        let result = try apply(
            #"{"containers":[{"name":"a","args":["x"]}]}"#,
            #"{"containers":[{"name":"a","args":["y","z"]}]}"#)
        #expect(try result == JSON.parse(#"{"containers":[{"name":"a","args":["x"]}]}"#))
    }

    @Test func retainedKeys() throws {
        let result = try apply(
            #"{"volumes":[{"name":"v","$retainKeys":["name","emptyDir"],"emptyDir":{}}]}"#,
            #"{"volumes":[{"name":"v","configMap":{"name":"c"}}]}"#)
        #expect(try result == JSON.parse(#"{"volumes":[{"name":"v","emptyDir":{}}]}"#))
    }

    @Test func replacedObject() throws {
        let result = try apply(
            #"{"securityContext":{"$patch":"replace","runAsUser":1}}"#,
            #"{"securityContext":{"runAsGroup":2}}"#)
        #expect(try result == JSON.parse(#"{"securityContext":{"runAsUser":1}}"#))
    }

    @Test func primitivesAreMergedAndDeleted() throws {
        let merge = StrategicMergePatch { _, name in
            name == "finalizers" ? PatchField(mergesList: true) : nil
        }
        let merged = try merge.apply(
            try JSON.parse(
                #"{"$deleteFromPrimitiveList/finalizers":["a"],"finalizers":["c","b"]}"#),
            to: try JSON.parse(#"{"finalizers":["a","b"]}"#), message: "m")
        #expect(merged["finalizers"] == ["b", "c"])
    }

    @Test(arguments: [
        (
            #"{"containers":[{"image":"x"}]}"#,
            #"map: {"image":"x"} does not contain declared merge key: name"#
        ),
        (#"{"$patch":"leap"}"#, "unknown patch type found: leap"),
        (#"{"$retainKeys":"x"}"#, "invalid patch format of retainKeys"),
    ])
    func refusals(_ patch: String, _ message: String) throws {
        do {
            _ = try apply(patch, Self.two)
            Issue.record("applied")
        } catch let error as PatchError {
            #expect(error.message == message)
            #expect(error.kind == .malformed)
        }
    }
}
