import Basics
import Raft
import Testing
import WriteAheadLog

@Suite struct DamageTests {
    /// Three segments; the last append of the newest is small and lies within one sector.
    private func sample() throws -> MemoryLogFiles {
        let files = MemoryLogFiles()
        let (log, _) = try reopen(files)
        try log.append(
            hardState: HardState(term: 1, vote: 1, commit: 5), entries: entries(1...10))
        for index in 11...48 as ClosedRange<UInt64> {
            try log.append(entries: [entry(index, bytes: 300)])
            try log.sync()
        }
        #expect(try files.names().count == 3)
        return files
    }

    /// Every byte in use, of old and new segments. All of it was synced, hence nothing may be
    /// cut: each flip is refused or, where a second copy stands in, changes nothing.
    @Test func everyFlippedByteIsRefusedOrMadeGood() throws {
        let files = try sample()
        let (_, whole) = try reopen(files)
        var refused = 0
        for name in try files.names() {
            let content = try files.content(of: name)
            let used = content.count - content.reversed().prefix { $0 == 0 }.count
            for offset in 0..<used {
                try files.flip(name, at: offset, mask: 0x10)
                do throws(LogError) {
                    let (_, found) = try WriteAheadLog.open(files, clusterID: cluster)
                    #expect(offset < 4096, "\(name) byte \(offset) went unseen")
                    #expect(found.entries == whole.entries, "\(name) byte \(offset)")
                    #expect(found.hardState == whole.hardState, "\(name) byte \(offset)")
                } catch {
                    refused += 1
                    #expect(error.kind == .corrupt, "\(name) byte \(offset)")
                    #expect(error.file == name, "byte \(offset)")
                    #expect(error.offset <= UInt64(offset))
                    #expect(error.offset > UInt64(offset) - 1024 || error.offset == 0)
                }
                try files.setContent(of: name, content)
            }
        }
        #expect(refused > 10_000)
    }

    /// A survey names all of them, and between which entries each lies.
    @Test func everyDamagedPlaceIsNamed() throws {
        let files = try sample()
        let names = try files.names()
        try files.flip(names[0], at: 8192, mask: 1)
        try files.flip(names[1], at: 4096, mask: 1)
        try files.flip(names[1], at: 8192, mask: 1)
        var read: [UInt64] = []
        let box = Locked(read)
        let scan = try LogScan.survey(files, clusterID: nil) { record in
            if case .entry(let entry) = record { box.withLock { $0.append(entry.index) } }
        }
        read = box.withLock { $0 }
        #expect(scan.places.map(\.error.file) == [names[0], names[1], names[1]])
        #expect(scan.places.map { $0.error.offset / 512 } == [16, 8, 16])
        var missing: [UInt64] = []
        for place in scan.places {
            let until = try #require(place.until)
            #expect(read.contains(place.after) && read.contains(until))
            missing += (place.after + 1)..<until
        }
        // What can be read and what is named as missing is everything.
        #expect(missing.count >= 2)
        #expect((read + missing).sorted() == Array(1...48))
    }

    /// What the scrubber of a running replica goes by; the next opening must come to the same.
    @Test func damageBelowWhatIsAppliedCostsNothing() throws {
        let whole = try LogScan.survey(sample(), clusterID: cluster) { _ in }
        #expect(whole.places.isEmpty && whole.isMissingNothing(ifApplied: 0))
        func damaged() throws -> MemoryLogFiles {
            let files = try sample()
            try files.flip(try files.names()[1], at: 8192, mask: 1)
            return files
        }
        let scan = try LogScan.survey(damaged(), clusterID: cluster) { _ in }
        let place = try #require(scan.places.first)
        let resumedAt = try #require(place.resumedAt)
        #expect(resumedAt > place.after && resumedAt < 48)
        for applied in [resumedAt - 1, resumedAt, 48] {
            let (_, found) = try reopen(damaged(), damage: .goOn(applied: applied, term: 1))
            #expect(scan.isMissingNothing(ifApplied: applied) == (found.lost == nil))
            #expect((found.lost == nil) == (applied >= resumedAt))
        }
    }

