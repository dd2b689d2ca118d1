import Basics

/// Value of the lease table: 20 bytes, little-endian; docs/formats/keyspace.md.
struct LeaseEntry: Sendable, Hashable {
    /// etcd's longest time to live.
    static let ttlSecondsMax: Int64 = 9_000_000_000

    var grantedTTLSeconds: Int64
    /// Of the last checkpoint; the granted time when there was none.
    var remainingTTLSeconds: Int64

    func encode(id: Int64) -> Bytes {
        var writer = ByteWriter(reserving: 20)
        writer.writeLittleEndian(UInt64(bitPattern: grantedTTLSeconds))
        writer.writeLittleEndian(UInt64(bitPattern: remainingTTLSeconds))
        writer.writeLittleEndian(Self.checksum(id, writer.bytes))
        return writer.bytes
    }

    init(grantedTTLSeconds: Int64, remainingTTLSeconds: Int64) {
        self.grantedTTLSeconds = grantedTTLSeconds
        self.remainingTTLSeconds = remainingTTLSeconds
    }

    init(decoding bytes: Bytes, id: Int64) throws(KeyspaceError) {
        do throws(DecodingFailure) {
            var reader = ByteReader(bytes)
            grantedTTLSeconds = Int64(
                bitPattern: try reader.readLittleEndian("granted TTL", as: UInt64.self))
            remainingTTLSeconds = Int64(
                bitPattern: try reader.readLittleEndian("remaining TTL", as: UInt64.self))
            let checksum: UInt32 = try reader.readLittleEndian("lease checksum")
            try reader.expectEnd("lease")
            guard checksum == Self.checksum(id, Bytes(bytes[..<16])) else {
                throw reader.failure("lease", "checksum does not match")
            }
            // Nobody is granted other times, and who reckons with these relies on it.
            guard grantedTTLSeconds <= Self.ttlSecondsMax, remainingTTLSeconds >= 1,
                remainingTTLSeconds <= grantedTTLSeconds
            else {
                throw reader.failure(
                    "lease", "\(remainingTTLSeconds) of \(grantedTTLSeconds) s are left")
            }
        } catch {
            throw unsafe withRaw(Self.key(id)) { raw in
                unsafe KeyspaceError(damaged: .leases, raw, "\(error)")
            }
        }
    }

    /// What the lease adds to the hash of the state.
    func hash(id: Int64) -> UInt64 {
        let bytes = encode(id: id)
        var hash = RecordHash(lease: id)
        hash.add(checksum: Self.checksum(id, Bytes(bytes[..<16])), count: bytes.count)
        return hash.value
    }

    private static func checksum(_ id: Int64, _ fields: Bytes) -> UInt32 {
        CRC32C.checksum(fields, continuing: CRC32C.checksum(key(id)))
    }

    /// Big-endian, so that a lease's keys stand together in the lease key table.
    static func key(_ id: Int64) -> Bytes {
        var writer = ByteWriter(reserving: 8)
        writer.writeBigEndian(UInt64(bitPattern: id))
        return writer.bytes
    }

    /// Table key of a key that the lease holds, and the entry's value: its checksum.
    static func leaseKey(_ id: Int64, _ name: UnsafeRawBufferPointer) -> (key: Bytes, value: Bytes)
    {
        let tableKey = unsafe key(id) + Bytes(name)
        var writer = ByteWriter(reserving: 4)
        writer.writeLittleEndian(CRC32C.checksum(tableKey))
        return (tableKey, writer.bytes)
    }

    static func id(of key: UnsafeRawBufferPointer) -> Int64? {
        guard key.count >= 8 else { return nil }
        return unsafe Int64(bigEndian: key.loadUnaligned(as: Int64.self))
    }
}
