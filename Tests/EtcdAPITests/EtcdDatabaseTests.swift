import Basics
import Bolt
import EtcdAPI
import EtcdMessages
import Glibc
import Keyspace
import Store
import TestSupport
import Testing

/// Database files of etcd, written and read.
@Suite(.timeLimit(.minutes(1)))
struct EtcdDatabaseTests {
    /// A new keyspace in a folder of its own.
    private func withNew<Result>(_ body: (Keyspace) throws -> Result) throws -> Result {
        let directory = TemporaryDirectory()
        let keyspace = try Keyspace.open(directory: directory.path)
        defer { keyspace.stop() }
        return try body(keyspace)
    }

    @Test(arguments: [0, 1, 2, 3] as [UInt64])
    func `What is exported is imported, at every revision`(seed: UInt64) async throws {
        var random = SeededRandom(seed: seed)
        let store = try KeyspaceStore()
        defer { store.close() }
        for id in [5, -7] as [Int64] { _ = try await store.leaseGrant(id: id, ttlSeconds: 300) }
        for step in 0..<400 {
            let keys = (0..<2).map { _ in bytes("k\(random.below(12))") }
            let size = [0, 3, 2000, 9000][random.below(4)]
            let lease = [0, 0, 5, -7][random.below(4)] as Int64
            let put = PutRequest(
                key: keys[0], value: Bytes(repeating: UInt8(step & 255), count: size),
                lease: lease)
            var operations: [Operation] = random.chance(1, in: 4) ? [] : [.put(put)]
            if keys[0] != keys[1] { operations.append(.deleteRange(.init(.key(keys[1])))) }
            _ = try await store.transaction(TransactionRequest(success: operations))
            if step == 150 { _ = try await store.compact(to: store.revision - 20) }
        }
        let directory = TemporaryDirectory()
        let snapshot = directory.path + "/own"
        try SnapshotFile.save(store.keyspace.snapshot(clusterID: 1), to: snapshot)
        let path = directory.path + "/db"
        try EtcdDatabase.write(snapshot: snapshot, to: path)
        let status = try await store.status()
        try withNew { keyspace in
            let imported = try EtcdDatabase.read(path, into: keyspace, checksHash: true)
            #expect(imported.revision == status.revision && imported.leases == 2)
            #expect(imported.compactRevision == status.compactRevision && imported.notes == [])
            for revision in status.compactRevision...status.revision {
                let request = RangeRequest(.all, revision: revision)
                let (mine, theirs) = (keyspace.range(request), store.keyspace.range(request))
                #expect(try mine.get().keyValues == theirs.get().keyValues)
            }
            let old = keyspace.range(RangeRequest(.all, revision: status.compactRevision - 1))
            #expect(throws: StoreError.compacted(at: status.compactRevision)) { try old.get() }
            for id in [5, -7] as [Int64] {
                #expect(
                    try keyspace.lease(id, keys: true).get().keys.sorted { $0.hex < $1.hex }
                        == store.keyspace.lease(id, keys: true).get().keys.sorted {
                            $0.hex < $1.hex
                        })
            }
        }
    }

    /// One record as etcd has it.
    private struct Record {
        var revision: UInt64 = 2
        var sub: UInt64 = 0
        var mark: Bytes = []
        var key = bytes("a")
        var created: Int64 = 2
        var mod: Int64 = 2
        var version: Int64 = 1
        var lease: Int64 = 0

        var position: Bytes {
            var writer = ByteWriter()
            writer.writeBigEndian(revision)
            writer.write(UInt8(ascii: "_"))
            writer.writeBigEndian(sub)
            return writer.bytes + mark
        }

        var value: Bytes {
            KeyValue(
                key: key, value: [], createRevision: created, modRevision: mod, version: version,
                lease: lease
            ).protobufBytes
        }
    }

    private func read(
        _ records: [Record], compacted: Bytes? = nil, lease: Bytes? = nil
    ) throws -> EtcdDatabase.Imported {
        let directory = TemporaryDirectory()
        let path = directory.path + "/db"
        let writer = try BoltWriter(path)
        try writer.begin(bucket: bytes("key"))
        for record in records { try writer.add(record.position, record.value) }
        try writer.begin(bucket: bytes("lease"))
        if let lease { try writer.add([1], lease) }
        try writer.begin(bucket: bytes("meta"))
        if let compacted { try writer.add(bytes("scheduledCompactRev"), compacted) }
        try writer.finish()
        return try withNew { try EtcdDatabase.read(path, into: $0, checksHash: false) }
    }

    @Test func `Records that cannot be are named`() throws {
        let first = Record()
        let cases: [([Record], String)] = [
            ([Record(mark: bytes("x"))], "is not a revision"),
            ([Record(sub: 1 << 40)], "is not a revision"),
            ([Record(revision: 1 << 63)], "is not a revision"),
            ([Record(revision: 3)], "revision 3.0: its value says 2"),
            ([Record(revision: 0, mod: 0)], "revision 0.0"),
            ([Record(key: [])], "a key of 0 bytes"),
            ([Record(key: Bytes(repeating: 1, count: 4097))], "a key of 4097 bytes"),
            ([Record(version: 0)], "revision 2.0, key a: version 0"),
            ([Record(created: 3)], "version 1, created at 3"),
            ([Record(created: 1, version: 1)], "version 1, but created at 1"),
            ([Record(created: 1, version: 2)], "version 2 of a key that is not there"),
            (
                [first, Record(revision: 3, mod: 3, version: 3)],
                "version 3, created at 2, after version 1, created at 2"
            ),
            ([Record(mark: bytes("t"))], "it deletes a key that is not there"),
        ]
        for (records, words) in cases {
            #expect {
                _ = try read(records)
            } throws: { error in
                "\(error)".contains("/db: ") && "\(error)".contains(words)
            }
        }
    }

    @Test func `Meta and leases that cannot be are named`() throws {
        #expect(throws: EtcdDatabaseError.self) { try read([Record()], compacted: [1, 2]) }
        #expect(throws: EtcdDatabaseError.self) { try read([Record()], lease: [0xff]) }
        #expect(throws: EtcdDatabaseError.self) { try read([Record()], lease: [8, 7]) }
    }

    @Test func `Where history begins, a version may stand on nothing`() throws {
        var compacted = Record(revision: 9).position
        let imported = try read(
            [
                Record(revision: 5, created: 3, mod: 5, version: 4),
                Record(revision: 7, mark: bytes("t"), key: bytes("b")),
                Record(revision: 8, created: 3, mod: 8, version: 5, lease: 99),
            ], compacted: compacted)
        #expect(imported.revision == 9 && imported.compactRevision == 9)
        #expect(imported.notes.count == 1 && imported.changes == 3)
        compacted[7] = 6
        #expect(throws: EtcdDatabaseError.self) {
            try read([Record(revision: 8, created: 3, mod: 8, version: 5)], compacted: compacted)
        }
    }
}