    /// How far the log reached nobody knows then.
    @Test func damageAtTheEndMayHaveCostSomething() throws {
        let files = try sample()
        let name = try #require(try files.names().last)
        try files.flip(name, at: try usedBytes(files, name) - 500, mask: 1)
        let scan = try LogScan.survey(files, clusterID: cluster) { _ in }
        #expect(scan.places.map(\.resumedAt) == [nil])
        #expect(!scan.isMissingNothing(ifApplied: .max))
    }

    @Test func dirtBehindTheEndIsRefused() throws {
        let files = try sample()
        let name = try #require(try files.names().last)
        try files.flip(name, at: try usedBytes(files, name) + 1, mask: 1)
        refusal(files, .corrupt)
    }

    @Test func aLostFileIsRefused() throws {
        let files = try sample()
        let names = try files.names()
        try files.remove(names[1])
        let error = refusal(files, .corrupt)
        #expect(error?.file == names[1])
    }

    @Test func aFileOfAnotherLogIsRefused() throws {
        let files = try sample()
        let others = MemoryLogFiles()
        let (log, _) = try reopen(others)
        for index in 1...40 as ClosedRange<UInt64> {
            try log.append(entries: [entry(index, bytes: 301)])
            try log.sync()
        }
        let before = try files.names()
        for name in before.dropLast() {
            let content = try files.content(of: name)
            try files.setContent(of: name, try others.content(of: name))
            // Which of two neighbours is the wrong one cannot be known.
            let error = refusal(files, .corrupt)
            #expect(before.contains(error?.file ?? ""))
            let (_, recovered) = try reopen(files, damage: .goOn(applied: 0, term: 0))
            #expect(recovered.lost == .unknown)
            for name in try files.names() where !before.contains(name) { try files.remove(name) }
            try files.setContent(of: name, content)
        }
    }

    @Test func exchangedFilesAreRefused() throws {
        let files = try sample()
        let names = try files.names()
        let first = try files.content(of: names[0])
        try files.setContent(of: names[0], try files.content(of: names[1]))
        try files.setContent(of: names[1], first)
        #expect(refusal(files, .corrupt)?.file == names[0])
    }

    /// Each sector in use, put in the place of each other: the checksum begins with the place.
    @Test func misplacedSectorsAreRefused() throws {
        let files = try sample()
        let name = try #require(try files.names().first)
        let content = try files.content(of: name)
        let count = try usedBytes(files, name) / 512
        for from in 8..<count {
            for to in 8..<count where to != from {
                var bytes = content
                bytes.replaceSubrange(
                    to * 512..<(to + 1) * 512, with: content[from * 512..<(from + 1) * 512])
                try files.setContent(of: name, bytes)
                #expect(refusal(files, .corrupt)?.file == name)
            }
        }
    }

    @Test func anOlderFileThatEndsEarlyIsRefused() throws {
        let files = try sample()
        let name = try #require(try files.names().first)
        let content = try files.content(of: name)
        for count in [0, 30, 512, 1024, 4096, 4700, try usedBytes(files, name) - 8] {
            try files.setContent(of: name, Bytes(content[..<count]))
            #expect(refusal(files, .corrupt)?.file == name)
        }
    }

    @Test func otherClustersAndFormatsAreForeign() throws {
        let files = try sample()
        let error = refusal(files, .foreign, cluster: 0xc2)
        #expect(error?.fatalExit == .foreignDirectory)
        let name = try #require(try files.names().first)
        for copy in [0, 512] { try files.flip(name, at: copy + 8, mask: 1) }
        #expect(refusal(files, .foreign)?.description.contains("format version 3") == true)
    }

