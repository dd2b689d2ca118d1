import Basics
import Keyspace
import TestSupport
import Testing

/// The running hash is a function of what was applied, and of nothing else.
@Suite struct HashTests {
    /// Commands that leave the same state on every replica.
    private static func commands(_ seed: UInt64) -> [Command] {
        var operations = RandomOperations(random: SeededRandom(seed: seed))
        var model = Model()
        return (0..<300).map { _ in
            let command = operations.command(model)
            switch command {
            case .transaction(let request): _ = model.apply(request)
            case .commit(let request): _ = model.apply(request)
            case .compact(let revision): _ = model.compact(revision)
            case .leaseGrant(let id, let ttl): _ = model.grant(id, ttl)
            case .leaseRevoke(let id): _ = model.revoke(id)
            default: break
            }
            return command
        }
    }

    private static func apply(
        _ commands: [Command], to keyspace: Keyspace, batch: Int
    ) throws {
        var start = 0
        while start < commands.count {
            let end = min(commands.count, start + batch)
            let index = keyspace.appliedIndex
            let entries = (start..<end).map { number in
                AppliedEntry(
                    index: index + UInt64(number - start) + 1, term: 1,
                    command: commands[number])
            }
            _ = try keyspace.apply(entries)
            start = end
        }
    }

    @Test(arguments: UInt64(0)..<10)
    func batchesAndCompactionStepsDoNotShow(seed: UInt64) throws {
        let commands = Self.commands(seed)
        let one = try Fixture { $0.compactionRecordsPerApply = 1 }
        let other = try Fixture { $0.compactionRecordsPerApply = 1000 }
        try Self.apply(commands, to: one.keyspace, batch: 1)
        try Self.apply(commands, to: other.keyspace, batch: 37)
        #expect(one.keyspace.hash == other.keyspace.hash)
        try one.reopen()
        #expect(one.keyspace.hash == other.keyspace.hash)
        let path = one.directory.path + "/s"
        try SnapshotFile.save(one.keyspace.snapshot(clusterID: 1), to: path)
        let restored = one.directory.path + "/restored"
        try SnapshotFile.restore(path, into: restored)
        let copy = try Keyspace.open(directory: restored, options: one.options)
        defer { copy.stop() }
        #expect(copy.hash == other.keyspace.hash)
        try Self.apply(
            [.transaction(TransactionRequest(success: [.put("x", "y")]))],
            to: copy, batch: 1)
        try other.put("x", "y")
        #expect(copy.hash == other.keyspace.hash)
    }

    /// Leaving out, altering or moving any one command that took effect shows.
    @Test func everyChangeShows() throws {
        let commands: [Command] = [
            .transaction(TransactionRequest(success: [.put("a", "1")])),
            .leaseGrant(id: 5, ttlSeconds: 60),
            .transaction(TransactionRequest(success: [.put("b", "2", lease: 5)])),
            .leaseCheckpoint([LeaseRemaining(id: 5, remainingSeconds: 9)]),
            .transaction(TransactionRequest(success: [.put("a", "3")])),
            .compact(3),
            .leaseRevoke(id: 5),
        ]
        func hash(_ commands: [Command]) throws -> UInt64 {
            let fixture = try Fixture()
            try Self.apply(commands, to: fixture.keyspace, batch: 3)
            return fixture.keyspace.hash
        }
        let whole = try hash(commands)
        for left in commands.indices {
            var others = commands
            others.remove(at: left)
            // The checkpoint of a lease that is revoked in the end leaves nothing behind.
            #expect(try (hash(others) == whole) == (left == 3))
        }
        #expect(try hash(Array(commands[..<3])) != hash(Array(commands[..<4])))
        var altered = commands
        altered[0] = .transaction(TransactionRequest(success: [.put("a", "0")]))
        // The value was overwritten, but the changes are hashed too.
        #expect(try hash(altered) != whole)
    }

    @Test func aCheckAnswersTheHashThere() throws {
        let fixture = try Fixture()
        try fixture.put("a", "1")
        let before = fixture.keyspace.hash
        guard case .hash(let hash) = try fixture.apply(.hashCheck) else {
            Issue.record("another kind of result")
            return
        }
        #expect(hash == before)
        try fixture.apply(.hashReport(HashReport(member: 1, index: 2, hash: hash)))
        #expect(fixture.keyspace.hash == before)
    }

    /// Of a revision, whatever else is retained: what `etcdctl endpoint hashkv` compares.
    @Test func theHashOfARevisionStays() throws {
        let one = try Fixture()
        let other = try Fixture { $0.compactionRecordsPerApply = 1 }
        let commands = (0..<9000).map { number in
            Command.transaction(
                TransactionRequest(success: [.put("key-\(number % 5000)", "\(number)")]))
        }
        try Self.apply(commands, to: one.keyspace, batch: 500)
        try Self.apply(commands, to: other.keyspace, batch: 1000)
        let early = try one.keyspace.hash(atRevision: 8000).get()
        #expect(early.revision == 8000)
        let newest = try one.keyspace.hash(atRevision: 0).get()
        #expect(newest.revision == 9001)
        #expect(newest.hash != early.hash)
        _ = try other.compact(7000)
        #expect(try other.keyspace.hash(atRevision: 8000).get().hash == early.hash)
        try other.put("more", "1")
        #expect(try other.keyspace.hash(atRevision: 9001).get().hash == newest.hash)
        #expect(try other.keyspace.hash(atRevision: 0).get().hash != newest.hash)
        #expect(throws: StoreError.self) { try other.keyspace.hash(atRevision: 6999).get() }
        #expect(throws: StoreError.self) { try other.keyspace.hash(atRevision: 99_999).get() }
    }
}
