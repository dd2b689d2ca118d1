import Basics
import Glibc
import Keyspace
import LMDB
import Raft
import Replica
import ReplicaCore
import TestSupport
import Testing

/// Replicas whose keyspace file is damaged, or differs from the others'.
@Suite(.timeLimit(.minutes(2))) struct DamageTests {
    private static func notices(_ cluster: TestCluster) -> Locked<[String]> {
        let notices = Locked<[String]>([])
        cluster.adjust = { configuration in
            configuration.hashCheckMilliseconds = 100
            configuration.notice = { text in notices.withLock { $0.append(text) } }
        }
        return notices
    }

    /// Flips a bit wherever `needle` stands in the file, beneath the map of whoever has it open.
    private static func damage(_ path: String, _ needle: Bytes) throws -> Int {
        let file = unsafe open(path, O_RDWR)
        try #require(file >= 0)
        defer { close(file) }
        var bytes = Bytes(repeating: 0, count: 8 << 20)
        let count = unsafe read(file, &bytes, bytes.count)
        var places = 0
        for offset in 0..<max(0, count - needle.count)
        where bytes[offset] == needle[0] && bytes[offset...].starts(with: needle) {
            var altered = bytes[offset + 1] ^ 2
            try #require(unsafe pwrite(file, &altered, 1, off_t(offset + 1)) == 1)
            places += 1
        }
        return places
    }

    private func local(_ replica: Replica, _ key: String) -> Result<RangeResponse, StoreError>? {
        replica.keyspace?.range(RangeRequest(.key(Bytes(key.utf8))))
    }

    @Test func aDamagedRecordEndsInARebuiltReplica() async throws {
        let cluster = try TestCluster()
        let notices = Self.notices(cluster)
        try cluster.startAll()
        try await cluster.mustPut(0, "damaged", "needle-needle")
        try await cluster.mustPut(0, "other", "1")
        #expect(try await cluster.mustGet(1, "damaged") == "needle-needle")
        let file = cluster.directory(1) + "/keyspace/data.mdb"
        #expect(try Self.damage(file, Bytes("needle-needle".utf8)) > 0)
        guard case .failure(let error) = local(cluster[1], "damaged") else {
            Issue.record("damaged data was returned")
            return
        }
        #expect(error.code == .unavailable)
        // The others have it, and the replica ends so that it can be started again.
        #expect(try await cluster.mustGet(2, "damaged") == "needle-needle")
        try await eventually("the end of the damaged replica") {
            cluster.failures.withLock { $0.first?.exitCode == 1 && $0.first?.damage != nil }
        }
        cluster.stop(1)
        try cluster.start(1)
        #expect(try await cluster.mustGet(1, "damaged") == "needle-needle")
        #expect(notices.withLock { $0.contains { $0.contains("table records") } })
        #expect(unsafe access(cluster.directory(1) + "/keyspace.damaged/data.mdb", F_OK) == 0)
        try await cluster.end()
    }

    /// Nobody reads the record and nobody asks for a look: the scrubber comes by itself.
    @Test func theScrubberFindsADamagedRecord() async throws {
        let cluster = try TestCluster()
        let notices = Self.notices(cluster)
        cluster.adjust = { [adjust = cluster.adjust] configuration in
            adjust(&configuration)
            if configuration.name == "replica-2" { configuration.scrubSeconds = 1 }
        }
        try cluster.startAll()
        try await cluster.mustPut(0, "damaged", "needle-needle")
        try await cluster.mustPut(0, "other", "1")
        #expect(try await cluster.mustGet(1, "other") == "1")
        let file = cluster.directory(1) + "/keyspace/data.mdb"
        #expect(try Self.damage(file, Bytes("needle-needle".utf8)) > 0)
        try await eventually("the end of the damaged replica") {
            cluster.failures.withLock { $0.first?.exitCode == 1 && $0.first?.damage != nil }
        }
        cluster.stop(1)
        try cluster.start(1)
        #expect(try await cluster.mustGet(1, "damaged") == "needle-needle")
        #expect(notices.withLock { $0.contains { $0.contains("rebuilt from snapshot and log") } })
        #expect(unsafe access(cluster.directory(1) + "/keyspace.damaged/data.mdb", F_OK) == 0)
        // Whoever asks hears that all of it is in order now.
        let report = try await cluster.scrub(1).get()
        #expect(report.keyspace.isComplete)
        #expect(report.logSegments > 0 && report.logBytes > 0)
        try await cluster.end()
    }

    /// The keyspace has all that was hit: no start would change the log, so nobody ends.
    @Test func damageOfTheLogBelowTheKeyspaceIsSaidAndEndsNobody() async throws {
        let cluster = try TestCluster()
        let notices = Self.notices(cluster)
        try cluster.startAll()
        // Some of them lie within one sector.
        for number in 0..<8 { try await cluster.mustPut(0, "key-\(number)", "needle-needle") }
        for number in 0..<8 { try await cluster.mustPut(0, "after-\(number)", "whole") }
        #expect(try await cluster.mustGet(1, "after-7") == "whole")
        let log = cluster.directory(1) + "/log"
        let segment = try #require(
            TemporaryDirectory.entries(log).first { $0.hasSuffix(".wal") })
        #expect(try Self.damage(log + "/" + segment, Bytes("needle-needle".utf8)) > 0)
        guard case .failure(let error) = await cluster.scrub(1) else {
            Issue.record("the scrubber did not see it")
            return
        }
        #expect(error.code == .corrupt)
        #expect(error.message.contains(segment))
        let said = "nothing is missing all the same"
        #expect(notices.withLock { $0.contains { $0.contains(said) } })
        try await cluster.mustPut(1, "later", "1")
        #expect(try await cluster.mustGet(1, "key-3") == "needle-needle")
        cluster.stop(1)
        try cluster.start(1)
        #expect(try await cluster.mustGet(1, "later") == "1")
        #expect(cluster.failures.withLock { $0.isEmpty })
        try await cluster.end()
    }

    /// Its newest snapshot file is as wrong as its keyspace, which has to go with it.
    @Test func aFollowerThatDiffersTakesTheLeadersSnapshot() async throws {
        let cluster = try TestCluster()
        let notices = Self.notices(cluster)
        try cluster.startAll()
        try await cluster.mustPut(0, "a", "1")
        #expect(try await cluster.mustGet(2, "a") == "1")
        cluster.stop(2)
        try Self.alterHash(cluster.directory(2) + "/keyspace")
        try Self.saveSnapshot(cluster.directory(2), cluster.clusterID)
        try cluster.start(2)
        try await mended(cluster, 2, notices)
        try await cluster.end()
    }

    @Test func aLeaderThatDiffersHandsOverFirst() async throws {
        let cluster = try TestCluster()
        let notices = Self.notices(cluster)
        try cluster.startAll()
        try await cluster.mustPut(0, "a", "1")
        for index in 0..<3 { #expect(try await cluster.mustGet(index, "a") == "1") }
        for index in 0..<3 { cluster.stop(index) }
        try Self.alterHash(cluster.directory(1) + "/keyspace")
        cluster.adjust = { [adjust = cluster.adjust] configuration in
            adjust(&configuration)
            // Only the damaged one stands for election.
            if configuration.name != "replica-2" { configuration.electionMilliseconds = 4000 }
        }
        for index in 0..<3 { try cluster.start(index) }
        // It may lead for a few milliseconds only.
        try await eventually("the handover") {
            notices.withLock { $0.contains { $0.contains("leadership goes to member") } }
        }
        try await mended(cluster, 1, notices)
        #expect(cluster[1].status.role != .leader)
        try await cluster.end()
    }

    /// Until its state is that of the others and it serves again. None of the replicas ended.
    private func mended(
        _ cluster: TestCluster, _ index: Int, _ notices: Locked<[String]>
    ) async throws {
        let other = (index + 1) % 3
        var number = 0
        try await eventually("the leader's snapshot") {
            number += 1
            _ = await cluster.put(other, "more", "\(number)")
            return notices.withLock { $0.contains { $0.contains("is served again") } }
        }
        try await cluster.mustPut(other, "c", "3")
        #expect(try await cluster.mustGet(index, "c") == "3")
        #expect(try await cluster.mustGet(index, "a") == "1")
        try await eventually("equal hashes") {
            cluster[index].keyspace?.hash == cluster[other].keyspace?.hash
        }
        #expect(cluster.failures.withLock { $0.isEmpty })
        #expect(!FileSystem.exists(cluster.directory(index) + "/diverged"))
    }

    /// A snapshot file of the keyspace of a replica that does not run.
    private static func saveSnapshot(_ directory: String, _ clusterID: UInt64) throws {
        let keyspace = try Keyspace.open(directory: directory + "/keyspace")
        defer { keyspace.stop() }
        let stream = try keyspace.snapshot(clusterID: clusterID)
        let path = ReplicaDirectory(directory).snapshot(index: stream.header.index)
        try SnapshotFile.save(stream, to: path)
    }

    /// Two that differ: nobody can say who is right.
    @Test func withoutAMajorityWritesAreRefusedAndNobodyIsRebuilt() async throws {
        let cluster = try TestCluster(2)
        let notices = Self.notices(cluster)
        try cluster.startAll()
        try await cluster.mustPut(0, "a", "1")
        #expect(try await cluster.mustGet(1, "a") == "1")
        cluster.stop(1)
        try Self.alterHash(cluster.directory(1) + "/keyspace")
        try cluster.start(1)
        try await eventually("the alarm") {
            if case .failure(let error) = await cluster.put(0, "b", "2") {
                return error == .corrupt
            }
            return false
        }
        for index in 0..<2 {
            #expect(
                cluster[index].status.alarms == [ClusterAlarm(memberID: 0, kind: .corrupt)])
            #expect(try await cluster.mustGet(index, "a") == "1")
        }
        #expect(notices.withLock { $0.contains { $0.contains("nobody can say") } })
        #expect(cluster.failures.withLock { $0.isEmpty })
        // The operator says which one is right: the other is rebuilt from it.
        cluster.stop(1)
        try ReplicaDirectory(cluster.directory(1)).noteDivergence("the operator says so")
        try cluster.start(1)
        try await eventually("the end of the alarm") {
            if case .success = await cluster.put(1, "b", "2") { true } else { false }
        }
        #expect(cluster[1].status.alarms.isEmpty)
        try await cluster.end()
    }

    /// Makes the state record say another hash than that of its content.
    private static func alterHash(_ directory: String) throws {
        let environment = try Environment(path: directory)
        let transaction = try environment.beginWrite()
        let table = try transaction.create("meta")
        let name = Bytes("state".utf8)
        try unsafe name.withUnsafeBytes { name in
            var state = unsafe Bytes(try #require(transaction.view.get(name, in: table)))
            state[68] ^= 1
            let checksum = CRC32C.checksum(state[4...])
            for index in 0..<4 {
                state[index] = UInt8(truncatingIfNeeded: checksum >> UInt32(8 * index))
            }
            try unsafe state.withUnsafeBytes { value in
                try unsafe transaction.changes.put(name, value, in: table)
            }
        }
        try transaction.commit()
        try environment.sync()
    }

    /// Pages that are no pages any more: the file is set aside at the start.
    @Test func aDamagedFileIsSetAsideAtTheStart() async throws {
        let cluster = try TestCluster(1)
        let notices = Self.notices(cluster)
        try cluster.startAll()
        try await cluster.mustPut(0, "a", "1")
        cluster.stop(0)
        try cluster.write(0, "keyspace/data.mdb", String(repeating: "garbage ", count: 4096))
        try cluster.start(0)
        #expect(try await cluster.mustGet(0, "a") == "1")
        #expect(notices.withLock { $0.contains { $0.contains("rebuilt from snapshot and log") } })
        // Nothing is there to rebuild from: final, and it says what is damaged.
        cluster.stop(0)
        try cluster.write(0, "keyspace/data.mdb", String(repeating: "garbage ", count: 4096))
        try await cluster.end()
    }
}
