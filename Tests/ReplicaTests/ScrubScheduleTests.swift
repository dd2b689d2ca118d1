import Basics
import Keyspace
import Replica
import TestSupport
import Testing

/// The passes of the scrubber, in a time that the test makes.
@Suite struct ScrubScheduleTests {
    private let start = MonotonicTime(nanoseconds: 7_000_000_000)
    private let scratch = TemporaryDirectory()

    private func keyspace(values: Int, of bytes: Int) throws -> Keyspace {
        try scratch.makeDirectory("keyspace")
        let keyspace = try Keyspace.open(directory: scratch.path + "/keyspace")
        var entries: [AppliedEntry] = []
        for number in 1...values {
            let put = PutRequest(
                key: Bytes("key-\(number)".utf8), value: Bytes(repeating: 7, count: bytes))
            entries.append(
                AppliedEntry(
                    index: UInt64(number), term: 1,
                    command: .transaction(TransactionRequest(success: [.put(put)]))))
        }
        _ = try keyspace.apply(entries)
        return keyspace
    }

    /// Comes whenever a slice is due until a pass has ended; answers when its last slice was.
    private func pass(
        _ schedule: inout ScrubSchedule, _ keyspace: Keyspace, logs: inout Int
    ) throws -> MonotonicTime {
        for _ in 0..<10_000 {
            let due = try #require(schedule.next)
            schedule.turn(keyspace, now: { due }, scrubLog: { logs += 1 })
            if schedule.report.isComplete { return due }
        }
        throw NeverHappened(what: "the end of a pass")
    }

    @Test func everyPassReadsLogAndKeyspaceAndHasItsTime() throws {
        let keyspace = try keyspace(values: 20, of: 100)
        defer { keyspace.stop() }
        var schedule = ScrubSchedule(seconds: 3600, now: start)
        var logs = 0
        // Not while the replica still starts.
        let first = start.advanced(milliseconds: 180_000)
        #expect(schedule.next == first)
        schedule.turn(keyspace, now: { start }, scrubLog: { logs += 1 })
        #expect(logs == 0)
        #expect(schedule.next == first)
        let end = try pass(&schedule, keyspace, logs: &logs)
        #expect(logs == 1)
        #expect(end.milliseconds(since: first) < 60_000)
        let report = schedule.report
        // Each of them stands in three tables.
        #expect(report.entries >= 60)
        #expect(report.bytes > 20 * 100)
        // Then nothing, until the time of the pass is over.
        let second = first.advanced(milliseconds: 3_600_000)
        #expect(schedule.next == second)
        let early = MonotonicTime(nanoseconds: second.nanoseconds - 1)
        schedule.turn(keyspace, now: { early }, scrubLog: { logs += 1 })
        #expect(logs == 1)
        _ = try pass(&schedule, keyspace, logs: &logs)
        #expect(logs == 2)
        #expect(schedule.report == report)
        #expect(schedule.next == second.advanced(milliseconds: 3_600_000))
    }

    /// 30 MB in 120 s: about 80 slices, one a second, and a few more where tables end.
    @Test func aLargeKeyspaceIsSpreadOverItsTime() throws {
        let keyspace = try keyspace(values: 300, of: 100_000)
        defer { keyspace.stop() }
        var schedule = ScrubSchedule(seconds: 120, now: start)
        let first = try #require(schedule.next)
        var logs = 0
        let end = try pass(&schedule, keyspace, logs: &logs)
        #expect(logs == 1)
        #expect((40_000...100_000).contains(end.milliseconds(since: first)))
    }

    @Test func aSliceIsAShareOfTwoThirdsOfTheTime() {
        #expect(ScrubSchedule.bytesPerSlice(of: 2400 << 20, in: 3600) == 1 << 20)
        // Small files are done soon, and all of the file is no more than one slice.
        #expect(ScrubSchedule.bytesPerSlice(of: 4096, in: 3600) == 256 << 10)
        #expect(ScrubSchedule.bytesPerSlice(of: 100 << 20, in: 1) == 100 << 20)
    }

    @Test func withoutAKeyspaceItComesAgainASecondLater() throws {
        var schedule = ScrubSchedule(seconds: 3600, now: start)
        var logs = 0
        let due = try #require(schedule.next)
        schedule.turn(nil, now: { due }, scrubLog: { logs += 1 })
        #expect(logs == 0)
        #expect(schedule.next == due.advanced(milliseconds: 1000))
    }

    @Test func zeroSecondsAreNever() throws {
        let keyspace = try keyspace(values: 1, of: 1)
        defer { keyspace.stop() }
        var schedule = ScrubSchedule(seconds: 0, now: start)
        #expect(schedule.next == nil)
        var logs = 0
        let late = start.advanced(milliseconds: 1 << 40)
        schedule.turn(keyspace, now: { late }, scrubLog: { logs += 1 })
        #expect(logs == 0)
        #expect(schedule.report.entries == 0)
    }
}
