/// Writes into memory of a size that was measured before: nothing grows, and nothing is copied
/// again. More than was measured ends the process.
@safe package struct MeasuredWriter: ~Copyable {
    private let room: UnsafeMutableRawBufferPointer
    package private(set) var count = 0

    fileprivate init(_ room: UnsafeMutableRawBufferPointer) {
        unsafe self.room = room
    }

    /// What was written so far. Must not outlive the writing.
    package var written: UnsafeRawBufferPointer {
        unsafe UnsafeRawBufferPointer(rebasing: room[..<count])
    }

    package mutating func write(raw: UnsafeRawBufferPointer) {
        unsafe take(raw.count).copyMemory(from: raw)
    }

    /// Base-128, as `ByteWriter` has it.
    package mutating func writeVarint(_ value: UInt64) {
        let place = unsafe take(value.varintBytes)
        var rest = value
        for offset in 0..<place.count - 1 {
            unsafe place[offset] = UInt8(truncatingIfNeeded: rest) | 0x80
            rest >>= 7
        }
        unsafe place[place.count - 1] = UInt8(truncatingIfNeeded: rest)
    }

    @inline(__always)
    private mutating func take(_ bytes: Int) -> UnsafeMutableRawBufferPointer {
        precondition(unsafe bytes <= room.count - count, "more is written than was measured")
        defer { count += bytes }
        return unsafe UnsafeMutableRawBufferPointer(rebasing: room[count..<count + bytes])
    }
}

extension Bytes {
    /// What `body` writes, at most `measure` bytes.
    package static func written<Failure>(
        measure: Int, _ body: (inout MeasuredWriter) throws(Failure) -> Void
    ) throws(Failure) -> Bytes {
        var failure: Failure?
        let bytes = unsafe Bytes(unsafeUninitializedCapacity: measure) { buffer, count in
            var writer = unsafe MeasuredWriter(UnsafeMutableRawBufferPointer(buffer))
            do throws(Failure) { try body(&writer) } catch { failure = error }
            count = writer.count
        }
        if let failure { throw failure }
        return bytes
    }
}

extension UInt64 {
    /// What it takes in base 128.
    @inlinable
    package var varintBytes: Int {
        Swift.max(1, (UInt64.bitWidth - leadingZeroBitCount + 6) / 7)
    }
}
