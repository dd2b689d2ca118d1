import Basics
import Keyspace
import Raft
import ReplicaCore
import TestSupport
import Testing
import WriteAheadLog

/// What a start makes the keyspace of when the operating system crashed with its file open.
@Suite struct RebuildTests {
    private static let clusterID: UInt64 = 9
    private let scratch = TemporaryDirectory()
    private let directory: ReplicaDirectory
    private let notices = Locked<[String]>([])

    /// A log of eight entries, snapshot files at entries 3 and 6, and a keyspace at 8 that no
    /// start trusts.
    init() throws {
        directory = ReplicaDirectory(scratch.path + "/replica-1")
        try directory.prepare()
        try directory.writeFounders(ClusterMembers(initial: Self.members))
        try directory.write(
            ReplicaIdentity(clusterID: Self.clusterID, memberID: 1, isJoining: false))
        let (log, _) = try WriteAheadLog.open(
            DirectoryLogFiles(path: directory.log), clusterID: Self.clusterID)
        try FileSystem.makeDirectory(directory.keyspace)
        let keyspace = try Keyspace.open(directory: directory.keyspace)
        try keyspace.setMeta(
            Keyspace.membershipName, ClusterMembers(initial: Self.members).encoded())
        for index in UInt64(1)...8 {
            let command = Command.transaction(
                TransactionRequest(success: [
                    .put(PutRequest(key: Bytes("k\(index)".utf8), value: [UInt8(index)]))
                ]))
            try log.append(
                hardState: HardState(term: 1, vote: 1, commit: index),
                entries: [Entry(term: 1, index: index, payload: command.encode())])
            _ = try keyspace.apply([AppliedEntry(index: index, term: 1, command: command)])
            guard index == 3 || index == 6 else { continue }
            try SnapshotFile.save(
                keyspace.snapshot(clusterID: Self.clusterID),
                to: directory.snapshot(index: index))
        }
        try log.sync()
        log.close()
        keyspace.stop()
        // Whatever stands in the file now must not be looked at.
        try scratch.write("replica-1/keyspace/data.mdb", Bytes(repeating: 7, count: 9000))
    }

    private static let members = [
        ReplicaMember(id: 1, name: "replica-1", peerHost: "", peerPort: 0)
    ]

    private func open() throws -> UInt64 {
        var settings = ReplicaSettings(
            directory: directory.path, clusterID: Self.clusterID, name: "replica-1",
            members: Self.members, seed: 1)
        let notices = notices
        settings.notice = { line in notices.withLock { $0.append(line) } }
        let opened = try ReplicaOpening(settings).open()
        defer {
            opened.keyspace.stop()
            opened.log.close()
        }
        let first = try opened.keyspace.range(RangeRequest(.all)).get().keyValues.first?.value
        #expect(opened.keyspace.appliedIndex == 0 || first == [1])
        #expect(opened.initial.entries.last?.index == 8)
        #expect(!FileSystem.exists(directory.keyspaceInMaking))
        return opened.keyspace.appliedIndex
    }

    private func damage(_ index: UInt64, at part: (Int) -> Int) throws {
        let name = "replica-1/snapshots/" + ReplicaDirectory.digits(index) + ".snapshot"
        var bytes = try scratch.read(name)
        bytes[part(bytes.count)] ^= 0x10
        try scratch.write(name, bytes)
    }

    @Test func theNewestSnapshotFileIsTaken() throws {
        #expect(try open() == 6)
        #expect(notices.withLock { $0 }.isEmpty)
        // The machine is the same one now: the file is used as it is.
        try FileSystem.removeTree(directory.snapshots)
        #expect(try open() == 6)
    }

    @Test func aSnapshotFileThatIsDamagedIsPassedOver() throws {
        try damage(6) { $0 / 2 }
        #expect(try open() == 3)
        #expect(notices.withLock { $0.contains { $0.contains("6.snapshot is passed over") } })
    }

    @Test func damageThatShowsOnlyAtTheEndLeavesNothingOfTheFile() throws {
        try damage(6) { $0 - 1 }
        try damage(3) { _ in 2 }
        // The log is whole: everything is applied once more.
        #expect(try open() == 0)
        #expect(notices.withLock { $0.count } == 2)
    }
}
