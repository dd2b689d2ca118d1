import Basics
import Bolt
import Crypto
import EtcdMessages
import Glibc
package import Keyspace

/// The database file of etcd 3.x, as `etcdctl snapshot save` writes it: a bbolt file with the
/// store's history in the bucket `key`, and its SHA-256 behind it. `etcdutl snapshot restore` and
/// `etcdutl snapshot status` take it.
package enum EtcdDatabase {
    /// Makes one from a snapshot file. `path` must not exist.
    package static func write(snapshot: String, to path: String) throws(StoreError) {
        do {
            let history = try SnapshotHistory(snapshot)
            let writer = try BoltWriter(path)
            try fill(writer, history)
            try appendHash(path)
        } catch {
            unsafe unlink(path)
            throw StoreError(.corrupt, "cannot write \(path): \(error)")
        }
    }

    /// Buckets in the order of their names. The members are not in it: a restore makes new ones.
    private static func fill(_ writer: BoltWriter, _ history: SnapshotHistory) throws {
        try writer.begin(bucket: Bytes("alarm".utf8))
        try write(auth: history.header.auth, to: writer)
        for name in ["cluster", "key"] { try writer.begin(bucket: Bytes(name.utf8)) }
        var leases: [(id: Int64, granted: Int64, remaining: Int64)] = []
        while let item = try history.next() {
            switch item {
            case .change(let change): try writer.add(key(of: change), value(of: change))
            case .lease(let id, let granted, let remaining):
                leases.append((id, granted, remaining))
            }
        }
        try writer.begin(bucket: Bytes("lease".utf8))
        for lease in leases.sorted(by: { UInt64(bitPattern: $0.id) < UInt64(bitPattern: $1.id) }) {
            var message = ProtobufWriter()
            message.write(1, lease.id)
            message.write(2, lease.granted)
            if lease.remaining < lease.granted { message.write(3, lease.remaining) }
            try writer.add(bigEndian(UInt64(bitPattern: lease.id)), message.bytes)
        }
        for name in ["members", "members_removed", "meta"] {
            try writer.begin(bucket: Bytes(name.utf8))
        }
        try fillMeta(writer, history.header)
        try writer.finish()
    }

    private static func fillMeta(_ writer: BoltWriter, _ header: SnapshotHeader) throws {
        try writer.add(Bytes("consistent_index".utf8), bigEndian(header.index))
        if header.compactRevision > 0 {
            let revision = position(header.compactRevision, 0)
            try writer.add(Bytes("finishedCompactRev".utf8), revision)
            try writer.add(Bytes("scheduledCompactRev".utf8), revision)
        }
        try writer.add(Bytes("term".utf8), bigEndian(header.term))
    }

    /// Revision, `_` and number within it; deletions end in `t`.
    private static func key(of change: SnapshotHistory.Change) -> Bytes {
        position(change.keyValue.modRevision, change.sub) + (change.isDelete ? Bytes("t".utf8) : [])
    }

    /// etcd keeps nothing of a deletion but the key.
    private static func value(of change: SnapshotHistory.Change) -> Bytes {
        guard change.isDelete else { return change.keyValue.protobufBytes }
        var writer = ProtobufWriter()
        writer.write(1, change.keyValue.key)
        return writer.bytes
    }

    private static func position(_ revision: Int64, _ sub: UInt32) -> Bytes {
        bigEndian(UInt64(bitPattern: revision)) + Bytes("_".utf8) + bigEndian(UInt64(sub))
    }

    static func bigEndian(_ value: UInt64) -> Bytes {
        var writer = ByteWriter(reserving: 8)
        writer.writeBigEndian(value)
        return writer.bytes
    }

    /// 32 bytes behind whole pages, by which etcd's tools know a file of `snapshot save`.
    private static func appendHash(_ path: String) throws(StoreError) {
        let descriptor = unsafe open(path, O_RDWR | O_APPEND | O_CLOEXEC)
        guard descriptor >= 0 else { throw StoreError(.corrupt, "cannot open \(path) again") }
        defer { close(descriptor) }
        guard let digest = hash(descriptor, bytes: Int.max) else {
            throw StoreError(.corrupt, "cannot read \(path)")
        }
        let written = unsafe digest.withUnsafeBytes {
            unsafe Glibc.write(descriptor, $0.baseAddress, $0.count)
        }
        guard written == digest.count, fsync(descriptor) == 0 else {
            throw StoreError(.corrupt, "cannot write the hash of \(path)")
        }
    }

    /// SHA-256 of the next so many bytes, or of all to the end; nil if they cannot be read.
    static func hash(_ descriptor: Int32, bytes: Int) -> Bytes? {
        var hash = SHA256()
        var buffer = Bytes(repeating: 0, count: 1 << 20)
        var left = bytes
        while left > 0 {
            let count = unsafe buffer.withUnsafeMutableBytes {
                unsafe Glibc.read(descriptor, $0.baseAddress, min($0.count, left))
            }
            guard count >= 0 else { return nil }
            guard count > 0 else { break }
            hash.update(data: buffer[..<count])
            left -= count
        }
        return Bytes(hash.finalize())
    }
}
