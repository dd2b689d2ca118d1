import Basics
import Glibc
import Keyspace
import LMDB
import TestSupport
import Testing

@Suite struct ScrubberTests {
    /// A keyspace with something in every table.
    private static func filled() throws -> Fixture {
        let fixture = try Fixture { $0.compactionRecordsPerApply = 10 }
        try fixture.apply(.leaseGrant(id: 7, ttlSeconds: 60))
        try fixture.apply(.membership([1, 2, 3]))
        for number in 0..<60 {
            let value = String(repeating: "v\(number) ", count: number * 20)
            try fixture.put("key-\(number % 20)", value, lease: number % 3 == 0 ? 7 : 0)
        }
        try fixture.put(String(repeating: "long", count: 900), "1", lease: 7)
        try fixture.put(String(repeating: "long", count: 901), "1")
        try fixture.delete("key-3")
        _ = try fixture.compact(40)
        try fixture.put("after", "1")
        return fixture
    }

    @discardableResult
    private static func scrub(
        _ keyspace: Keyspace, bytesMax: Int = 1 << 20
    ) throws(KeyspaceError) -> Scrubber.Report {
        var scrubber = Scrubber()
        while try scrubber.step(
            keyspace, bytesMax: bytesMax, now: { MonotonicTime(nanoseconds: 0) })
        {}
        return scrubber.report
    }

    @Test(arguments: [1, 3000, 1 << 30])
    func aPassSeesEverythingWhateverTheSlices(bytesMax: Int) throws {
        let fixture = try Self.filled()
        let report = try Self.scrub(fixture.keyspace, bytesMax: bytesMax)
        #expect(report.isComplete)
        #expect(report.entries > 200)
        #expect(report.freePages > 0)
        #expect(try report == Self.scrub(fixture.keyspace))
        #expect(fixture.keyspace.damage == nil)
    }

    @Test func aPassRunsBesideTheWriter() throws {
        let fixture = try Self.filled()
        var scrubber = Scrubber()
        var number = 0
        while try scrubber.step(
            fixture.keyspace, bytesMax: 2000, now: { MonotonicTime(nanoseconds: 0) })
        {
            number += 1
            try fixture.put("key-\(number % 20)", String(repeating: "w", count: 5000))
            if number % 10 == 0 { _ = try fixture.compact(fixture.keyspace.revision) }
            if number % 7 == 0 { try fixture.delete("key-\(number % 5)") }
            if number > 2000 { break }
        }
        #expect(scrubber.report.isComplete)
    }

    /// What a table says, taken away or altered in a way that LMDB finds in order.
    @Test(arguments: [
        "records", "current", "history", "leases", "leaseKeys", "longKeys", "meta",
    ])
    func missingAndAlteredEntriesAreFound(name: String) throws {
        for removes in [true, false] {
            let fixture = try Self.filled()
            fixture.keyspace.stop()
            try Self.change(fixture.path, name, removes: removes)
            let keyspace: Keyspace
            do throws(KeyspaceError) {
                keyspace = try Keyspace.open(directory: fixture.path, options: fixture.options)
            } catch {
                #expect(error.code == .corrupt && name == "meta")
                continue
            }
            defer { keyspace.stop() }
            // Whether there should be a lease or a blob nothing else says; the hash of the state
            // does.
            let isFree = removes && ["leaseKeys", "meta"].contains(name)
            if isFree {
                #expect(throws: Never.self) { try Self.scrub(keyspace) }
                continue
            }
            let error = #expect(throws: KeyspaceError.self) { try Self.scrub(keyspace) }
            #expect(error?.code == .corrupt)
            #expect(keyspace.damage != nil)
        }
    }

    /// A snapshot with damage in it would be all that is left to rebuild from.
    @Test(arguments: ["records", "leases", "meta"])
    func damageDoesNotSpreadToSnapshots(name: String) throws {
        let fixture = try Self.filled()
        fixture.keyspace.stop()
        try Self.change(fixture.path, name, removes: false)
        let error = #expect(throws: KeyspaceError.self) {
            let keyspace = try Keyspace.open(directory: fixture.path, options: fixture.options)
            defer { keyspace.stop() }
            let stream = try keyspace.snapshot(clusterID: 7)
            while try stream.next() != nil {}
        }
        #expect(error?.code == .corrupt)
    }

    /// Removes the last entry of a table, or flips a bit in the middle of its value.
    private static func change(_ path: String, _ name: String, removes: Bool) throws {
        var options = Environment.Options()
        options.mapBytes = 1 << 30
        let environment = try Environment(path: path, options: options)
        let transaction = try environment.beginWrite()
        let table = try transaction.create(name)
        let cursor = unsafe try transaction.view.cursor(table)
        let last = unsafe try #require(try name == "meta" ? cursor.first() : cursor.last())
        let key = unsafe Bytes(last.key)
        var value = unsafe Bytes(last.value)
        try unsafe key.withUnsafeBytes { key in
            if removes {
                unsafe try transaction.changes.delete(key, in: table)
            } else {
                value[value.count / 2] ^= 16
                try unsafe value.withUnsafeBytes { value in
                    unsafe try transaction.changes.put(key, value, in: table)
                }
            }
        }
        try transaction.commit()
    }
}
