import Basics
import Bolt
import EtcdMessages
package import Keyspace

extension EtcdDatabase {
    /// What was taken over.
    package struct Imported: Sendable {
        package var revision: Int64 = 0
        package var compactRevision: Int64 = 0
        package var changes = 0
        package var leases = 0
        /// What the person should know.
        package var notes: [String] = []
    }

    /// Fills a new keyspace from a database file of etcd 3.x: the whole history that it retains,
    /// the leases, and the users and roles. Members are left out, because the cluster will be a new
    /// one.
    ///
    /// - Parameter checksHash: false for the file of a stopped member, which has no hash.
    package static func read(
        _ path: String, into keyspace: Keyspace, checksHash: Bool
    ) throws -> Imported {
        let reader = try BoltReader(path)
        if checksHash { try checkHash(path) }
        let meta = try EtcdMeta(reader, path)
        var imported = Imported()
        imported.compactRevision = meta.compactRevision
        var history = HistoryImport(into: keyspace, compactRevision: meta.compactRevision)
        _ = try reader.forEach(in: Bytes("lease".utf8)) { key, value throws(EtcdDatabaseError) in
            let lease = try named(path, "lease \(Bytes(key).hex)") { () throws(DecodingFailure) in
                try LeaseRecord(protobuf: Bytes(value))
            }
            imported.leases += 1
            try named(path, "bucket lease") { () throws(KeyspaceError) in
                try history.add(
                    lease: lease.id, grantedTTLSeconds: lease.ttlSeconds,
                    remainingTTLSeconds: lease.remainingSeconds)
            }
        }
        let hasKeys = try reader.forEach(in: Bytes("key".utf8)) {
            key, value throws(EtcdDatabaseError) in
            let found = try change(path, Bytes(key), Bytes(value))
            imported.changes += 1
            imported.revision = found.keyValue.modRevision
            try named(path, "bucket key") { () throws(KeyspaceError) in try history.add(found) }
        }
        guard hasKeys else {
            throw EtcdDatabaseError(path, "no database of etcd 3.x: it has no bucket \"key\"")
        }
        imported.revision = max(imported.revision, meta.compactRevision, 1)
        try named(path, "bucket key") { () throws(KeyspaceError) in
            try history.finish(revision: imported.revision, index: 1, term: 1)
        }
        if history.withoutLease > 0 {
            imported.notes.append(
                "\(history.withoutLease) puts were on leases that are not in the file: they are"
                    + " taken over without a lease")
        }
        if let auth = try readAuth(reader, path) {
            try named(path, "users") { () throws(KeyspaceError) in try history.set(auth) }
            imported.notes.append(
                "\(auth.users.count) users and \(auth.roles.count) roles are taken over;"
                    + " authentication is \(auth.isEnabled ? "on" : "off")")
        }
        return imported
    }

    /// Revision, `_`, number within it, and `t` after a deletion; the value is a `KeyValue`.
    private static func change(
        _ path: String, _ key: Bytes, _ value: Bytes
    ) throws(EtcdDatabaseError) -> SnapshotHistory.Change {
        let isDelete = key.count == 18
        guard key.count == 17 || isDelete && key[17] == UInt8(ascii: "t"),
            key[8] == UInt8(ascii: "_"), key[0] < 0x80,
            let sub = UInt32(exactly: bigEndian(key[9..<17]))
        else { throw EtcdDatabaseError(path, "bucket key: \(key.hex) is not a revision") }
        let revision = Int64(bigEndian(key[0..<8]))
        let place = "revision \(revision).\(sub)"
        var found = try named(path, place) { () throws(DecodingFailure) in
            try KeyValue(protobuf: value)
        }
        if isDelete {
            found.modRevision = revision
        } else if found.modRevision != revision {
            throw EtcdDatabaseError(path, "\(place): its value says \(found.modRevision)")
        }
        return SnapshotHistory.Change(keyValue: found, sub: sub, isDelete: isDelete)
    }

    static func bigEndian(_ bytes: some Sequence<UInt8>) -> UInt64 {
        bytes.reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// Names the file and the place in an error.
    static func named<Value, Failure: Error>(
        _ path: String, _ place: String, _ body: () throws(Failure) -> Value
    ) throws(EtcdDatabaseError) -> Value {
        do throws(Failure) { return try body() } catch {
            throw EtcdDatabaseError(path, "\(place): \(error)")
        }
    }
}

/// What etcd keeps about its history beside it.
private struct EtcdMeta {
    var compactRevision: Int64 = 0

    init(_ reader: BoltReader, _ path: String) throws {
        var compacted: Int64 = 0
        _ = try reader.forEach(in: Bytes("meta".utf8)) { key, value throws(EtcdDatabaseError) in
            // What is scheduled is in force; what is finished is only removed as well.
            guard
                key.elementsEqual("scheduledCompactRev".utf8)
                    || key.elementsEqual("finishedCompactRev".utf8)
            else { return }
            guard value.count == 17, let first = value.first, first < 0x80 else {
                throw EtcdDatabaseError(path, "bucket meta: a compact revision of other length")
            }
            compacted = max(compacted, Int64(EtcdDatabase.bigEndian(value.prefix(8))))
        }
        compactRevision = compacted
    }
}

/// `leasepb.Lease`.
private struct LeaseRecord: ProtobufDecodable {
    var id: Int64 = 0
    var ttlSeconds: Int64 = 0
    var remainingSeconds: Int64 = 0

    static var messageName: String { "Lease" }

    init(from reader: inout ProtobufReader) throws(DecodingFailure) {
        while let field = try reader.next() {
            switch field {
            case 1: id = try reader.signed()
            case 2: ttlSeconds = try reader.signed()
            case 3: remainingSeconds = try reader.signed()
            default: try reader.skip()
            }
        }
    }
}
