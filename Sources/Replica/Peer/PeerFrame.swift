import Basics
import NIOCore

/// One frame between peers. The bytes are in docs/formats/peer-protocol.md.
struct PeerFrame {
    enum Kind: UInt8 {
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

    static let headerBytes = 12
    /// One entry may have 64 MiB; its message is a little larger.
    static let bodyBytesMax = 96 << 20
    /// Before the hello is accepted nobody may make us buffer more than this.
    static let helloBytesMax = 4096

    var kind: Kind
    var body: Bytes

    /// Appends a frame; `write` writes its body.
    static func append(
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

    static func encoded(_ kind: Kind, _ body: Bytes = []) -> Bytes {
        var writer = ByteWriter(reserving: headerBytes + body.count)
        append(kind, to: &writer) { $0.write(body) }
        return writer.bytes
    }
}

/// What is wrong with a peer's bytes; the connection is closed.
struct PeerProtocolError: Error, CustomStringConvertible {
    var description: String

    init(_ description: String) {
        self.description = description
    }
}

/// Cuts a stream into frames and checks them.
struct PeerFrameReader {
    private var buffer = ByteBuffer()
    /// Larger frames are refused before they are buffered.
    var bodyBytesMax = PeerFrame.helloBytesMax

    mutating func append(_ more: inout ByteBuffer) {
        if buffer.readableBytes == 0 {
            buffer = more
        } else {
            buffer.discardReadBytes()
            buffer.writeBuffer(&more)
        }
    }

    mutating func next() throws(PeerProtocolError) -> PeerFrame? {
        let start = buffer.readerIndex
        guard buffer.readableBytes >= PeerFrame.headerBytes,
            let length = buffer.getInteger(at: start, endianness: .little, as: UInt32.self),
            let sum = buffer.getInteger(at: start + 4, endianness: .little, as: UInt32.self),
            let rawKind = buffer.getInteger(at: start + 8, endianness: .little, as: UInt32.self)
        else { return nil }
        guard let small = UInt8(exactly: rawKind), let kind = PeerFrame.Kind(rawValue: small) else {
            throw PeerProtocolError("a frame of unknown kind \(rawKind)")
        }
        guard length <= bodyBytesMax else {
            throw PeerProtocolError("a frame of \(length) bytes, more than \(bodyBytesMax)")
        }
        guard buffer.readableBytes >= PeerFrame.headerBytes + Int(length) else { return nil }
        buffer.moveReaderIndex(forwardBy: 8)
        let head = buffer.readBytes(length: 4) ?? []
        let body = buffer.readBytes(length: Int(length)) ?? []
        guard CRC32C.checksum(body, continuing: CRC32C.checksum(head)) == sum else {
            throw PeerProtocolError("a frame's checksum does not match")
        }
        return PeerFrame(kind: kind, body: body)
    }
}
