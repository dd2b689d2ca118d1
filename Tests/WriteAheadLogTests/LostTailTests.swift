import Basics
import Raft
import Testing
import WriteAheadLog

/// Opening with peers: damage costs entries, never the knowledge that they may be committed.
@Suite struct LostTailTests {
    private let goOn = DamagePolicy.goOn(applied: 0, term: 0)

    private func sample() throws -> (files: MemoryLogFiles, log: WriteAheadLog) {
        let files = MemoryLogFiles()
        let (log, _) = try reopen(files, segmentBytes: 1 << 20)
        try log.append(hardState: HardState(term: 2, vote: 3, commit: 1), entries: [])
        for index in 1...20 as ClosedRange<UInt64> {
            try log.append(
                hardState: HardState(term: 2, vote: 3, commit: index - 1),
                entries: [entry(index, term: 2, bytes: 700)])
            try log.sync()
        }
        return (files, log)
    }

    /// Flips a byte of the frame that holds entry `index`.
    private func damage(_ files: MemoryLogFiles, entry index: UInt64) throws {
        let name = try #require(try files.names().last)
        // Preamble and first frame, then two sectors an entry.
        try files.flip(name, at: 4096 + 512 + Int(index - 1) * 1024 + 600, mask: 4)
    }

    @Test func aHoleInTheMiddleIsRemembered() throws {
        var (files, log) = try sample()
        try damage(files, entry: 8)
        #expect(refusal(files, .corrupt)?.offset == UInt64(4096 + 512 + 7 * 1024))
        var recovered: RecoveredLog
        (log, recovered) = try reopen(files, segmentBytes: 1 << 20, damage: goOn)
        // Of entry 7 nothing before the damage says that it is committed.
        #expect(recovered.lastIndex == 6)
        #expect(recovered.lost == .upTo(term: 2, index: 20))
        #expect(recovered.hardState == HardState(term: 2, vote: 3, commit: 19))
        #expect(recovered.damage?.error.offset == UInt64(4096 + 512 + 7 * 1024))
        // What is lost is known over restarts, rotations and further appends, until it is there.
        try log.append(entries: entries(7...9, term: 2))
        try log.sync()
        (log, recovered) = try reopen(files, segmentBytes: 1 << 20)
        #expect(recovered.lost == .upTo(term: 2, index: 20))
        #expect(recovered.damage == nil)
        #expect(recovered.entries.map(\.index) == Array(1...9))
        try log.append(entries: entries(10...60, term: 2, bytes: 30_000))
        try log.append(entries: entries(61...62, term: 2))
        try log.sync()
        (log, recovered) = try reopen(files, segmentBytes: 1 << 20)
        #expect(recovered.lost == .upTo(term: 2, index: 20))
        try log.markHealed()
        try log.sync()
        (log, recovered) = try reopen(files, segmentBytes: 1 << 20)
        #expect(recovered.lost == nil)
        #expect(recovered.lastIndex == 62)
    }

    /// What replaced the end of the log is damaged: what stood there before must not come back,
    /// neither now nor at a later opening, which meets no damage.
    @Test func aReplacedEntryStaysReplaced() throws {
        let files = MemoryLogFiles()
        var (log, recovered) = try reopen(files, segmentBytes: 1 << 20)
        try log.append(hardState: HardState(term: 3, vote: 1, commit: 12), entries: entries(1...13))
        try log.sync()
        let name = try #require(try files.names().last)
        let end = try usedBytes(files, name)
        try log.append(
            hardState: HardState(term: 5, vote: 2, commit: 12), entries: [entry(13, term: 5)])
        try log.sync()
        try log.append(hardState: HardState(term: 5, vote: 2, commit: 13), entries: [])
        try log.sync()
        try files.flip(name, at: end + 40, mask: 1)
        let policy = DamagePolicy.goOn(applied: 11, term: 1)
        (log, recovered) = try reopen(files, segmentBytes: 1 << 20, damage: policy)
        #expect(recovered.lastIndex == 12)
        #expect(recovered.lost == .upTo(term: 5, index: 13))
        (log, recovered) = try reopen(files, segmentBytes: 1 << 20)
        #expect(recovered.lastIndex == 12 && log.lastIndex == 12)
        #expect(recovered.damage == nil && recovered.hardState.commit == 13)
        try log.append(entries: [entry(13, term: 5)])
        try log.sync()
        (log, recovered) = try reopen(files, segmentBytes: 1 << 20)
        #expect(recovered.entries.last?.term == 5 && recovered.lastIndex == 13)
    }

