import Basics
import Documents
import Objects
import Testing

/// Work must not grow with the square of what a client sends.
@Suite struct LargeBodyTests {
    private static let count = 150_000

    private func keys() -> [String] { (0..<Self.count).map { "k\($0)" } }

    @Test func decoding() throws {
        let twice = keys() + keys()
        let text = "{" + twice.map { "\"\($0)\":\"\"" }.joined(separator: ",") + "}"
        let body = Bytes("{\"metadata\":{\"name\":\"a\"},\"data\":\(text),\"x\":\(text)}".utf8)
        let decoded = try RequestBody.decode(
            contentType: "application/json", body, expected: .configMap)
        #expect(decoded.json["data"]?.objectValue?.count == Self.count)
        #expect(decoded.warnings.count == 101)
        _ = try? Strategy.prepareCreate(
            .configMap, decoded.json, namespace: "d", now: WallTime(seconds: 0), uid: "u",
            nameSuffix: "x")
    }

    @Test func protobufMap() throws {
        // ConfigMap.data entries with keys of their own, each a message of its own.
        var map = ByteWriter()
        for index in 0..<Self.count {
            let key = Bytes("\(index)".utf8)
            map.write(UInt8(0x12))
            map.writeVarint(UInt64(key.count + 2))
            map.write(UInt8(0x0a))
            map.writeCounted(key)
        }
        var body = ByteWriter()
        body.write(Bytes([0x6b, 0x38, 0x73, 0, 0x0a, 0x0f, 0x0a, 0x02, 0x76, 0x31, 0x12, 0x09]))
        body.write(Bytes("ConfigMap".utf8))
        body.write(UInt8(0x12))
        body.writeCounted(map.bytes)
        let decoded = try RequestBody.decode(
            contentType: "application/vnd.kubernetes.protobuf", body.bytes, expected: .configMap)
        #expect(decoded.json["data"]?.objectValue?.count == Self.count)
    }
}
