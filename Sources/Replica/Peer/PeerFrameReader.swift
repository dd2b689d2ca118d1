import Basics
import NIOCore
import ReplicaCore

/// Reads the frames of a connection.
struct PeerFrameReader {
    private struct Buffer: ReceivedBytes {
        var bytes = ByteBuffer()

        var count: Int { bytes.readableBytes }

        func number(at offset: Int) -> UInt32? {
            bytes.getInteger(at: bytes.readerIndex + offset, endianness: .little)
        }

        mutating func append(_ more: Buffer) {
            var more = more.bytes
            bytes.discardReadBytes()
            bytes.writeBuffer(&more)
        }

        mutating func skip(_ count: Int) { bytes.moveReaderIndex(forwardBy: count) }

        mutating func take(_ count: Int) -> Bytes { bytes.readBytes(length: count) ?? [] }
    }

    private var cutter = PeerFrameCutter<Buffer>()

    /// Larger frames are refused before they are buffered.
    var bodyBytesMax: Int {
        get { cutter.bodyBytesMax }
        set { cutter.bodyBytesMax = newValue }
    }

    mutating func append(_ more: ByteBuffer) { cutter.append(Buffer(bytes: more)) }

    mutating func next() throws(PeerProtocolError) -> PeerFrame? { try cutter.next() }
}
