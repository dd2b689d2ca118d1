import Basics
import Raft
import Testing
import WriteAheadLog

@Suite struct RecyclingTests {
    /// Writes, rotates and releases for many lives of the same files; what they held before
    /// never comes back.
    @Test func filesAreUsedAgain() throws {
        let files = MemoryLogFiles()
        var (log, recovered) = try reopen(files)
        var made = Set(try files.names())
        var next: UInt64 = 1
        for round in 1...40 as ClosedRange<UInt64> {
            for _ in 0..<20 {
                try log.append(entries: [entry(next, term: round, bytes: Int(next % 7) * 150)])
                next += 1
                try log.sync()
            }
            try log.mark(SnapshotMark(index: next - 5, term: round))
            try log.sync()
            try log.release(before: next - 4)
            made.formUnion(try files.names())
            let released = log.releasedIndex
            #expect(released < next - 4 && (released > 0 || round < 3))
            if round % 3 == 0 {
                (log, recovered) = try reopen(files)
                #expect(log.releasedIndex == released)
                #expect(recovered.lastIndex == next - 1)
                #expect(recovered.cutBytes == 0)
                let held = recovered.entries
                #expect(held.allSatisfy { $0.payload.count == Int($0.index % 7) * 150 })
            }
        }
        #expect(made.contains { $0.hasSuffix(".spare") })
        #expect(try files.names().filter { $0.hasSuffix(".spare") }.count <= 2)
        try log.removeSpares()
        #expect(try files.names().allSatisfy { $0.hasSuffix(".wal") })
    }

    /// A power cut in the first write of a segment in a used file leaves any mix of old and new.
    @Test(arguments: 0..<60) func aCutWhileAFileIsUsedAgain(seed: Int) throws {
        var random = SeededRandom(seed: UInt64(seed))
        let files = MemoryLogFiles()
        var (log, recovered) = try reopen(files)
        var next: UInt64 = 1
        for _ in 0..<60 {
            try log.append(entries: [entry(next, bytes: 300)])
            try log.sync()
            next += 1
        }
        try log.release(before: 50)
        #expect(try files.names().contains { $0.hasSuffix(".spare") })
        for _ in 0..<4 {
            var synced = log.lastIndex
            files.syncsUntilFailure = 10 + random.below(30)
            do throws(LogError) {
                while true {
                    try log.append(entries: [entry(next, bytes: 300)])
                    try log.sync()
                    synced = next
                    next += 1
                }
            } catch {
                #expect(error.kind == .syncFailed)
            }
            files.crash(&random)
            (log, recovered) = try reopen(files)
            #expect(recovered.lastIndex >= synced)
            #expect(recovered.lastIndex <= next)
            next = recovered.lastIndex + 1
            try log.release(before: next > 10 ? next - 10 : 0)
        }
    }

    /// A disk may damage what nobody reads any more. It must not be taken for damage of what is
    /// written there later, nor for damage behind its end.
    @Test(arguments: 0..<40) func damageInASpareIsNobodysLoss(seed: Int) throws {
        var random = SeededRandom(seed: UInt64(seed))
        let files = MemoryLogFiles()
        var (log, recovered) = try reopen(files)
        var next: UInt64 = 1
        for _ in 0..<60 {
            try log.append(entries: [entry(next, bytes: 300)])
            try log.sync()
            next += 1
        }
        try log.release(before: 50)
        let spares = try files.names().filter { $0.hasSuffix(".spare") }
        #expect(!spares.isEmpty)
        for spare in spares {
            let count = try files.content(of: spare).count
            for sector in 0..<count / 512 {
                try files.flip(spare, at: sector * 512 + random.below(512), mask: 4)
            }
        }
        for _ in 0..<40 {
            try log.append(entries: [entry(next, bytes: random.below(1500))])
            try log.sync()
            (log, recovered) = try reopen(files)
            #expect(recovered.lastIndex == next && recovered.damage == nil)
            next += 1
            try log.release(before: next > 10 ? next - 10 : 0)
        }
    }

    @Test func `Nor is damage in space that was reserved and never used`() throws {
        let files = MemoryLogFiles()
        let (log, _) = try reopen(files)
        var next: UInt64 = 1
        // The newest file was never another one.
        while try files.names().count < 2 {
            try log.append(entries: [entry(next, bytes: 300)])
            try log.sync()
            next += 1
        }
        let name = try #require(files.names().last)
        let used = try usedBytes(files, name) / 512
        let count = try files.content(of: name).count / 512
        try #require(used + 1 < count)
        // The next frame has one sector; the one behind it is where the log then ends.
        for sector in used + 1..<count { try files.flip(name, at: sector * 512, mask: 4) }
        try log.append(entries: [entry(next, bytes: 300)])
        try log.sync()
        let (_, recovered) = try reopen(files)
        #expect(recovered.lastIndex == next && recovered.damage == nil)
    }
}
