import Basics
import Glibc
import Raft
import Testing
import WriteAheadLog

@Suite struct WriteAheadLogTests {
    @Test func whatWasAppendedComesBack() throws {
        let files = MemoryLogFiles()
        var (log, recovered) = try reopen(files)
        #expect(recovered.isNew)
        #expect(recovered.lastIndex == 0)
        let state = HardState(term: 3, vote: 2, commit: 1)
        try log.append(hardState: state, entries: entries(1...3))
        try log.append(
            entries: [Entry(term: 3, index: 4, kind: .membership, payload: [9, 8]), entry(5)])
        try log.append(entries: [Entry(term: 3, index: 6, payload: [])])
        try log.sync()
        log.close()
        (log, recovered) = try reopen(files)
        #expect(!recovered.isNew)
        #expect(recovered.hardState == state)
        #expect(recovered.entries.map(\.index) == Array(1...6))
        #expect(recovered.entries[3].kind == .membership)
        #expect(recovered.entries[3].payload == [9, 8])
        #expect(recovered.entries[5].payload == [])
        #expect(recovered.cutBytes == 0)
        #expect(log.lastIndex == 6)
    }

    @Test func aConflictingSuffixIsReplaced() throws {
        let files = MemoryLogFiles()
        let (log, _) = try reopen(files)
        try log.append(entries: entries(1...90, bytes: 200))
        try log.append(entries: entries(40...41, term: 2))
        try log.append(entries: entries(42...50, term: 3))
        try log.append(entries: entries(45...45, term: 4))
        try log.sync()
        let (_, recovered) = try reopen(files)
        #expect(recovered.entries.map(\.index) == Array(1...45))
        #expect(
            recovered.entries.map(\.term) == Array(repeating: 1, count: 39) + [2, 2, 3, 3, 3, 4])
        // The same while the early entries are only walked over.
        for skipping in [10, 39, 42, 45, 60] as [UInt64] {
            let (_, rest) = try reopen(files, skipping: skipping)
            #expect(rest.lastIndex == 45)
            #expect(rest.lastTerm == 4)
            #expect(rest.previousIndex == min(skipping, 45))
            #expect(rest.previousTerm == recovered.entries[Int(min(skipping, 45)) - 1].term)
            #expect(rest.entries == Array(recovered.entries.dropFirst(Int(skipping))))
        }
    }

    @Test func segmentsRotateAndAreReleased() throws {
        let files = MemoryLogFiles()
        let (log, _) = try reopen(files)
        let state = HardState(term: 7, vote: 3, commit: 60)
        try log.append(hardState: state, entries: [])
        for index in 1...100 as ClosedRange<UInt64> {
            try log.append(entries: [entry(index, term: 7, bytes: 300)])
        }
        try log.mark(SnapshotMark(index: 60, term: 7))
        try log.append(entries: entries(101...130, term: 7, bytes: 300))
        try log.sync()
        let before = try files.names()
        #expect(before.count > 5)
        try log.release(before: 61)
        let after = try files.names().filter { $0.hasSuffix(".wal") }
        #expect(after.count < before.count)
        #expect(after.count > 2)
        let (_, recovered) = try reopen(files)
        #expect(recovered.previousIndex <= 60)
        #expect(recovered.previousIndex > 40)
        #expect(recovered.previousTerm == 7)
        #expect(recovered.entries.map(\.index) == Array(recovered.previousIndex + 1...130))
        #expect(recovered.hardState == state)
        #expect(recovered.snapshot == SnapshotMark(index: 60, term: 7))
    }

    /// So a restart takes no longer with more log; the scrubber reads what this does not.
    @Test func segmentsOfSkippedEntriesAreNotRead() throws {
        let files = MemoryLogFiles()
        let (log, _) = try reopen(files)
        let state = HardState(term: 7, vote: 3, commit: 60)
        try log.append(hardState: state, entries: [])
        try log.append(entries: entries(1...20, term: 7, bytes: 300))
        try log.mark(SnapshotMark(index: 12, term: 7))
        for index in 21...130 as ClosedRange<UInt64> {
            try log.append(entries: [entry(index, term: 7, bytes: 300)])
        }
        try log.sync()
        let whole = log.usedBytes
        try files.flip(try #require(files.names().first), at: 5000, mask: 4)
        refusal(files, .corrupt)
        let (again, recovered) = try reopen(files, skipping: 100)
        #expect(recovered.damage == nil)
        #expect(recovered.previousIndex == 100)
        #expect(recovered.previousTerm == 7)
        #expect(recovered.entries.map(\.index) == Array(101...130))
        #expect(recovered.hardState == state)
        #expect(recovered.snapshot == SnapshotMark(index: 12, term: 7))
        #expect(again.usedBytes == whole)
        // What was not read can be released all the same.
        let before = try files.names().count
        try again.release(before: 101)
        #expect(try files.names().count < before)
        let (_, rest) = try reopen(files)
        #expect(rest.previousIndex <= 100)
        #expect(rest.entries.map(\.index) == Array(rest.previousIndex + 1...130))
    }

    /// An older segment ends behind the entries that are needed by nobody, in entries that a newer
    /// segment replaced: the older one is read, and the newer is not.
    @Test func whatWasReplacedDoesNotComeBackFromASegmentThatIsNotPassedOver() throws {
        let files = MemoryLogFiles()
        let (log, _) = try reopen(files)
        func fill(_ range: ClosedRange<UInt64>, _ term: UInt64, _ bytes: Int) throws {
            for index in range {
                try log.append(entries: [entry(index, term: term, bytes: bytes)])
                try log.sync()
            }
        }
        try fill(1...40, 1, 300)
        #expect(try files.names().count == 3)
        // The third segment goes on with these, and ends before entry 30.
        try fill(21...38, 2, 700)
        #expect(try files.names().count == 6)
        for skipping in 20...38 as ClosedRange<UInt64> {
            let (_, recovered) = try reopen(files, skipping: skipping)
            #expect(recovered.lastIndex == 38 && recovered.lastTerm == 2)
            #expect(recovered.entries.allSatisfy { $0.term == 2 })
        }
    }

    @Test func ofWhatIsNotNeededTheNewestIsKeptByCountAndBytes() throws {
        let files = MemoryLogFiles()
        let (log, _) = try reopen(files)
        for index in 1...130 as ClosedRange<UInt64> {
            try log.append(entries: [entry(index, term: 7, bytes: 300)])
        }
        try log.sync()
        func first(_ countMax: Int, _ bytesMax: Int, _ skipping: UInt64 = 120) throws -> UInt64? {
            let keeping = KeptEntries(countMax: countMax, bytesMax: bytesMax)
            let (_, recovered) = try reopen(files, skipping: skipping, keeping: keeping)
            let first = try #require(recovered.entries.first?.index)
            #expect(recovered.previousIndex == first - 1)
            #expect(recovered.previousTerm == (first == 1 ? 0 : 7))
            #expect(recovered.entries.map(\.index) == Array(first...130))
            return first
        }
        #expect(try first(0, 100_000) == 121)
        #expect(try first(50, 100_000) == 71)
        #expect(try first(1000, 100_000) == 1)
        #expect(try first(1000, 0) == 121)
        #expect(try first(1000, 3000) == 111)
        #expect(try first(5, 3000) == 116)
        // What is needed takes of the bytes by whole segments.
        #expect((81...91).contains(try #require(try first(1000, 3000, 90))))
        // Segments of what goes by its bytes are not read either.
        try files.flip(try #require(files.names().first), at: 5000, mask: 4)
        #expect(try first(1000, 3000) == 111)
        refusal(files, .corrupt)
    }

    @Test func theNewestSegmentKeepsStateOfTheReleased() throws {
        let files = MemoryLogFiles()
        let (log, _) = try reopen(files)
        try log.append(hardState: HardState(term: 2, vote: 1, commit: 0), entries: [])
        try log.append(entries: entries(1...20, bytes: 600))
        try log.mark(SnapshotMark(index: 20, term: 1))
        try log.append(entries: entries(21...21, bytes: 4000))
        try log.sync()
        try log.release(before: 21)
        let (_, recovered) = try reopen(files)
        #expect(recovered.hardState.vote == 1)
        #expect(recovered.snapshot.index == 20)
        #expect(recovered.entries.map(\.index) == [21])
        #expect(recovered.previousIndex == 20)
    }

    @Test func anInstalledSnapshotBeginsAnew() throws {
        let files = MemoryLogFiles()
        let (log, _) = try reopen(files)
        try log.append(entries: entries(1...10))
        try log.mark(SnapshotMark(index: 500, term: 9, isInstalled: true))
        try log.append(entries: entries(501...503, term: 9))
        try log.sync()
        for skipping in [0, 5, 500] as [UInt64] {
            let (_, recovered) = try reopen(files, skipping: skipping)
            #expect(recovered.previousIndex == 500)
            #expect(recovered.previousTerm == 9)
            #expect(recovered.entries.map(\.index) == [501, 502, 503])
        }
        // A later segment repeats the mark, but not that it empties the log.
        try log.append(entries: entries(504...540, term: 9, bytes: 500))
        try log.sync()
        #expect(try files.names().count > 1)
        let (_, later) = try reopen(files)
        #expect(later.entries.map(\.index) == Array(501...540))
    }

    @Test func oneAppendMayBeLargerThanASegment() throws {
        let files = MemoryLogFiles()
        let (log, _) = try reopen(files)
        try log.append(entries: [entry(1, bytes: 50_000)])
        try log.append(entries: [entry(2, bytes: 9)])
        try log.sync()
        let (_, recovered) = try reopen(files)
        #expect(recovered.entries.map(\.payload.count) == [50_000, 9])
    }

    @Test func aFullDeviceRefusesTheAppend() throws {
        let files = MemoryLogFiles()
        files.capacityBytes = 8192
        let (log, _) = try reopen(files)
        try log.append(entries: entries(1...10, bytes: 100))
        try log.sync()
        do throws(LogError) {
            try log.append(entries: [entry(11, bytes: 10_000)])
            Issue.record("appended")
        } catch {
            #expect(error.kind == .full)
            #expect(error.fatalExit == nil)
        }
        let (_, recovered) = try reopen(files)
        #expect(recovered.lastIndex == 10)
    }

    @Test func aFailedSyncIsFinal() throws {
        let files = MemoryLogFiles()
        let (log, _) = try reopen(files)
        try log.append(entries: entries(1...3))
        files.syncsUntilFailure = 0
        do throws(LogError) {
            try log.sync()
            Issue.record("synced")
        } catch {
            #expect(error.fatalExit == .syncFailed)
        }
    }

    @Test func filesOnDisk() throws {
        let path = "/tmp/martlet-wal-\(getpid())"
        let made = unsafe mkdir(path, 0o700)
        #expect(made == 0)
        let files = DirectoryLogFiles(path: path)
        var (log, recovered) = try reopen(files)
        try log.append(
            hardState: HardState(term: 1, vote: 1, commit: 2), entries: entries(1...60, bytes: 300))
        try log.append(entries: entries(61...70, bytes: 300))
        try log.sync()
        log.close()
        (log, recovered) = try reopen(files)
        #expect(recovered.entries == entries(1...70, bytes: 300))
        log.close()
        let names = try files.names()
        #expect(names.count == 2)
        for name in names { try files.remove(name) }
        #expect(throws: LogError.self) { try files.remove("nothing") }
        unsafe rmdir(path)
    }
}
