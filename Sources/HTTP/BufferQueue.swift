import NIOCore

/// Buffers that wait to be sent. Nearly always there is one, which costs no memory.
struct BufferQueue {
    private var first: ByteBuffer?
    private var rest: CircularBuffer<ByteBuffer>?

    var isEmpty: Bool { first == nil }

    mutating func append(_ buffer: ByteBuffer) {
        if first == nil {
            first = buffer
        } else {
            rest = rest ?? CircularBuffer()
            rest?.append(buffer)
        }
    }

    /// Moves bytes of the oldest buffer into `target`; answers how many.
    mutating func read(into target: UnsafeMutableRawBufferPointer) -> Int {
        guard let buffer = first else { return 0 }
        let count = min(target.count, buffer.readableBytes)
        unsafe buffer.withUnsafeReadableBytes { source in
            unsafe target.copyMemory(from: UnsafeRawBufferPointer(rebasing: source[..<count]))
        }
        if count < buffer.readableBytes {
            first?.moveReaderIndex(forwardBy: count)
        } else {
            first = nil
            if rest?.isEmpty == false { first = rest?.removeFirst() }
        }
        return count
    }

    mutating func removeAll() {
        first = nil
        rest = nil
    }
}
