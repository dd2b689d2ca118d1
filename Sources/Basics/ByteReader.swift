/// What is wrong with bytes that do not decode.
package struct DecodingFailure: Error, Equatable, CustomStringConvertible {
    /// What those who answer requests tell apart.
    package enum Kind: Sendable, Equatable {
        case malformed
        /// A number that none of the options has.
        case unknownOption
        /// One of several things is to be chosen, and none is.
        case emptyChoice
        /// Too many things within one another.
        case tooDeep
    }

    /// What was being read, for example `"lease TTL"`.
    package var field: String
    /// Offset in the input at which the reader stood.
    package var offset: Int
    package var reason: String
    package var kind: Kind

    package init(field: String, offset: Int, reason: String, kind: Kind = .malformed) {
        self.field = field
        self.offset = offset
        self.reason = reason
        self.kind = kind
    }

    package var description: String { "\(field) at byte \(offset): \(reason)" }
}

/// Reads what `ByteWriter` wrote; every read checks the bounds and names its field on failure.
package struct ByteReader: Sendable {
    package let bytes: Bytes
    package private(set) var offset: Int
    /// The reader stops here; less than `bytes.count` for a reader of a part.
    package let end: Int

    package init(_ bytes: Bytes) {
        self.bytes = bytes
        offset = 0
        end = bytes.count
    }

    package init(_ bytes: Bytes, in range: Range<Int>) {
        precondition(range.lowerBound >= 0 && range.upperBound <= bytes.count)
        self.bytes = bytes
        offset = range.lowerBound
        end = range.upperBound
    }

    package var remaining: Int { end - offset }
    package var isAtEnd: Bool { offset == end }

    package func failure(
        _ field: String, _ reason: String, _ kind: DecodingFailure.Kind = .malformed
    ) -> DecodingFailure {
        DecodingFailure(field: field, offset: offset, reason: reason, kind: kind)
    }

    package mutating func readByte(_ field: String) throws(DecodingFailure) -> UInt8 {
        guard offset < end else { throw failure(field, "input ends early") }
        defer { offset += 1 }
        return bytes[offset]
    }

    package mutating func readBool(_ field: String) throws(DecodingFailure) -> Bool {
        let byte = try readByte(field)
        guard byte <= 1 else { throw failure(field, "neither 0 nor 1") }
        return byte == 1
    }

    // The generic forms are inlined and the loops are not: unspecialized integer arithmetic of
    // another module costs a hundred times as much.

    @inlinable
    package mutating func readLittleEndian<I: FixedWidthInteger & UnsignedInteger>(
        _ field: String, as: I.Type = I.self
    ) throws(DecodingFailure) -> I {
        I(truncatingIfNeeded: try readLittleEndian(field, width: I.bitWidth / 8))
    }

    @inlinable
    package mutating func readBigEndian<I: FixedWidthInteger & UnsignedInteger>(
        _ field: String, as: I.Type = I.self
    ) throws(DecodingFailure) -> I {
        I(truncatingIfNeeded: try readBigEndian(field, width: I.bitWidth / 8))
    }

    /// - Parameter width: bytes, 8 at most.
    @usableFromInline
    mutating func readLittleEndian(
        _ field: String, width: Int
    ) throws(DecodingFailure) -> UInt64 {
        guard remaining >= width else { throw failure(field, "input ends early") }
        var value: UInt64 = 0
        unsafe bytes.withUnsafeBytes { raw in
            unsafe withUnsafeMutableBytes(of: &value) { target in
                unsafe target.copyMemory(
                    from: UnsafeRawBufferPointer(rebasing: raw[offset..<offset + width]))
            }
        }
        offset += width
        return UInt64(littleEndian: value)
    }

    /// - Parameter width: bytes, 8 at most.
    @usableFromInline
    mutating func readBigEndian(_ field: String, width: Int) throws(DecodingFailure) -> UInt64 {
        guard remaining >= width else { throw failure(field, "input ends early") }
        var value: UInt64 = 0
        for index in 0..<width {
            value = value << 8 | UInt64(bytes[offset + index])
        }
        offset += width
        return value
    }

    package mutating func readVarint(_ field: String) throws(DecodingFailure) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        var position = offset
        while position < end, shift < 70 {
            let byte = bytes[position]
            guard shift < 63 || byte <= 1 else { throw failure(field, "varint over 64 bits") }
            value |= UInt64(byte & 0x7f) << shift
            position += 1
            if byte < 0x80 {
                offset = position
                return value
            }
            shift += 7
        }
        throw failure(field, position < end ? "varint over 64 bits" : "input ends early")
    }

    package mutating func readSignedVarint(_ field: String) throws(DecodingFailure) -> Int64 {
        Int64(bitPattern: try readVarint(field))
    }

    package mutating func read(_ field: String, count: Int) throws(DecodingFailure) -> Bytes {
        guard count >= 0, count <= remaining else { throw failure(field, "input ends early") }
        defer { offset += count }
        // A slice would hold the input and let go of it again.
        return unsafe bytes.withUnsafeBytes { raw in
            unsafe Bytes(UnsafeRawBufferPointer(rebasing: raw[offset..<offset + count]))
        }
    }

    /// Bytes behind a varint count.
    package mutating func readCounted(_ field: String) throws(DecodingFailure) -> Bytes {
        let count = try readVarint(field)
        guard count <= UInt64(remaining) else { throw failure(field, "input ends early") }
        return try read(field, count: Int(count))
    }

    package mutating func skip(_ field: String, count: Int) throws(DecodingFailure) {
        guard count >= 0, count <= remaining else { throw failure(field, "input ends early") }
        offset += count
    }

    package func expectEnd(_ field: String) throws(DecodingFailure) {
        guard isAtEnd else { throw failure(field, "\(remaining) bytes too many") }
    }
}
