import Basics
import Keyspace
import TestSupport
import Testing

@Suite struct ScanTests {
    private func filled() throws -> Fixture {
        let fixture = try Fixture()
        try fixture.apply(.leaseGrant(id: 4, ttlSeconds: 50))
        var random = SeededRandom(seed: 8)
        for number in 0..<600 {
            let value = String(repeating: "\(random.next()) ", count: 1 + random.below(120))
            try fixture.put("/k/\(number % 150)", value, lease: number % 40 == 0 ? 4 : 0)
        }
        for number in 0..<10 { try fixture.delete("/k/\(number)") }
        fixture.keyspace.stop()
        return fixture
    }

    private func salvage(
        _ fixture: Fixture, elsewhere: [String] = []
    ) throws -> (salvage: Salvage, keyspace: Keyspace) {
        let scan = try KeyspaceScan(directory: fixture.path)
        let path = fixture.directory.path + "/repaired.snapshot"
        let result = try scan.salvage(
            try scan.verify(), elsewhere: elsewhere, clusterID: 1, createdMilliseconds: 0, to: path)
        try SnapshotFile.restore(path, into: fixture.directory.path + "/repaired")
        return (result, try Keyspace.open(directory: fixture.directory.path + "/repaired"))
    }

    @Test func aSoundFileIsSoundAndItsCopyTheSame() throws {
        let fixture = try filled()
        let findings = try KeyspaceScan(directory: fixture.path).verify()
        #expect(findings.damage.isEmpty && findings.lost.isEmpty)
        #expect(findings.keys == 140 && findings.records == 610 && findings.leases == 1)
        let (salvage, repaired) = try salvage(fixture)
        defer { repaired.stop() }
        #expect(salvage.lost.isEmpty)
        try fixture.reopen()
        #expect(repaired.state == fixture.keyspace.state)
        for revision in [Int64(0), 100, 400] {
            let request = RangeRequest(.all, revision: revision)
            #expect(repaired.range(request) == fixture.keyspace.range(request))
        }
    }

    @Test(arguments: UInt64(0)..<60)
    func aFlippedBitIsNamedOrHarmlessAndWhatIsIntactIsKept(seed: UInt64) throws {
        let fixture = try filled()
        var random = SeededRandom(seed: seed)
        var bytes = try fixture.directory.read("keyspace/data.mdb")
        // Whole pages and single bits, anywhere but in the meta pages.
        let place = 8192 + random.below(bytes.count - 8192)
        if random.chance(1, in: 3) {
            let page = place / 4096 * 4096
            for index in page..<(page + 4096) { bytes[index] = UInt8(random.below(256)) }
        } else {
            bytes[place] ^= 1 << UInt8(random.below(8))
        }
        let whole = try fixture.directory.read("keyspace/data.mdb")
        try fixture.reopen()
        let expected = try fixture.keyspace.range(RangeRequest(.all)).get().keyValues
        fixture.keyspace.stop()
        try fixture.directory.write("keyspace/data.mdb", bytes)
        let findings = try KeyspaceScan(directory: fixture.path).verify()
        let (salvage, repaired) = try salvage(fixture)
        defer { repaired.stop() }
        // Nothing is made up: what stands there now stood there once.
        let lost = Set(salvage.lost.map(\.key))
        let kept = try repaired.range(RangeRequest(.all)).get().keyValues
        for keyValue in expected where !kept.contains(keyValue) {
            let isNamed = lost.contains(keyValue.key) || !findings.isSound
            #expect(isNamed, "\(String(decoding: keyValue.key, as: UTF8.self)) seed \(seed)")
        }
        if findings.isSound { #expect(kept == expected) }
        _ = whole
    }

    @Test func aDamagedRecordIsNamedWithItsKeyAndTakenFromAnotherSnapshot() throws {
        let fixture = try Fixture()
        try fixture.put("a", "first")
        try fixture.put("b", "needle-in-the-page")
        try fixture.put("c", "third")
        let other = fixture.directory.path + "/other.snapshot"
        try SnapshotFile.save(fixture.keyspace.snapshot(clusterID: 1), to: other)
        fixture.keyspace.stop()
        var bytes = try fixture.directory.read("keyspace/data.mdb")
        let needle = Bytes("needle-in-the-page".utf8)
        for place in 0..<(bytes.count - needle.count)
        where bytes[place] == needle[0] && bytes[place...].starts(with: needle) {
            bytes[place + 3] ^= 4
        }
        try fixture.directory.write("keyspace/data.mdb", bytes)
        let findings = try KeyspaceScan(directory: fixture.path).verify()
        #expect(findings.lost.map(\.key) == [Bytes("b".utf8)])
        #expect(findings.lost.first?.isCurrent == true)
        #expect(findings.damage.contains { $0.held.contains("b, 18 bytes") })
        #expect(findings.damage.contains { $0.offset != nil && $0.reason.contains("checksum") })
        let (alone, keyspace) = try salvage(fixture)
        #expect(alone.lost.map(\.revision) == [3])
        #expect(keyspace.compactRevision == keyspace.revision)
        #expect(try keyspace.range(RangeRequest(.all)).get().keyValues.count == 2)
        keyspace.stop()
        try fixture.directory.makeDirectory("second")
        let scan = try KeyspaceScan(directory: fixture.path)
        let path = fixture.directory.path + "/second/whole.snapshot"
        let whole = try scan.salvage(
            findings, elsewhere: [other], clusterID: 1, createdMilliseconds: 0, to: path)
        #expect(whole.lost.isEmpty && whole.foundElsewhere == 1)
        #expect(try SnapshotFile.verify(path).revision == 4)
    }

    @Test func garbageIsNeverFollowed() throws {
        let fixture = try filled()
        let whole = try fixture.directory.read("keyspace/data.mdb")
        var random = SeededRandom(seed: 99)
        for _ in 0..<30 {
            var bytes = whole
            for _ in 0..<200 { bytes[random.below(bytes.count)] = UInt8(random.below(256)) }
            if random.chance(1, in: 3) { bytes.removeLast(random.below(bytes.count)) }
            try fixture.directory.write("keyspace/data.mdb", bytes)
            let scan = try KeyspaceScan(directory: fixture.path)
            if let findings = try? scan.verify() { #expect(!findings.isSound) }
        }
    }
}
