import Basics
import Keyspace
import ReplicaCore
import TestSupport
import Testing

/// A snapshot from a peer, cut off anywhere, goes on where it ended.
@Suite struct SnapshotIntakeTests {
    private static let peer: UInt64 = 7
    private let scratch = TemporaryDirectory()
    private let directory: ReplicaDirectory
    private let content: Bytes
    private let point: SnapshotResumePoint

    init() throws {
        try scratch.makeDirectory("source")
        let keyspace = try Keyspace.open(directory: scratch.path + "/source")
        defer { keyspace.stop() }
        var random = SeededRandom(seed: 4)
        var batch: [AppliedEntry] = []
        for index in UInt64(1)...200 {
            let value = Bytes((0..<900).map { _ in UInt8(random.below(256)) })
            let put = PutRequest(key: Bytes("/k/\(index % 50)".utf8), value: value)
            batch.append(
                AppliedEntry(
                    index: index, term: 3,
                    command: .transaction(TransactionRequest(success: [.put(put)]))))
        }
        _ = try keyspace.apply(batch)
        let path = scratch.path + "/sent"
        try SnapshotFile.save(keyspace.snapshot(clusterID: 5), to: path)
        content = try scratch.read("sent")
        point = SnapshotResumePoint(identity: try SnapshotFile.identity(path), offset: 0)
        directory = ReplicaDirectory(scratch.path + "/replica-1")
        try directory.prepare()
    }

    private func intake() throws -> SnapshotIntake {
        try SnapshotIntake(directory, from: Self.peer)
    }

    /// Sends from where the intake wants it, up to a byte.
    private func send(_ intake: SnapshotIntake, upTo end: Int) throws {
        var from = point
        if intake.resumePoint.identity == point.identity { from = intake.resumePoint }
        try intake.begin(from)
        var offset = Int(from.offset)
        while offset < end {
            let next = min(end, offset + 10_000)
            try intake.append(Bytes(content[offset..<next]))
            offset = next
        }
    }

    @Test func aTransferCutOffAnywhereGoesOnAndEndsInAKeyspace() throws {
        var sent = 0
        var cuts = 0
        while sent < content.count {
            // As after a new start: what is half made goes, what was received stays.
            try directory.prepare()
            let intake = try intake()
            if sent > 500 { #expect(intake.resumePoint.offset == UInt64(sent)) }
            sent = min(content.count, sent + 17_003)
            try send(intake, upTo: sent)
            intake.interrupt()
            cuts += 1
        }
        #expect(cuts > 10)
        let last = try intake()
        #expect(last.resumePoint.offset == UInt64(content.count))
        try send(last, upTo: content.count)
        let (path, header) = try last.finish()
        #expect(header.index == 200 && path == directory.snapshot(index: 200))
        // The keyspace waits beside the one in use.
        let keyspace = try directory.replaceKeyspace(
            bySnapshot: path, ReplicaIdentity(clusterID: 5, memberID: 1, isJoining: false),
            options: Keyspace.Options())
        defer { keyspace.stop() }
        #expect(keyspace.appliedIndex == 200)
        #expect(try keyspace.range(RangeRequest(.all)).get().keyValues.count == 50)
        #expect(
            TemporaryDirectory.entries(directory.path).contains { $0.hasSuffix(".new") } == false)
    }

    @Test func aReceivedSnapshotIsAKeyspaceBeforeTheReplicaHearsOfIt() throws {
        let intake = try intake()
        try send(intake, upTo: content.count)
        let (path, _) = try intake.finish()
        let prepared = directory.keyspacePrepared(index: 200)
        #expect(TemporaryDirectory.entries(prepared).contains("data.mdb"))
        // What was prepared and never used goes with the next start.
        try directory.prepare()
        #expect(TemporaryDirectory.entries(prepared).isEmpty)
        // And is made then, if it is needed after all.
        let keyspace = try directory.replaceKeyspace(
            bySnapshot: path, ReplicaIdentity(clusterID: 5, memberID: 1, isJoining: false),
            options: Keyspace.Options())
        #expect(keyspace.appliedIndex == 200)
        keyspace.stop()
    }

    @Test func damageOnTheWayIsFoundAndTheNextTransferBeginsAnew() throws {
        let first = try intake()
        try send(first, upTo: content.count / 2)
        first.interrupt()
        var part = try scratch.read("replica-1/snapshots/" + name)
        part[part.count / 2] ^= 1
        try scratch.write("replica-1/snapshots/" + name, part)
        let second = try intake()
        try send(second, upTo: content.count)
        #expect(throws: ReplicaFailure.self) { try second.finish() }
        let third = try intake()
        #expect(third.resumePoint == .nothing)
        try send(third, upTo: content.count)
        #expect(try third.finish().header.index == 200)
    }

    @Test func onlyTheSameSnapshotGoesOnAndOnlyFromWhatIsHere() throws {
        let first = try intake()
        try send(first, upTo: 30_000)
        first.interrupt()
        let second = try intake()
        var other = second.resumePoint
        other.identity.headerChecksum ^= 1
        #expect(throws: ReplicaFailure.self) { try second.begin(other) }
        var beyond = second.resumePoint
        beyond.offset += 1
        #expect(throws: ReplicaFailure.self) { try second.begin(beyond) }
        #expect(throws: ReplicaFailure.self) { try second.append([1]) }
        try second.begin(point)
        #expect(throws: ReplicaFailure.self) { try second.begin(point) }
    }

    @Test func aDeadConnectionKeepsItsFileAndTheNewOneGetsItsOwn() throws {
        let dead = try intake()
        try send(dead, upTo: 30_000)
        let alive = try intake()
        #expect(alive.resumePoint == .nothing)
        try send(alive, upTo: content.count)
        try dead.append(Bytes(repeating: 1, count: 1000))
        #expect(try alive.finish().header.index == 200)
    }

    private var name: String {
        String(directory.incoming(from: Self.peer).split(separator: "/").last ?? "")
    }
}
