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
