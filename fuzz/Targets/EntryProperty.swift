import Basics
import Keyspace
import ReplicaCore

/// Entries of the keyspace file's tables, and the blobs among them: what is read is written again
/// as the same, and can be reckoned with.
///
/// The first byte chooses: a table, the state of auth, the members. Of a table's entry there follow
/// the length of its key, the key and the value, whose checksum is put right if the first byte's
/// highest bit is set.
enum EntryProperty {
    static func check(_ input: Bytes) {
        guard let choice = input.first else { return }
        let tables = TableName.allCases
        let rest = Bytes(input.dropFirst())
        switch Int(choice & 0x7f) % (tables.count + 2) {
        case let number where number < tables.count:
            entry(rest, tables[number], isMended: choice & 0x80 != 0)
        case tables.count:
            CodecProperties.roundTrip(rest, { try AuthState(decoding: $0) }, { $0.encode() })
        default:
            CodecProperties.roundTrip(
                rest, { try ClusterMembers(decoding: $0) }, { $0.encoded() })
        }
    }

    private static func entry(_ input: Bytes, _ table: TableName, isMended: Bool) {
        guard let length = input.first else { return }
        let rest = input.dropFirst()
        let key = Bytes(rest.prefix(Int(length)))
        var value = Bytes(rest.dropFirst(Int(length)))
        if isMended { mend(&value, under: key, in: table) }
        if isMended, table == .longKeys { join(value, under: key) }
        guard let once = TableEntry.rewritten(value, under: key, in: table) else { return }
        precondition(
            TableEntry.rewritten(once, under: key, in: table) == once,
            "an entry of \(table) is not read as it was written")
        // History alone has an older form, and numbers that may take more bytes than they need;
        // the state may be of an older format.
        if table != .history, table != .meta { precondition(once == value) }
        if table == .leases { promote(once) }
        if table == .records {
            precondition(TableEntry.commitEnd(ofRecord: once, under: key) != nil)
        }
    }

    /// A long key of which each part looks like this one is as long as that says, if it is read.
    private static func join(_ value: Bytes, under key: Bytes) {
        let whole = TableEntry.key(ofLongName: Bytes(key.dropLast())) { tableKey in
            var part = value
            mend(&part, under: tableKey, in: .longKeys)
            return part
        }
        guard let whole else { return }
        precondition(whole.count == Int(value[4]) | Int(value[5]) << 8)
    }

    /// A new leader starts the time of every lease that the table has.
    private static func promote(_ value: Bytes) {
        var reader = ByteReader(value)
        guard let granted: UInt64 = try? reader.readLittleEndian("granted TTL"),
            let remaining: UInt64 = try? reader.readLittleEndian("remaining TTL")
        else { preconditionFailure("a lease is too short") }
        let lease = LeaseStatus(
            id: 1, grantedTTLSeconds: Int64(bitPattern: granted),
            remainingTTLSeconds: Int64(bitPattern: remaining))
        let now = MonotonicTime(nanoseconds: 1 << 50)
        var lessor = Lessor()
        lessor.promote([lease], now: now, extendMilliseconds: 1_000)
        _ = lessor.keepAlive(id: 1, now: now)
    }

    /// Where the tables' entries have their checksums: docs/formats/keyspace.md.
    private static func mend(_ value: inout Bytes, under key: Bytes, in table: TableName) {
        let seed = CRC32C.checksum(key)
        switch table {
        case .leaseKeys:
            value = Bytes(repeating: 0, count: 4)
            store(seed, at: 0, of: &value)
        case .leases:
            guard value.count >= 20 else { return }
            store(CRC32C.checksum(value[..<16], continuing: seed), at: 16, of: &value)
        case .current where value.count == 56, .history where value.count == 56:
            store(CRC32C.checksum(value[..<52], continuing: seed), at: 52, of: &value)
        case .current, .history, .records, .longKeys, .meta:
            guard value.count >= 4 else { return }
            let isState = table == .meta && key == Bytes("state".utf8)
            store(
                CRC32C.checksum(value[4...], continuing: isState ? 0 : seed), at: 0, of: &value)
        }
    }

    private static func store(_ sum: UInt32, at offset: Int, of value: inout Bytes) {
        for index in 0..<4 {
            value[offset + index] = UInt8(truncatingIfNeeded: sum >> UInt32(8 * index))
        }
    }
}