    /// A newest file that was created and never synced is as it was made; nonsense is not.
    @Test func nonsenseIsNotTakenForANewFile() throws {
        for text in ["MARTWAL nonsense", "x", String(repeating: "y", count: 600)] {
            let files = try sample()
            let name = "0000000000000004.wal"
            _ = try files.create(name)
            try files.setContent(of: name, Array(text.utf8))
            #expect(refusal(files, .corrupt)?.file == name)
        }
        let files = try sample()
        _ = try files.create("0000000000000004.wal")
        try files.setContent(of: "0000000000000004.wal", Bytes(repeating: 0, count: 700))
        let (_, recovered) = try reopen(files)
        #expect(recovered.lastIndex == 48)
    }

    @Test func otherFilesDoNotDisturb() throws {
        let files = try sample()
        _ = try files.create("notes.txt")
        let (_, recovered) = try reopen(files)
        #expect(recovered.lastIndex == 48)
    }

    /// A tail that misses sectors, as a power cut leaves it.
    @Test func aTornTailIsCut() throws {
        for missing in 0..<7 {
            let files = MemoryLogFiles()
            var (log, recovered) = try reopen(files, segmentBytes: 1 << 20)
            try log.append(entries: entries(1...3))
            try log.sync()
            let name = try #require(try files.names().last)
            let start = try usedBytes(files, name)
            try log.append(entries: [entry(4, bytes: 3000)])
            try log.sync()
            var content = try files.content(of: name)
            let lost = start + missing * 512
            content.replaceSubrange(lost..<lost + 512, with: Bytes(repeating: 0, count: 512))
            try files.setContent(of: name, content)
            (log, recovered) = try reopen(files, segmentBytes: 1 << 20)
            #expect(recovered.lastIndex == 3)
            #expect(recovered.cutBytes > 0)
            // What was cut does not come back behind a shorter append.
            try log.append(entries: [entry(4, term: 2, bytes: 10)])
            try log.sync()
            (log, recovered) = try reopen(files, segmentBytes: 1 << 20)
            #expect(recovered.entries.map(\.term) == [1, 1, 1, 2])
            #expect(recovered.cutBytes == 0)
        }
    }

    /// The same hole is damage once a later append says that it was synced.
    @Test func aHoleBeforeSyncedAppendsIsRefused() throws {
        let files = MemoryLogFiles()
        let (log, _) = try reopen(files, segmentBytes: 1 << 20)
        try log.append(entries: entries(1...3))
        try log.sync()
        let name = try #require(try files.names().last)
        let start = try usedBytes(files, name)
        try log.append(entries: [entry(4, bytes: 3000)])
        try log.sync()
        try log.append(entries: [entry(5, bytes: 10)])
        try log.sync()
        let whole = try files.content(of: name)
        for missing in 0..<7 {
            var content = whole
            let lost = start + missing * 512
            content.replaceSubrange(lost..<lost + 512, with: Bytes(repeating: 0, count: 512))
            try files.setContent(of: name, content)
            #expect(refusal(files, .corrupt)?.offset == UInt64(start))
        }
    }

    /// The last append was acknowledged, and nothing behind it says so: damage all the same, since
    /// a power cut leaves a sector as it was before or as it was to be.
    @Test func damageOfTheLastAppendIsNotCut() throws {
        let files = MemoryLogFiles()
        let (log, _) = try reopen(files, segmentBytes: 1 << 20)
        try log.append(entries: [entry(1, bytes: 3000)])
        try log.sync()
        let name = try #require(try files.names().last)
        let end = try usedBytes(files, name)
        for offset in stride(from: end - 3000, to: end, by: 97) {
            try files.flip(name, at: offset, mask: 0x40)
            refusal(files, .corrupt)
            try files.flip(name, at: offset, mask: 0x40)
        }
    }

    @Test func unreadableSectorsAreDamage() throws {
        let files = try sample()
        let name = try files.names()[1]
        files.unreadable = (name, 4096 + 700)
        let error = refusal(files, .corrupt)
        #expect(error?.file == name)
        #expect(error.map { $0.offset <= 4796 && $0.offset > 4000 } == true)
    }
}
