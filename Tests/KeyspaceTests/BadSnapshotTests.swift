import Basics
import Keyspace
import TestSupport
import Testing

/// Every way a snapshot file can be wrong: one error that names the file and the byte, and
/// nothing written.
@Suite struct BadSnapshotTests {
    private let fixture: Fixture
    private let whole: Bytes
    /// Offset and length of each frame.
    private let frames: [Range<Int>]

    init() throws {
        fixture = try Fixture()
        try fixture.apply(.membership([9, 8]))
        try fixture.apply(.leaseGrant(id: 4, ttlSeconds: 50))
        var random = SeededRandom(seed: 3)
        for number in 0..<800 {
            let value = (0..<120).map { _ in "\(random.below(10_000))" }.joined()
            try fixture.put("k\(number)", value)
        }
        let stream = try fixture.keyspace.snapshot(clusterID: 5)
        var bytes = Bytes()
        var frames: [Range<Int>] = []
        while let frame = try stream.next() {
            frames.append(bytes.count..<(bytes.count + frame.count))
            bytes += frame
        }
        whole = bytes
        self.frames = frames
    }

    private func refusal(_ bytes: Bytes) throws -> KeyspaceError {
        try fixture.directory.write("bad", bytes)
        return try refusal(of: fixture.directory.path + "/bad")
    }

    private func refusal(of path: String) throws -> KeyspaceError {
        let target = fixture.directory.path + "/restored"
        let before = TemporaryDirectory.entries(fixture.directory.path)
        let error = #expect(throws: KeyspaceError.self) {
            try SnapshotFile.restore(path, into: target)
        }
        #expect(TemporaryDirectory.entries(fixture.directory.path) == before)
        let refused = try #require(error)
        #expect(refused.message.contains(path))
        return refused
    }

    @Test func theWholeFileIsAccepted() throws {
        #expect(frames.count > 4)
        try fixture.directory.write("good", whole)
        let status = try SnapshotFile.status(fixture.directory.path + "/good")
        #expect(status.bytes == UInt64(whole.count))
        #expect(status.header.keys == 800)
        #expect(status.header.revision == fixture.keyspace.revision)
    }

    @Test func aFlippedBitInEveryPartIsNamedWithItsFrame() throws {
        for (number, frame) in frames.enumerated() {
            // Tag, number, lengths, first and last byte of the content, checksum.
            for place in [0, 1, 5, 9, 13, frame.count - 5, frame.count - 1] {
                var bytes = whole
                bytes[frame.lowerBound + place] ^= 0x10
                let error = try refusal(bytes)
                #expect(error.code == .badSnapshot || error.code == .foreignFormat)
                #expect(error.message.contains("byte "))
                guard number > 0, number + 1 < frames.count, place != 5, place != 9 else {
                    continue
                }
                #expect(error.message.contains("at byte \(frame.lowerBound)"), "byte \(place)")
            }
        }
    }

    @Test func cutFilesSayWhereTheyEnd() throws {
        for frame in frames {
            for count in [frame.lowerBound, frame.lowerBound + 1, frame.upperBound - 1]
            where count > 0 {
                let error = try refusal(Bytes(whole[..<count]))
                #expect(error.message.contains("cut off at byte"), "\(error.message)")
            }
        }
        #expect(try refusal([]).message.contains("empty"))
    }

    @Test func chunksThatAreMovedMissingRepeatedOrForeignAreNamed() throws {
        let parts = frames.map { Bytes(whole[$0]) }
        var moved = parts
        moved.swapAt(1, 2)
        #expect(try refusal(moved.flatMap(\.self)).message.contains("chunk 1 where chunk 0"))
        var missing = parts
        missing.remove(at: 2)
        #expect(try refusal(missing.flatMap(\.self)).message.contains("chunk 2 where chunk 1"))
        var repeated = parts
        repeated.insert(parts[1], at: 2)
        #expect(try refusal(repeated.flatMap(\.self)).message.contains("chunk 0 where chunk 1"))
        // The same chunk of another snapshot.
        try fixture.put("later", "1")
        let other = try fixture.keyspace.snapshot(clusterID: 5)
        _ = try other.next()
        var foreign = parts
        foreign[1] = try #require(try other.next())
        #expect(try refusal(foreign.flatMap(\.self)).message.contains("checksum of chunk 0"))
        #expect(try refusal(whole + [0]).message.contains("after the end"))
    }

    @Test func foreignFilesVersionsAndFoldersAreNamed() throws {
        #expect(try refusal(Bytes("SQLite format 3".utf8) + whole).message.contains("not a snap"))
        var newer = whole
        newer[8] = 9
        let error = try refusal(newer)
        #expect(error.code == .foreignFormat)
        #expect(error.message.contains("at byte 8") && error.message.contains("format 9"))
        #expect(try refusal(of: fixture.path).message.contains("is not a file"))
        #expect(try refusal(of: fixture.directory.path + "/none").message.contains("No such"))
    }

    @Test func aSurveyNamesEachDamagedChunkAndItsRevisionsAndTheRestIsSaved() throws {
        var bytes = whole
        bytes[frames[1].lowerBound + 100] ^= 1
        try fixture.directory.write("bad", bytes)
        let path = fixture.directory.path + "/bad"
        let survey = try SnapshotSurvey(path)
        #expect(survey.damage.map(\.offset) == [UInt64(frames[1].lowerBound)])
        #expect(survey.damage.allSatisfy { $0.held.contains("records between revisions") })
        let target = fixture.directory.path + "/saved"
        let (_, salvage) = try SnapshotSurvey.salvage(path, createdMilliseconds: 1, to: target)
        // One chunk each, and the leases and records of the file less what is left.
        #expect(salvage.entriesLost == UInt64(801 - salvage.records - 1))
        #expect(salvage.entriesLost == survey.entriesLost)
        #expect(try SnapshotFile.verify(target) == salvage.header)
        #expect(salvage.header.compactRevision == salvage.header.revision)
        try SnapshotFile.restore(target, into: fixture.directory.path + "/kept")
        let kept = try Keyspace.open(directory: fixture.directory.path + "/kept")
        defer { kept.stop() }
        let all = try fixture.keyspace.range(RangeRequest(.all)).get().keyValues
        let rest = try kept.range(RangeRequest(.all)).get().keyValues
        #expect(rest.count > 100 && rest.count < all.count)
        #expect(rest.allSatisfy { all.contains($0) })
        // A whole file is copied as it is.
        try fixture.directory.write("good", whole)
        let good = fixture.directory.path + "/good"
        #expect(try SnapshotSurvey(good).damage.isEmpty)
        let again = try SnapshotSurvey.salvage(
            good, createdMilliseconds: 0, to: fixture.directory.path + "/copy")
        #expect(again.salvage.lost.isEmpty)
        #expect(again.salvage.entriesLost == 0)
        #expect(try fixture.directory.read("copy") == whole)
    }
}
