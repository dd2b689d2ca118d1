import Basics
import Keyspace
import LMDB
import TestSupport
import Testing

/// Files that earlier formats wrote.
@Suite struct FormatTests {
    /// Format 2 had the whole entry in `history`, as `current` has it.
    @Test func historyOfFormat2IsReadAndGoesOn() throws {
        let fixture = try Fixture()
        let keys = ["a", "b", "c"]
        let first = try fixture.put("a", "1")
        try fixture.put("b", "2")
        try fixture.put("c", "3")
        fixture.keyspace.stop()
        try rewrite(fixture.path, keys)
        try fixture.reopen()
        for key in keys { try fixture.put(key, key + key) }
        try fixture.delete("b")
        #expect(try fixture.text(.prefix("")) == ["a=aa", "c=cc"])
        #expect(try fixture.text(.prefix(""), at: first) == ["a=1"])
        #expect(try fixture.text(.prefix(""), at: first + 2) == ["a=1", "b=2", "c=3"])
        try scrub(fixture.keyspace)
        _ = try fixture.compact(first + 3).get()
        #expect(try fixture.text(.prefix(""), at: first + 3) == ["a=aa", "b=2", "c=3"])
        try scrub(fixture.keyspace)
        fixture.keyspace.stop()
        #expect(try formatVersion(fixture.path) == 3)
    }

    /// Throws at the first damage.
    private func scrub(_ keyspace: Keyspace) throws {
        var scrubber = Scrubber()
        while try scrubber.step(
            keyspace, bytesMax: 1 << 20, now: { MonotonicTime(nanoseconds: 0) })
        {}
    }

    private func environment(_ path: String) throws -> Environment {
        var options = Environment.Options()
        options.mapBytes = 1 << 30
        return try Environment(path: path, options: options)
    }

    private func rewrite(_ path: String, _ keys: [String]) throws {
        let transaction = try environment(path).beginWrite()
        let current = try #require(try unsafe transaction.view.open("current"))
        let history = try #require(try unsafe transaction.view.open("history"))
        for key in keys {
            let entry = try #require(
                try unsafe Bytes(key.utf8).withUnsafeBytes { raw in
                    unsafe try transaction.view.get(raw, in: current).map { unsafe Bytes($0) }
                })
            let historyKey =
                Bytes(key.utf8) + [0] + entry[0..<8].reversed() + entry[40..<44].reversed()
            let sum = CRC32C.checksum(
                Bytes(entry[..<52]), continuing: CRC32C.checksum(historyKey))
            let value = Bytes(entry[..<52]) + littleEndian(sum)
            unsafe try put(historyKey, value, history, transaction.changes)
        }
        let meta = try #require(try unsafe transaction.view.open("meta"))
        var state = try #require(try unsafe get("state", meta, transaction.view))
        state[4] = 2
        let sum = littleEndian(CRC32C.checksum(Bytes(state[4...])))
        unsafe try put(Bytes("state".utf8), sum + state[4...], meta, transaction.changes)
        try transaction.commit()
    }

    private func formatVersion(_ path: String) throws -> UInt8 {
        let transaction = try environment(path).beginRead()
        let meta = try #require(try unsafe transaction.view.open("meta"))
        return try #require(try unsafe get("state", meta, transaction.view))[4]
    }

    private func get(
        _ key: String, _ database: Database, _ view: TransactionView
    ) throws -> Bytes? {
        try unsafe Bytes(key.utf8).withUnsafeBytes { raw in
            unsafe try view.get(raw, in: database).map { unsafe Bytes($0) }
        }
    }

    private func put(
        _ key: Bytes, _ value: Bytes, _ database: Database, _ changes: TransactionChanges
    ) throws {
        try unsafe key.withUnsafeBytes { key in
            try unsafe value.withUnsafeBytes { unsafe try changes.put(key, $0, in: database) }
        }
    }

    private func littleEndian(_ value: UInt32) -> Bytes {
        (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }
}
