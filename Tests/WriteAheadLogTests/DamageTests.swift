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
        for index in 11...32 as ClosedRange<UInt64> {
            try log.append(entries: [entry(index, bytes: 300)])
            try log.sync()
        }
        #expect(try files.names().count == 3)
        return files
    }

    /// Every bit that matters: headers, lengths, checksums, record types, fields, payloads,
    /// padding, in old and new segments. All of it was synced, hence nothing may be cut.
    @Test func everyFlippedByteIsRefused() throws {
        let files = try sample()
        for name in try files.names() {
            let content = try files.content(of: name)
            let used = content.count - content.reversed().prefix { $0 == 0 }.count
            for offset in 0..<used {
                try files.flip(name, at: offset, mask: 0x10)
                do throws(LogError) {
                    _ = try WriteAheadLog.open(files, clusterID: cluster)
                    Issue.record("\(name) byte \(offset) went unseen")
                } catch {
                    let kind: LogError.Kind = (8..<12).contains(offset) ? .foreign : .corrupt
                    #expect(error.kind == kind, "\(name) byte \(offset)")
                    #expect(error.file == name, "byte \(offset)")
                    #expect(error.offset <= UInt64(offset))
                }
                try files.setContent(of: name, content)
            }
        }
    }

    @Test func dirtBehindTheEndIsRefused() throws {
        let files = try sample()
        let name = try #require(try files.names().last)
        let content = try files.content(of: name)
        let used = (content.count - content.reversed().prefix { $0 == 0 }.count + 7) & ~7
        try files.flip(name, at: used + 1, mask: 1)
        refusal(files, .corrupt)
    }

    @Test func aLostFileIsRefused() throws {
        let files = try sample()
        let names = try files.names()
        try files.remove(names[1])
        let error = refusal(files, .corrupt)
        #expect(error?.file == names[1])
    }

    @Test func anOlderFileThatEndsEarlyIsRefused() throws {
        let files = try sample()
        let name = try #require(try files.names().first)
        let content = try files.content(of: name)
        for count in [0, 30, 64, 200, content.count - 8] {
            try files.setContent(of: name, Bytes(content[..<count]))
            #expect(refusal(files, .corrupt)?.file == name)
        }
    }

    @Test func otherClustersAndFormatsAreForeign() throws {
        let files = try sample()
        let error = refusal(files, .foreign, cluster: 0xc2)
        #expect(error?.fatalExit == .foreignDirectory)
        let name = try #require(try files.names().first)
        try files.flip(name, at: 8, mask: 3)
        #expect(refusal(files, .foreign)?.description.contains("format version 2") == true)
    }

    @Test func otherFilesDoNotDisturb() throws {
        let files = try sample()
        _ = try files.create("notes.txt")
        let (_, recovered) = try reopen(files)
        #expect(recovered.lastIndex == 32)
    }

    /// A tail that misses sectors, as a power cut leaves it.
    @Test func aTornTailIsCut() throws {
        for missing in 0..<8 {
            let files = MemoryLogFiles()
            var (log, recovered) = try reopen(files, segmentBytes: 1 << 20)
            try log.append(entries: entries(1...3))
            try log.sync()
            let name = try #require(try files.names().last)
            let end = Int(log.usedBytes)
            try log.append(entries: [entry(4, bytes: 3000)])
            var content = try files.content(of: name)
            let sector = end / 512 + missing
            guard sector * 512 < Int(log.usedBytes) else { continue }
            for offset in max(end, sector * 512)..<min((sector + 1) * 512, content.count) {
                content[offset] = 0
            }
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
        let end = Int(log.usedBytes)
        try log.append(entries: [entry(4, bytes: 3000)])
        try log.sync()
        try log.append(entries: [entry(5, bytes: 10)])
        try log.sync()
        let name = try #require(try files.names().last)
        var content = try files.content(of: name)
        for offset in (end / 512 + 2) * 512..<(end / 512 + 3) * 512 { content[offset] = 0 }
        try files.setContent(of: name, content)
        #expect(refusal(files, .corrupt)?.offset == UInt64(end))
    }
}
