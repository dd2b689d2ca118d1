import Basics
import Glibc
import Keyspace
import Raft
import Replica
import ReplicaCore
import Testing
import WriteAheadLog

@Suite(.serialized, .timeLimit(.minutes(2))) struct RecoveryTests {
    /// Small logs and memory windows, so that a few writes leave a follower behind for good.
    private func tight(_ configuration: inout ReplicaConfiguration) {
        configuration.snapshotLogBytes = 60_000
        configuration.logSegmentBytes = 16_384
        configuration.entriesInMemoryMax = 40
    }

    private func fill(_ cluster: TestCluster, _ writer: Int, _ count: Int) async throws {
        let value = String(repeating: "v", count: 600)
        for number in 0..<count { try await cluster.mustPut(writer, "k\(number)", value) }
        try await cluster.mustPut(writer, "last", "\(count)")
    }

    @Test func aLaggingFollowerGetsASnapshot() async throws {
        let cluster = try TestCluster()
        cluster.adjust = tight
        try cluster.startAll()
        try await cluster.mustPut(0, "a", "1")
        let leader = try await cluster.leader()
        let behind = (leader + 1) % 3
        cluster.stop(behind)
        try await fill(cluster, leader, 300)
        try cluster.start(behind)
        try await eventually("the snapshot is applied") {
            (try? await cluster.get(behind, "last").get()) == "300"
        }
        #expect(try await cluster.mustGet(behind, "a") == "1")
        // It goes on by itself, also after a restart.
        cluster.stop(behind)
        try cluster.start(behind)
        try await cluster.mustPut(behind, "b", "2")
        #expect(try await cluster.mustGet(behind, "k7") != nil)
        try await cluster.end()
    }

    @Test func snapshotsKeepTheLogShort() async throws {
        let cluster = try TestCluster(1)
        cluster.adjust = tight
        try cluster.startAll()
        try await fill(cluster, 0, 800)
        // The log grows by a quarter of the data at most, and a few segments.
        let data = try #require(cluster[0].keyspace).fileUsage().bytesInUse
        let bound = max(60_000, UInt64(data) / 4) + 140_000
        try await eventually("the log is cut") { cluster[0].status.logBytes < bound }
        cluster.stop(0)
        try cluster.start(0)
        #expect(try await cluster.mustGet(0, "last") == "800")
        try await cluster.end()
    }

    @Test func anEmptyReplicaWaitsAndIsReplaced() async throws {
        let cluster = try TestCluster()
        cluster.adjust = tight
        try cluster.startAll()
        try await fill(cluster, 0, 100)
        cluster.stop(1)
        cluster.remove(1)
        try cluster.start(1)
        #expect(cluster[1].status.isWaitingForReplacement)
        #expect(cluster[1].keyspace == nil)
        try await cluster.mustPut(0, "meanwhile", "1")
        let refused = await cluster.replace(2, "replica-1")
        #expect((try? refused.get()) == nil, "a healthy replica must not be replaced")
        let id = try await cluster.replace(2, "replica-2").get()
        #expect(id != 2000)
        #expect(cluster[1].status.memberID == id)
        #expect(try await cluster.mustGet(1, "last") == "100")
        #expect(try await cluster.mustGet(1, "meanwhile") == "1")
        let members = cluster[0].status.members
        #expect(members.count == 3)
        #expect(members.first { $0.name == "replica-2" }?.id == id)
        // It votes: with one of the others stopped there is a quorum.
        cluster.stop(2)
        try await cluster.mustPut(1, "after", "2")
        // And it knows who it is after a restart.
        cluster.stop(1)
        try cluster.start(1)
        #expect(cluster[1].status.memberID == id)
        try await cluster.mustPut(1, "again", "3")
        // A second loss waits again, though its first id is in the configuration.
        try cluster.start(2)
        try await cluster.mustPut(2, "three", "3")
        cluster.stop(1)
        cluster.remove(1)
        try cluster.start(1)
        try await cluster.mustPut(0, "x", "1")
        #expect(cluster[1].status.isWaitingForReplacement)
        let next = try await cluster.replace(0, "replica-2").get()
        #expect(next != id)
        #expect(try await cluster.mustGet(1, "x") == "1")
        try await cluster.end()
    }

    /// The directory as a power cut leaves it: the newest log is there, the keyspace file is of
    /// unknown age, and the boot id is another.
    @Test func afterACrashOfTheSystemTheKeyspaceIsRebuilt() async throws {
        let cluster = try TestCluster()
        cluster.adjust = tight
        try cluster.startAll()
        try await fill(cluster, 0, 150)
        for index in 0..<3 { cluster.stop(index) }
        for index in 0..<3 {
            // As if it had not been stopped, under another boot id.
            try cluster.write(
                index, "keyspace/boot", "running 00000000-0000-0000-0000-000000000000\n")
            try cluster.write(index, "keyspace/data.mdb", "not to be read")
        }
        for index in 0..<3 { try cluster.start(index) }
        #expect(try await cluster.mustGet(0, "last") == "150")
        #expect(try await cluster.mustGet(1, "k149") != nil)
        #expect(cluster[2].status.members.count == 3)
        try await cluster.mustPut(2, "b", "2")
        try await cluster.end()
    }

    @Test func aNewClusterGoesOnFromASnapshotFile() async throws {
        let old = try TestCluster()
        try old.startAll()
        try await fill(old, 0, 50)
        let file = old.path + "/saved"
        #expect(try await old.mustGet(1, "last") == "50")
        let keyspace = try #require(old[1].keyspace)
        let revision = keyspace.revision
        try SnapshotFile.save(keyspace.snapshot(clusterID: old.clusterID), to: file)
        let new = try TestCluster()
        for index in 0..<3 {
            try ReplicaOpening.seed(
                directory: new.directory(index), snapshot: file, clusterID: new.clusterID,
                name: new.members[index].name, members: new.members)
        }
        unsafe unlink(file)
        new.isNew = false
        try new.startAll()
        #expect(try await new.mustGet(2, "last") == "50")
        #expect(try #require(new[2].keyspace).revision == revision)
        try await new.mustPut(1, "more", "1")
        for index in 0..<3 { new.stop(index) }
        for index in 0..<3 {
            try new.write(
                index, "keyspace/boot", "running 00000000-0000-0000-0000-000000000000\n")
        }
        for index in 0..<3 { try new.start(index) }
        #expect(try await new.mustGet(0, "more") == "1")
        #expect(try await new.mustGet(0, "k3") != nil)
        try await new.end()
        try await old.end()
    }

    @Test func anotherClustersDirectoryIsRefused() async throws {
        let cluster = try TestCluster(1)
        try cluster.startAll()
        try await cluster.mustPut(0, "a", "1")
        cluster.stop(0)
        cluster.adjust = { $0.clusterID = 5 }
        do throws(ReplicaFailure) {
            try cluster.start(0)
            Issue.record("started")
        } catch {
            #expect(error.fatalExit == .foreignDirectory)
        }
        cluster.adjust = { _ in }
        try cluster.write(0, "log/0000000000000001.wal", "MARTWAL nonsense")
        do throws(ReplicaFailure) {
            try cluster.start(0)
            Issue.record("started")
        } catch {
            #expect(error.fatalExit == .corrupt)
            #expect(error.description.contains("0000000000000001.wal"))
        }
        try await cluster.end()
    }

    /// Flips one bit in the middle of what a segment holds behind its first frames.
    private func damage(_ cluster: TestCluster, _ index: Int, at offset: Int) throws {
        let path = cluster.directory(index) + "/log/0000000000000001.wal"
        let descriptor = unsafe open(path, O_RDWR)
        try #require(descriptor >= 0)
        defer { close(descriptor) }
        var byte: UInt8 = 0
        #expect(unsafe pread(descriptor, &byte, 1, off_t(offset)) == 1)
        byte ^= 0x20
        #expect(unsafe pwrite(descriptor, &byte, 1, off_t(offset)) == 1)
    }

    /// Damage in the log of one replica, wherever it is, costs nothing: what is missing comes from
    /// the others, the replica says so, and takes part in full again.
    @Test(arguments: [6000, 12_000, 30_000], [false, true])
    func aDamagedLogIsMadeGoodByPeers(offset: Int, isRebuilt: Bool) async throws {
        let cluster = try TestCluster()
        let notices = Locked<[String]>([])
        cluster.adjust = { configuration in
            guard configuration.name == "replica-2" else { return }
            configuration.notice = { line in notices.withLock { $0.append(line) } }
        }
        try cluster.startAll()
        try await fill(cluster, 0, 60)
        #expect(try await cluster.mustGet(1, "last") == "60")
        cluster.stop(1)
        try damage(cluster, 1, at: offset)
        if isRebuilt {
            // A power cut as well: nothing of the keyspace file counts.
            try cluster.write(
                1, "keyspace/boot", "running 00000000-0000-0000-0000-000000000000\n")
        }
        try cluster.start(1)
        try await cluster.mustPut(0, "meanwhile", "1")
        #expect(try await cluster.mustGet(1, "meanwhile") == "1")
        #expect(try await cluster.mustGet(1, "k59") != nil)
        let first = notices.withLock { $0.first }
        #expect(first?.contains("0000000000000001.wal is damaged at byte") == true)
        if isRebuilt {
            try await eventually("it votes again") {
                notices.withLock { $0.contains { $0.contains("votes again") } }
            }
        }
        // Alone with one other it makes a quorum, and it knows all after the next start.
        cluster.stop(0)
        try await cluster.mustPut(2, "after", "2")
        cluster.stop(1)
        try cluster.start(1)
        #expect(try await cluster.mustGet(1, "after") == "2")
        try await cluster.end()
    }

    @Test func aSingleReplicasDamageIsFinal() async throws {
        let cluster = try TestCluster(1)
        try cluster.startAll()
        try await fill(cluster, 0, 60)
        cluster.stop(0)
        try damage(cluster, 0, at: 20_000)
        do throws(ReplicaFailure) {
            try cluster.start(0)
            Issue.record("started")
        } catch {
            #expect(error.fatalExit == .corrupt)
            #expect(error.description.contains("0000000000000001.wal is damaged at byte"))
        }
        try await cluster.end()
    }

    /// After a failed sync nothing of this replica is to be trusted; the others go on.
    @Test func aFailedSyncEndsTheReplica() async throws {
        let cluster = try TestCluster()
        let fuse = Locked(false)
        cluster.adjust = { configuration in
            guard configuration.name == "replica-2" else { return }
            configuration.makeLogFiles = { path in
                FusedFiles(DirectoryLogFiles(path: path)) { fuse.withLock { $0 } }
            }
        }
        try cluster.startAll()
        try await cluster.mustPut(1, "a", "1")
        fuse.withLock { $0 = true }
        try await cluster.mustPut(0, "b", "2")
        try await eventually("the failure") {
            cluster.failures.withLock { $0.first?.fatalExit == .syncFailed }
        }
        guard case .failure = await cluster.put(1, "c", "3") else {
            Issue.record("a failed replica took a write")
            return
        }
        try await cluster.mustPut(2, "d", "4")
        #expect(try await cluster.mustGet(0, "d") == "4")
        // Nor is it trusted by the next start, though its disk works again: it is rebuilt.
        cluster.stop(1)
        fuse.withLock { $0 = false }
        do throws(ReplicaFailure) {
            try cluster.start(1)
            Issue.record("started")
        } catch {
            #expect(error.fatalExit == .syncFailed)
            #expect(error.description.contains("0000000000000001.wal"))
        }
        cluster.remove(1)
        try cluster.start(1)
        _ = try await cluster.replace(0, "replica-2").get()
        #expect(try await cluster.mustGet(1, "d") == "4")
        try await cluster.end()
    }

    @Test func twoProcessesOnOneDirectory() async throws {
        let cluster = try TestCluster(1)
        try cluster.startAll()
        let first = cluster[0]
        do throws(ReplicaFailure) {
            try cluster.start(0)
            Issue.record("started")
        } catch {
            #expect(error.description.contains("replica-1/lock is locked"))
            #expect(error.fatalExit == nil)
        }
        #expect(first.status.memberID == cluster.members[0].id)
        try await cluster.end()
    }

    @Test func aPortInUseIsSaid() async throws {
        let cluster = try TestCluster(1)
        try cluster.startAll()
        let other = try TestCluster(1)
        other.adjust = { configuration in
            configuration.members[0].peerPort = cluster.members[0].peerPort
        }
        do throws(ReplicaFailure) {
            try other.start(0)
            Issue.record("started")
        } catch {
            #expect(error.description.contains("\(cluster.members[0].peerPort)"))
            #expect(error.fatalExit == nil)
        }
        try await other.end()
        try await cluster.end()
    }
}
