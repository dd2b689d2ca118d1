import NIOCore
import ReplicaCore

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
            let kind = buffer.getInteger(at: start + 8, endianness: .little, as: UInt32.self)
        else { return nil }
        let header = try PeerFrame.Header(
            bodyBytes: length, checksum: sum, kind: kind, bodyBytesMax: bodyBytesMax)
        guard buffer.readableBytes >= PeerFrame.headerBytes + header.bodyBytes else { return nil }
        buffer.moveReaderIndex(forwardBy: PeerFrame.headerBytes)
        return try header.frame(buffer.readBytes(length: header.bodyBytes) ?? [])
    }
}
