import Basics

/// An entry of the table `longKeys`: a part of a key that is too long for a table's key.
enum LongKeyChunk {
    /// With the table's key of 458 bytes two entries fit a page.
    static let partBytesMax = 1_500
    /// Checksum and length of the whole key.
    static let headerBytes = 6

    /// Table key of a part.
    static func key(_ name: UnsafeRawBufferPointer, _ number: Int) -> Bytes {
        unsafe Bytes(name) + [UInt8(number)]
    }

    static func count(ofKeyBytes bytes: Int) -> Int {
        (bytes + partBytesMax - 1) / partBytesMax
    }

    static func encode(_ tableKey: Bytes, _ key: Bytes, _ number: Int) -> Bytes {
        let part = key[(number * partBytesMax)..<min(key.count, (number + 1) * partBytesMax)]
        return encode(tableKey, total: key.count, part)
    }

    static func encode(_ tableKey: Bytes, total: Int, _ part: ArraySlice<UInt8>) -> Bytes {
        var writer = ByteWriter(reserving: headerBytes + part.count)
        writer.writeLittleEndian(UInt32(0))
        writer.writeLittleEndian(UInt16(total))
        writer.write(part)
        writer.patchLittleEndian(checksum(tableKey, writer.bytes[4...]), at: 0)
        return writer.bytes
    }

    /// The key that a long name stands for.
    ///
    /// - Parameter find: what the table has under a key.
    static func key(
        ofName name: UnsafeRawBufferPointer,
        _ find: (Bytes) throws(KeyspaceError) -> Bytes?
    ) throws(KeyspaceError) -> Bytes {
        var key = Bytes()
        var total = 1
        var number = 0
        while key.count < total {
            let tableKey = unsafe Self.key(name, number)
            guard let value = try find(tableKey), let chunk = decode(value, tableKey) else {
                throw unsafe KeyspaceError(
                    damaged: .longKeys, name, "part \(number) is damaged or missing")
            }
            total = chunk.total
            key += chunk.part
            number += 1
        }
        return key
    }

    /// The whole key's length and the part; nil when the entry is damaged.
    ///
    /// Every part but the last is full, which keeps their number far below what its byte holds.
    static func decode(_ value: Bytes, _ tableKey: Bytes) -> (total: Int, part: ArraySlice<UInt8>)?
    {
        guard value.count > headerBytes, let number = tableKey.last else { return nil }
        var wanted: UInt32 = 0
        for index in 0..<4 { wanted |= UInt32(value[index]) << UInt32(8 * index) }
        guard wanted == checksum(tableKey, value[4...]) else { return nil }
        let total = Int(value[4]) | Int(value[5]) << 8
        let part = value[headerBytes...]
        guard part.count == min(partBytesMax, total - Int(number) * partBytesMax) else {
            return nil
        }
        return (total, part)
    }

    private static func checksum(_ tableKey: Bytes, _ rest: ArraySlice<UInt8>) -> UInt32 {
        CRC32C.checksum(rest, continuing: CRC32C.checksum(tableKey))
    }
}
