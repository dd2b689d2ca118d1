package import Basics

/// One frame between peers. The bytes are in docs/formats/peer-protocol.md.
package struct PeerFrame: Sendable {
    package enum Kind: UInt8, Sendable {
        case hello = 1
        case welcome = 2
        case refusal = 3
        case message = 4
        case request = 5
        case answer = 6
        case snapshotChunk = 7
        case snapshotEnd = 8
        case snapshotDone = 9
        case snapshotBegin = 10
        case waiting = 11
    }

    package static let headerBytes = 12
    /// One entry may have 64 MiB; its message is a little larger.
    package static let bodyBytesMax = 96 << 20
    /// Before the hello is accepted nobody may make us buffer more than this.
    package static let helloBytesMax = 4096

    package var kind: Kind
    package var body: Bytes

    /// Appends a frame; `write` writes its body.
    package static func append(
        _ kind: Kind, to writer: inout ByteWriter, _ write: (inout ByteWriter) -> Void
    ) {
        let start = writer.count
        writer.writeLittleEndian(UInt64(0))
        writer.writeLittleEndian(UInt32(kind.rawValue))
        write(&writer)
        let length = UInt32(writer.count - start - headerBytes)
        writer.patchLittleEndian(length, at: start)
        writer.patchLittleEndian(CRC32C.checksum(writer.bytes[(start + 8)...]), at: start + 4)
    }

    package static func encoded(_ kind: Kind, _ body: Bytes = []) -> Bytes {
        var writer = ByteWriter(reserving: headerBytes + body.count)
        append(kind, to: &writer) { $0.write(body) }
        return writer.bytes
    }
}

extension PeerFrame {
    /// What stands before a frame's body.
    package struct Header: Sendable {
        package let bodyBytes: Int
        private let kind: Kind
        private let checksum: UInt32

        /// Of the three numbers that a frame begins with.
        package init(
            bodyBytes: UInt32, checksum: UInt32, kind: UInt32, bodyBytesMax: Int
        ) throws(PeerProtocolError) {
            guard let small = UInt8(exactly: kind), let known = Kind(rawValue: small) else {
                throw PeerProtocolError("a frame of unknown kind \(kind)")
            }
            guard Int(bodyBytes) <= bodyBytesMax else {
                throw PeerProtocolError("a frame of \(bodyBytes) bytes, more than \(bodyBytesMax)")
            }
            self.bodyBytes = Int(bodyBytes)
            self.kind = known
            self.checksum = checksum
        }

        /// The frame, if this is its body.
        package func frame(_ body: Bytes) throws(PeerProtocolError) -> PeerFrame {
            var head = ByteWriter(reserving: 4)
            head.writeLittleEndian(UInt32(kind.rawValue))
            guard CRC32C.checksum(body, continuing: CRC32C.checksum(head.bytes)) == checksum else {
                throw PeerProtocolError("a frame's checksum does not match")
            }
            return PeerFrame(kind: kind, body: body)
        }
    }
}
