import Basics
import Glibc
import Keyspace
import LMDB
import Replica
import ReplicaCore
import Testing

/// Replicas whose keyspace file is damaged, or differs from the others'.
@Suite struct DamageTests {
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

    @Test func aReplicaThatDiffersRebuildsItself() async throws {
        let cluster = try TestCluster()
        _ = Self.notices(cluster)
        try cluster.startAll()
        try await cluster.mustPut(0, "a", "1")
        #expect(try await cluster.mustGet(2, "a") == "1")
        cluster.stop(2)
        try Self.alterHash(cluster.directory(2) + "/keyspace")
        try cluster.start(2)
        try await cluster.mustPut(0, "b", "2")
        try await eventually("the comparison") {
            cluster.failures.withLock { $0.contains { $0.damage?.contains("hash") == true } }
        }
        cluster.stop(2)
        try cluster.start(2)
        try await cluster.mustPut(0, "c", "3")
        #expect(try await cluster.mustGet(2, "c") == "3")
        let hash = cluster[0].keyspace?.hash
        try await eventually("equal hashes") {
            cluster[2].keyspace?.hash == cluster[0].keyspace?.hash
                || cluster[0].keyspace?.hash != hash
        }
        #expect(cluster.failures.withLock { $0.count } == 1)
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

@Suite struct HashComparisonTests {
    private func report(_ member: UInt64, _ hash: UInt64) -> HashReport {
        HashReport(member: member, index: 7, hash: hash)
    }

    @Test func aMajorityDecides() {
        let voters: [UInt64] = [1, 2, 3]
        var comparison = HashComparison()
        #expect(comparison.reported(report(1, 5), voters: voters) == .open)
        comparison.checked(index: 7, hash: 5)
        #expect(comparison.reported(report(1, 5), voters: voters) == .open)
        // Neither the same one twice nor somebody without a vote counts.
        #expect(comparison.reported(report(1, 5), voters: voters) == .open)
        #expect(comparison.reported(report(9, 5), voters: voters) == .open)
        #expect(comparison.reported(report(2, 6), voters: voters) == .open)
        #expect(comparison.reported(report(3, 5), voters: voters) == .agrees)
        #expect(comparison.agreedIndex == 7)
    }

    @Test func whoIsInTheMinorityDiffers() {
        var comparison = HashComparison()
        comparison.checked(index: 7, hash: 4)
        #expect(comparison.reported(report(1, 5), voters: [1, 2, 3]) == .open)
        #expect(
            comparison.reported(report(2, 5), voters: [1, 2, 3])
                == .differs(entry: 7, own: 4, majority: 5))
        #expect(comparison.agreedIndex == 0)
    }

    @Test func twoThatDifferDecideNothing() {
        var comparison = HashComparison()
        comparison.checked(index: 7, hash: 4)
        #expect(comparison.reported(report(1, 4), voters: [1, 2]) == .open)
        #expect(comparison.reported(report(2, 5), voters: [1, 2]) == .open)
    }
}