    /// The state machine has the entry that is damaged, the log one that it replaced.
    @Test func anEntryBehindWhichTheStateMachineStandsIsComparedByItsTerm() throws {
        let files = MemoryLogFiles()
        var (log, recovered) = try reopen(files, segmentBytes: 1 << 20)
        try log.append(hardState: HardState(term: 3, vote: 1, commit: 9), entries: entries(1...13))
        try log.sync()
        let name = try #require(try files.names().last)
        let end = try usedBytes(files, name)
        let replacing = entries(11...15, term: 5)
        try log.append(hardState: HardState(term: 5, vote: 2, commit: 9), entries: replacing)
        try log.sync()
        try log.append(hardState: HardState(term: 5, vote: 2, commit: 15), entries: [])
        try log.sync()
        try files.flip(name, at: end + 40, mask: 1)
        let policy = DamagePolicy.goOn(applied: 12, term: 5)
        (log, recovered) = try reopen(files, segmentBytes: 1 << 20, damage: policy)
        #expect(recovered.lastIndex == 12 && recovered.lastTerm == 5)
        #expect(recovered.lost == .upTo(term: 5, index: 15))
        // The log that the state machine agrees with is kept.
        (log, recovered) = try reopen(files, segmentBytes: 1 << 20)
        #expect(recovered.previousIndex == 12 && recovered.previousTerm == 5)
    }

    @Test func aDamagedEndIsUnknown() throws {
        let (files, _) = try sample()
        try damage(files, entry: 20)
        let (_, recovered) = try reopen(files, segmentBytes: 1 << 20, damage: goOn)
        #expect(recovered.lastIndex == 18)
        #expect(recovered.lost == .unknown)
        #expect(recovered.hardState.vote == 3)
        // Two damaged places.
        let (second, _) = try sample()
        try damage(second, entry: 5)
        try damage(second, entry: 20)
        let (_, both) = try reopen(second, segmentBytes: 1 << 20, damage: goOn)
        #expect(both.lastIndex == 3)
        #expect(both.lost == .unknown)
    }

    /// The vote is in the record that is damaged, and in two more places.
    @Test func aVoteOutlivesItsRecord() throws {
        let files = MemoryLogFiles()
        let (log, _) = try reopen(files, segmentBytes: 1 << 20)
        try log.append(entries: entries(1...2))
        try log.sync()
        try log.append(hardState: HardState(term: 9, vote: 2, commit: 1), entries: [])
        try log.sync()
        let name = try #require(try files.names().last)
        let end = try usedBytes(files, name)
        let content = try files.content(of: name)
        for copy in [1024, 1536] {
            try files.flip(name, at: end - 300, mask: 1)
            try files.flip(name, at: copy + 9, mask: 1)
            let (_, recovered) = try reopen(files, segmentBytes: 1 << 20, damage: goOn)
            #expect(recovered.hardState == HardState(term: 9, vote: 2, commit: 0))
            for other in try files.names() where other != name { try files.remove(other) }
            try files.setContent(of: name, content)
        }
        // With all three damaged it could vote twice: refused, whoever could help.
        for offset in [end - 300, 1024 + 9, 1536 + 9] { try files.flip(name, at: offset, mask: 1) }
        do throws(LogError) {
            _ = try reopen(files, segmentBytes: 1 << 20, damage: goOn)
            Issue.record("opened")
        } catch {
            #expect(error.fatalExit == .corrupt)
            #expect(error.reason.contains("vote"))
        }
    }

