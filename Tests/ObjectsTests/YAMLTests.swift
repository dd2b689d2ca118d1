import Basics
import Documents
import Objects
import Testing

@Suite struct YAMLTests {
    @Test func yaml() throws {
        let text = """
            apiVersion: v1
            kind: ConfigMap   # a comment
            metadata: {name: "web", labels: &l {app: web}}
            data:
              yes: "no"
              port: "8080"
              text: |
                two
                lines
            other:
              n: 12
              f: 1.5
              hex: 0x10
              b: yes
              nothing: ~
              merged: {<<: *l, x: y}
            """
        let json = try YAML.parse(Bytes(text.utf8))
        #expect(json.path("data", "yes") == "no")
        #expect(json.path("data", "text") == "two\nlines\n")
        #expect(
            json["other"] == [
                "n": 12, "f": 1.5, "hex": 16, "b": true, "nothing": .null,
                "merged": ["app": "web", "x": "y"],
            ])
        #expect(throws: JSONError.self) { try YAML.parse(Bytes("a: [".utf8)) }
        #expect(throws: JSONError.self) { try YAML.parse([0xff, 0xfe, 0x41]) }
        let lines = (1..<30).map { "a\($0): &a\($0) [*a\($0 - 1),*a\($0 - 1),*a\($0 - 1)]" }
        let bomb = (["a0: &a0 x"] + lines).joined(separator: "\n")
        let error = #expect(throws: JSONError.self) { try YAML.parse(Bytes(bomb.utf8)) }
        #expect(error?.message == "yaml: document contains excessive aliasing")
    }
}
