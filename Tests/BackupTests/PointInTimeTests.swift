import Backup
import Basics
import Keyspace
import TestSupport
import Testing

@Suite struct PointInTimeTests {
    /// Restores to a goal and answers what stands there then.
    private func restored(
        _ history: History, _ goal: RestoreGoal, source: String? = nil, bump: Int64 = 0,
        marksCompacted: Bool = false
    ) throws -> (
        hash: StateHash, keyspace: Keyspace, prepared: Restore.Prepared, TemporaryDirectory
    ) {
        var restore = Restore(
            source: source ?? history.snapshots, archives: [history.snapshots], goal: goal)
        restore.bumpRevision = bump
        restore.marksCompacted = marksCompacted
        let scratch = TemporaryDirectory()
        let prepared = try restore.prepare(scratch: scratch.path)
        try SnapshotFile.restore(prepared.path, into: scratch.path + "/result")
        let keyspace = try Keyspace.open(directory: scratch.path + "/result")
        return (try keyspace.stateHash(), keyspace, prepared, scratch)
    }

    private func history(seed: UInt64, steps: Int) throws -> History {
        let history = try History(seed: seed)
        try history.saveSnapshot()
        for _ in 0..<steps {
            try history.step()
            if history.random.chance(1, in: 60) { try history.archive() }
            if history.random.chance(1, in: 150) { try history.saveSnapshot() }
        }
        try history.archive()
        return history
    }

    @Test(arguments: UInt64(1)...4)
    func everyRevisionRestoresToTheModelsState(seed: UInt64) throws {
        let history = try history(seed: seed, steps: 500)
        var random = SeededRandom(seed: seed &* 77)
        for _ in 0..<30 {
            let target = Int64(2 + random.below(Int(history.keyspace.revision) - 1))
            // Inside a commit the whole commit counts.
            let expected = try #require(history.states.first { $0.revision >= target })
            let (hash, keyspace, _, _) = try restored(history, .revision(target))
            #expect(keyspace.revision == expected.revision)
            #expect(hash == expected.hash, "revision \(target) of seed \(seed)")
            keyspace.stop()
        }
    }

    @Test(arguments: UInt64(5)...7)
    func everyTimeRestoresToTheModelsState(seed: UInt64) throws {
        let history = try history(seed: seed, steps: 400)
        var random = SeededRandom(seed: seed &* 77)
        let first = try #require(history.states.first).milliseconds
        for _ in 0..<20 {
            let time = first + UInt64(random.below(Int(history.milliseconds - first)))
            let expected = try #require(history.states.last { $0.milliseconds <= time })
            let (hash, keyspace, prepared, _) = try restored(history, .time(time))
            #expect(keyspace.revision == expected.revision)
            #expect(hash == expected.hash)
            #expect(prepared.milliseconds <= time)
            keyspace.stop()
        }
    }

    @Test func aGoalThatCannotBeReachedIsAnErrorAndBeyondTheArchiveANote() throws {
        let history = try history(seed: 9, steps: 50)
        let end = history.keyspace.revision
        let late = #expect(throws: BackupError.self) {
            try restored(history, .revision(end + 1))
        }
        #expect(late?.message.contains("ends at revision \(end), before \(end + 1)") == true)
        let early = #expect(throws: BackupError.self) { try restored(history, .time(5)) }
        #expect(early?.message.contains("no snapshot to begin with") == true)
        let newest = try history.saveSnapshot()
        let one = #expect(throws: BackupError.self) {
            try restored(history, .revision(2), source: newest)
        }
        #expect(one?.message.contains("is of revision \(end), after 2") == true)
        let beyond = try restored(history, .time(history.milliseconds + 5000))
        #expect(beyond.prepared.notes.count == 1)
        #expect(beyond.hash == history.states.last?.hash)
    }

    @Test func aMissingArchiveFileIsNamedAndADamagedSnapshotPassedOver() throws {
        let history = try History(seed: 3)
        try history.saveSnapshot()
        for _ in 0..<3 {
            for _ in 0..<20 { try history.step() }
            try history.archive()
        }
        let newest = try history.saveSnapshot()
        for _ in 0..<20 { try history.step() }
        try history.archive()
        let end = history.keyspace.revision
        let name = String(newest.split(separator: "/").last ?? "")
        var bytes = try history.directory.read("snapshots/" + name)
        bytes[bytes.count / 2] ^= 1
        try history.directory.write("snapshots/" + name, bytes)
        let passed = try restored(history, .revision(end))
        #expect(passed.hash == history.states.last?.hash)
        #expect(passed.prepared.notes.first?.contains(name) == true)
        // Without the second file of the archive there is a gap.
        let second = try ArchiveFile.all(in: history.snapshots)[1]
        let content = String(second.path.split(separator: "/").last ?? "")
        try history.directory.write("snapshots/" + content, [])
        let empty = #expect(throws: BackupError.self) { try restored(history, .revision(end)) }
        #expect(empty?.message.contains(content) == true)
        try history.directory.delete("snapshots/" + content)
        let gap = #expect(throws: BackupError.self) { try restored(history, .revision(end)) }
        #expect(
            gap?.message.contains(
                "entries \(second.first) to \(second.last) of the log are missing")
                == true)
    }

    @Test func bumpedRevisionsAreNeverUsedTwiceAndOldWatchesAreRefused() throws {
        let history = try history(seed: 11, steps: 100)
        let path = try history.saveSnapshot()
        let old = history.keyspace.revision
        let plain = try restored(history, .snapshot, source: path, bump: 1000)
        #expect(plain.keyspace.revision == old + 1000)
        #expect(plain.keyspace.compactRevision == history.keyspace.compactRevision)
        #expect(plain.hash == history.states.last?.hash)
        let marked = try restored(
            history, .snapshot, source: path, bump: 1000, marksCompacted: true)
        #expect(marked.keyspace.compactRevision == old + 1000)
        #expect(marked.hash == history.states.last?.hash)
        let read = marked.keyspace.range(RangeRequest(.all, revision: old))
        #expect(throws: StoreError.self) { try read.get() }
    }

    @Test func theArchiveGoesOnWhereItEndsAndNamesAGap() throws {
        let history = try History(seed: 21)
        for _ in 0..<10 { try history.step() }
        let archiver = history.archiver
        #expect(try archiver.catchUp(applied: 4, bridged: 0) == .archived(first: 1, last: 4))
        #expect(try archiver.catchUp(applied: 4, bridged: 0) == .upToDate)
        #expect(try archiver.catchUp(applied: 10, bridged: 0) == .archived(first: 5, last: 10))
        for file in try ArchiveFile.all(in: history.snapshots) {
            #expect(
                try file.entries(clusterID: History.cluster).count == Int(file.last - file.first)
                    + 1)
            #expect(throws: BackupError.self) { try file.entries(clusterID: 7) }
        }
    }
}
