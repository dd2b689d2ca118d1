package import Documents
package import Basics

/// The value of an object's key: a header and the object as clients get it, compact JSON without
/// `metadata.resourceVersion`. See docs/formats/stored-object.md.
package struct StoredValue: Sendable {
    package static let headerBytes = 16
    private static let magic: Bytes = [0x4d, 0x4f, 0x42, 0x4a]
    /// kube-apiserver's own: `k8s` and a zero byte before the message.
    private static let protobufMagic: Bytes = [0x6b, 0x38, 0x73, 0x00]
    private static let format: UInt8 = 1
    private static let sealedFlag: UInt8 = 1

    package let value: Bytes
    /// Whether the part behind the header is encrypted.
    package let isSealed: Bool
    /// Where in `value` the resource version goes: right behind the `{` of the metadata.
    package let splicePoint: Int

    /// Checks the header and the checksum.
    package init(_ value: Bytes) throws(StoredValueError) {
        guard value.hasPrefix(Self.magic) else {
            throw value.hasPrefix(Self.protobufMagic) ? .protobuf : .foreign
        }
        guard value.count > Self.headerBytes else { throw .damaged("it ends early") }
        guard value[4] == Self.format else { throw .newer(format: value[4]) }
        let flags = value[5]
        guard flags & ~Self.sealedFlag == 0, value[6] == 0, value[7] == 0 else {
            throw .damaged("unknown flags")
        }
        let splice = Int(Self.littleEndian(value, at: 8))
        let checksum = Self.littleEndian(value, at: 12)
        guard checksum == Self.checksum(of: value) else { throw .damaged("checksum mismatch") }
        isSealed = flags & Self.sealedFlag != 0
        guard splice >= Self.headerBytes, splice < value.count,
            isSealed || value[splice - 1] == 0x7b
        else { throw .damaged("splice point outside of the object") }
        self.value = value
        splicePoint = splice
    }

    /// The stored form of an object; a `resourceVersion` in it is left out.
    package static func encode(_ json: JSON) -> Bytes {
        var writer = ByteWriter(reserving: 1024)
        writer.write(magic)
        writer.write(format)
        writer.write(UInt8(0))
        writer.writeLittleEndian(UInt16(0))
        writer.writeLittleEndian(UInt32(0))
        writer.writeLittleEndian(UInt32(0))
        var bytes = writer.bytes
        let splice = writeObject(json, to: &bytes)
        writer = ByteWriter(appendingTo: bytes)
        writer.patchLittleEndian(UInt32(splice), at: 8)
        writer.patchLittleEndian(checksum(of: writer.bytes), at: 12)
        return writer.bytes
    }

    /// The object as clients get it, with the revision it was last written at.
    package func wireBytes(revision: Int64) -> Bytes {
        var out = Bytes()
        out.reserveCapacity(value.count + 32)
        appendWire(to: &out, revision: revision)
        return out
    }

    /// The same, behind what `out` holds already.
    package func appendWire(to out: inout Bytes, revision: Int64) {
        out.append(contentsOf: value[Self.headerBytes..<splicePoint])
        out.append(contentsOf: "\"resourceVersion\":\"".utf8)
        out.append(contentsOf: String(revision).utf8)
        out.append(UInt8(ascii: "\""))
        if value[splicePoint] != UInt8(ascii: "}") { out.append(UInt8(ascii: ",")) }
        out.append(contentsOf: value[splicePoint...])
    }

    /// `StoredValue(value).wireBytes(revision:)`.
    package static func wireBytes(
        _ value: Bytes, revision: Int64
    ) throws(StoredValueError) -> Bytes {
        try StoredValue(value).wireBytes(revision: revision)
    }

    /// The JSON text behind the header, without resource version.
    package var body: ArraySlice<UInt8> { value[Self.headerBytes...] }

    package func decode() throws(StoredValueError) -> JSON {
        guard !isSealed else { throw .sealed }
        do {
            return try JSON.parse(Bytes(body))
        } catch {
            throw .damaged(error.message)
        }
    }

    /// Writes the members and answers the offset behind the `{` of the metadata.
    private static func writeObject(_ json: JSON, to out: inout Bytes) -> Int {
        var object = json.objectValue ?? JSONObject()
        var metadata = object["metadata"]?.objectValue ?? JSONObject()
        metadata["resourceVersion"] = nil
        object.replace("metadata", with: .object(metadata))
        var splice = 0
        out.append(UInt8(ascii: "{"))
        for (index, member) in object.members.enumerated() {
            if index > 0 { out.append(UInt8(ascii: ",")) }
            JSON.write(member.key, to: &out)
            out.append(UInt8(ascii: ":"))
            if member.key == "metadata" { splice = out.count + 1 }
            member.value.write(to: &out)
        }
        out.append(UInt8(ascii: "}"))
        return splice
    }

    private static func littleEndian(_ bytes: Bytes, at offset: Int) -> UInt32 {
        (0..<4).reduce(0) { $0 | UInt32(bytes[offset + $1]) << UInt32($1 * 8) }
    }

    /// Covers the header but for the checksum itself, and all that follows.
    private static func checksum(of value: Bytes) -> UInt32 {
        CRC32C.checksum(value[headerBytes...], continuing: CRC32C.checksum(value[..<12]))
    }
}

/// What is wrong with a value under `/registry`.
package enum StoredValueError: Error, Sendable, Hashable, CustomStringConvertible {
    /// Not written by Martlet's API.
    case foreign
    /// Written by kube-apiserver in Kubernetes' protobuf.
    case protobuf
    case newer(format: UInt8)
    case sealed
    case damaged(String)

    package var description: String {
        switch self {
        case .foreign: "the stored value is not an object that this API server wrote"
        case .protobuf:
            "the stored value is Kubernetes protobuf, which kube-apiserver wrote and this server"
                + " does not read"
        case .newer(let format): "the stored object has format \(format), newer than this server"
        case .sealed: "the stored object is encrypted and this server has no key for it"
        case .damaged(let reason): "the stored object is damaged: \(reason)"
        }
    }
}
