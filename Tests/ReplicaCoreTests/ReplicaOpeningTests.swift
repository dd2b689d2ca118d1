import Keyspace
import Raft
import ReplicaCore
import TestSupport
import Testing
import WriteAheadLog

/// Which id a replica takes up when it starts: an empty directory of a known member never votes.
@Suite struct ReplicaOpeningTests {
    private let scratch = TemporaryDirectory()

    @Test func firstStart() throws {
        #expect(try start(isNewCluster: true) == 2)
    }

    /// It ended before anything was written, so it cannot have promised anything.
    @Test func endsBeforeItsFirstWrite() throws {
        _ = try start(isNewCluster: true)
        #expect(try start(isNewCluster: true) == 2)
    }

    /// Somebody else may have begun without it, with other members.
    @Test func emptyInAClusterThatExists() throws {
        _ = try start(isNewCluster: true)
        #expect(try start(isNewCluster: false) == 0)
    }

    /// The log held a vote, perhaps: it must not vote again, however new the cluster is.
    @Test func logIsGone() throws {
        _ = try start(isNewCluster: true, votes: true)
        try FileSystem.removeTree(scratch.path + "/log")
        try FileSystem.removeTree(scratch.path + "/keyspace")
        #expect(try start(isNewCluster: true) == 0)
    }

    /// It was given another id for good.
    @Test func joinsWhileTheClusterIsNew() throws {
        _ = try start(isNewCluster: false)
        try ReplicaDirectory(scratch.path).write(
            ReplicaIdentity(clusterID: 7, memberID: 99, isJoining: true))
        #expect(try start(isNewCluster: true) == 99)
    }

    /// A member was added since; the settings name it, the log's first entries do not know it.
    @Test func entriesAreAppliedFromTheFirstMembersOn() throws {
        _ = try start(isNewCluster: true, votes: true)
        try FileSystem.removeTree(scratch.path + "/keyspace")
        let newcomer = ReplicaMember(id: 3, name: "c", peerHost: "", peerPort: 3)
        #expect(try open(isNewCluster: false, [newcomer]).initial.membership.voters == [1, 2])
    }

    @Test func firstMembersAreChecked() throws {
        _ = try start(isNewCluster: true, votes: true)
        try FileSystem.removeTree(scratch.path + "/keyspace")
        var bytes = try scratch.read("founders")
        bytes[bytes.count - 1] ^= 1
        try scratch.write("founders", bytes)
        let failure = #expect(throws: ReplicaFailure.self) { try open(isNewCluster: false) }
        #expect(failure?.exitCode == 72)
    }

    /// Returns the id.
    private func start(isNewCluster: Bool, votes: Bool = false) throws -> UInt64 {
        let opened = try open(isNewCluster: isNewCluster)
        if votes {
            try opened.log.append(hardState: HardState(term: 3, vote: 1, commit: 0), entries: [])
            try opened.log.sync()
        }
        opened.log.close()
        return opened.memberID
    }

    private func open(
        isNewCluster: Bool, _ more: [ReplicaMember] = []
    ) throws -> OpenedReplica {
        var settings = ReplicaSettings(
            directory: scratch.path, clusterID: 7, name: "b",
            members: [
                ReplicaMember(id: 1, name: "a", peerHost: "", peerPort: 1),
                ReplicaMember(id: 2, name: "b", peerHost: "", peerPort: 2),
            ] + more, seed: 1)
        settings.isNewCluster = isNewCluster
        let opened = try ReplicaOpening(settings).open()
        // Only the file is of interest.
        opened.keyspace.stop()
        return opened
    }
}