    /// Entries that the state machine holds are not needed from the log.
    @Test func damageBelowTheAppliedEntryCostsNothing() throws {
        let (files, _) = try sample()
        try damage(files, entry: 8)
        let (log, recovered) = try reopen(
            files, segmentBytes: 1 << 20, damage: .goOn(applied: 15, term: 2))
        #expect(recovered.lost == nil)
        #expect(recovered.damage != nil)
        #expect(recovered.previousIndex == 9)
        #expect(recovered.entries.map(\.index) == Array(10...20))
        #expect(log.lastIndex == 20)
    }

    /// The state machine is ahead of what is left: the log goes on behind it.
    @Test func theLogGoesOnBehindTheStateMachine() throws {
        let (files, _) = try sample()
        try damage(files, entry: 8)
        try damage(files, entry: 17)
        var (log, recovered) = try reopen(
            files, segmentBytes: 1 << 20, damage: .goOn(applied: 15, term: 2))
        #expect(recovered.previousIndex == 15)
        #expect(recovered.previousTerm == 2)
        #expect(recovered.entries.isEmpty)
        #expect(recovered.lost == .upTo(term: 2, index: 20))
        try log.append(entries: [entry(16, term: 3)])
        try log.sync()
        (log, recovered) = try reopen(files, segmentBytes: 1 << 20)
        #expect(recovered.previousIndex == 15)
        #expect(recovered.entries.map(\.index) == [16])
        try log.release(before: 16)
        #expect(try files.names().count == 1)
    }

    /// Damage of both headers, or of a frame without entries: all entries are there.
    @Test func damageWithoutEntriesCostsNothing() throws {
        let files = MemoryLogFiles()
        let (log, _) = try reopen(files)
        for index in 1...30 as ClosedRange<UInt64> {
            try log.append(entries: [entry(index, bytes: 300)])
            try log.sync()
        }
        let names = try files.names()
        for copy in [0, 512] { try files.flip(names[1], at: copy + 100, mask: 1) }
        #expect(refusal(files, .corrupt)?.file == names[1])
        let (_, recovered) = try reopen(files, damage: goOn)
        #expect(recovered.lost == nil)
        #expect(recovered.damage?.error.file == names[1])
        #expect(recovered.entries.map(\.index) == Array(1...30))
    }

    /// The segments behind the damage say how the damaged one ended, and do not count any more.
    @Test func aHoleInAnOlderSegmentIsMetOnce() throws {
        let files = MemoryLogFiles()
        let (log, _) = try reopen(files)
        for index in 1...60 as ClosedRange<UInt64> {
            try log.append(entries: [entry(index, bytes: 300)])
            try log.sync()
        }
        let names = try files.names()
        #expect(names.count > 2)
        // Preamble and first frame, then a sector an entry.
        try files.misread(names[0], at: 4096 + 512 + 4 * 512 + 600, mask: 4)
        var (again, recovered) = try reopen(files, damage: goOn)
        #expect(recovered.lost == .upTo(term: 1, index: 60))
        let last = recovered.lastIndex
        try again.append(entries: [entry(last + 1, term: 4)])
        try again.sync()
        _ = try LogScan.scan(files, clusterID: cluster) { _, _, _ in nil }
        (again, recovered) = try reopen(files)
        #expect(recovered.previousIndex == 0)
        #expect(recovered.entries.map(\.index) == Array(1...last + 1))
        #expect(recovered.damage == nil)
    }

    @Test func aMissingFileIsAHole() throws {
        let files = MemoryLogFiles()
        let (log, _) = try reopen(files)
        for index in 1...60 as ClosedRange<UInt64> {
            try log.append(
                hardState: HardState(term: 1, vote: 0, commit: index - 1),
                entries: [entry(index, bytes: 300)])
            try log.sync()
        }
        let names = try files.names()
        try files.remove(names[1])
        var (again, recovered) = try reopen(files, damage: goOn)
        #expect(recovered.lastIndex > 5 && recovered.lastIndex < 25)
        #expect(recovered.lost == .upTo(term: 1, index: 60))
        let last = recovered.lastIndex
        try again.append(entries: [entry(last + 1, term: 4)])
        try again.sync()
        (again, recovered) = try reopen(files)
        #expect(recovered.lastIndex == last + 1)
    }
}
