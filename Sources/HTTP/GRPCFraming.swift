package import Basics
package import NIOCore

extension ByteBuffer {
    /// A message behind gRPC's five-byte prefix: not compressed, and the length big-endian.
    package mutating func writeGRPCMessage(_ message: Bytes) {
        writeGRPCPrefix(UInt32(message.count))
        writeBytes(message)
    }

    mutating func writeGRPCPrefix(_ messageBytes: UInt32) {
        writeInteger(UInt8(0))
        writeInteger(messageBytes)
    }
}

/// Cuts a stream of bytes into gRPC messages.
package struct GRPCDeframer {
    private var pending = ByteBuffer()
    private var isBorrowed = false
    private let messageBytesMax: Int

    package init(messageBytesMax: Int) {
        self.messageBytesMax = messageBytesMax
    }

    /// Whether part of a message waits for the rest.
    var isInsideMessage: Bool { pending.readableBytes > 0 }
    /// Of that part.
    var heldBytes: Int { pending.readableBytes }

    package mutating func append(_ bytes: ByteBuffer) {
        if pending.readableBytes == 0 {
            pending = bytes
            isBorrowed = true
        } else {
            pending.writeImmutableBuffer(bytes)
        }
    }

    /// A part of a message waits for the rest in memory of its own: `append` may have been given a
    /// part of a larger buffer.
    private mutating func keep() {
        guard isBorrowed, pending.readableBytes > 0 else { return }
        pending = ByteBuffer(bytes: pending.readableBytesView)
        isBorrowed = false
    }

    /// The next whole message, or nil until more bytes come.
    package mutating func next() throws(GRPCStatus) -> Bytes? {
        guard
            let compressed: UInt8 = pending.getInteger(at: pending.readerIndex),
            let length: UInt32 = pending.getInteger(at: pending.readerIndex + 1)
        else {
            keep()
            return nil
        }
        guard compressed == 0 else {
            throw GRPCStatus(.unimplemented, "grpc: compressed messages are not supported")
        }
        guard Int(length) <= messageBytesMax else {
            throw GRPCStatus(
                .resourceExhausted,
                "grpc: received message larger than max (\(length) vs. \(messageBytesMax))")
        }
        guard pending.readableBytes >= 5 + Int(length) else {
            keep()
            return nil
        }
        pending.moveReaderIndex(forwardBy: 5)
        let message = pending.readBytes(length: Int(length)) ?? []
        if pending.readableBytes == 0 {
            pending = ByteBuffer()
        } else if pending.readerIndex > 256 * 1024 {
            pending.discardReadBytes()
        }
        return message
    }
}
