package import Basics

/// `k8s\0` and a `runtime.Unknown`: what Kubernetes wraps protobuf objects in.
package struct ProtobufEnvelope: Sendable {
    package static let magic: Bytes = [0x6b, 0x38, 0x73, 0]

    package var apiVersion = ""
    package var kind = ""
    /// The message proper, inside the bytes given to `init`.
    package var raw: Range<Int>

    package init(_ bytes: Bytes) throws(ProtobufError) {
        guard bytes.hasPrefix(Self.magic) else {
            throw ProtobufError(
                "provided data does not appear to be a protobuf message, expected prefix "
                    + "[107 56 115 0]")
        }
        raw = bytes.count..<bytes.count
        var reader = ProtobufReader(bytes, in: Self.magic.count..<bytes.count)
        while !reader.isAtEnd {
            let (number, value) = try reader.readField()
            guard case .bytes(let range) = value else { continue }
            switch number {
            case 1:
                var inner = ProtobufReader(bytes, in: range)
                while !inner.isAtEnd {
                    let (field, text) = try inner.readField()
                    guard case .bytes(let part) = text else { continue }
                    if field == 1 { apiVersion = String(decoding: bytes[part], as: UTF8.self) }
                    if field == 2 { kind = String(decoding: bytes[part], as: UTF8.self) }
                }
            case 2: raw = range
            case 3 where !range.isEmpty:
                throw ProtobufError("content encoding of the envelope is not supported")
            default: break
            }
        }
    }
}
