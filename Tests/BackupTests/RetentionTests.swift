import Backup
import Basics
import Keyspace
import TestSupport
import Testing

/// Which of the snapshots taken by the clock are kept.
@Suite struct RetentionTests {
    private func snapshot(
        _ path: String, index: UInt64, milliseconds: UInt64 = 0
    ) -> SnapshotFolder.Found {
        let header = SnapshotHeader(
            clusterID: 7, index: index, term: 1, revision: Int64(index), compactRevision: 0,
            membership: [], createdMilliseconds: milliseconds)
        return (path: path, header: header)
    }

    private func archive(_ first: UInt64, _ last: UInt64) throws -> ArchiveFile {
        func digits(_ number: UInt64) -> String {
            let text = String(number, radix: 16)
            return String(repeating: "0", count: 16 - text.count) + text
        }
        return try #require(ArchiveFile(path: "/s/\(digits(first))-\(digits(last)).entries"))
    }

    @Test func theOldestGoFirst() {
        // The clock was set back before the newest was taken.
        let found = [
            snapshot("c", index: 30, milliseconds: 100), snapshot("a", index: 10),
            snapshot("d", index: 40, milliseconds: 50), snapshot("b", index: 20),
        ]
        #expect(SnapshotFolder.superfluous(found, [], keeping: 2) == ["a", "b"])
        #expect(SnapshotFolder.superfluous(found, [], keeping: 3) == ["a"])
        #expect(SnapshotFolder.superfluous(found, [], keeping: 4).isEmpty)
        #expect(SnapshotFolder.superfluous(found, [], keeping: 5).isEmpty)
        // One stays whatever is asked for.
        #expect(SnapshotFolder.superfluous(found, [], keeping: 0) == ["a", "b", "c"])
        #expect(SnapshotFolder.superfluous([], [], keeping: 2).isEmpty)
    }

    @Test func amongThoseThatReachEquallyFarTheTimeCounts() {
        let found = [
            snapshot("x", index: 10, milliseconds: 3), snapshot("y", index: 10, milliseconds: 1),
            snapshot("z", index: 10, milliseconds: 2),
        ]
        #expect(SnapshotFolder.superfluous(found, [], keeping: 1) == ["y", "z"])
    }

    @Test func archivesStayFromTheOldestKeptOn() throws {
        let found = [snapshot("a", index: 10), snapshot("b", index: 20), snapshot("c", index: 30)]
        let archives = [try archive(1, 10), try archive(11, 20), try archive(21, 25)]
        #expect(
            SnapshotFolder.superfluous(found, archives, keeping: 2)
                == ["a", archives[0].path, archives[1].path])
        // Half of it is needed.
        let across = [try archive(11, 21)]
        #expect(SnapshotFolder.superfluous(found, across, keeping: 2) == ["a"])
        // What no snapshot stands before is not the folder's to remove.
        #expect(SnapshotFolder.superfluous([], archives, keeping: 2).isEmpty)
    }

    @Test func whatIsKeptRestores() throws {
        let history = try History(seed: 31)
        var saved: [String] = []
        for round in 0..<6 {
            for _ in 0..<20 { try history.step() }
            try history.archive()
            if round < 5 { saved.append(try history.saveSnapshot()) }
        }
        try SnapshotFolder(history.snapshots).retain(2)
        let names = TemporaryDirectory.entries(history.snapshots)
        #expect(
            names.filter { $0.hasSuffix(".snapshot") }.map { history.snapshots + "/" + $0 }
                == Array(saved.suffix(2)))
        #expect(try ArchiveFile.all(in: history.snapshots).map(\.first) == [81, 101])
        let end = history.keyspace.revision
        let scratch = TemporaryDirectory()
        let prepared = try Restore(
            source: history.snapshots, archives: [history.snapshots], goal: .revision(end)
        ).prepare(scratch: scratch.path)
        #expect(prepared.header.revision == end)
        let early = #expect(throws: BackupError.self) {
            try Restore(
                source: history.snapshots, archives: [history.snapshots], goal: .revision(2)
            ).prepare(scratch: scratch.path)
        }
        #expect(early?.message.contains("no snapshot to begin with") == true)
    }
}
