import Basics
import Keyspace
import Raft
import ReplicaCore
import Testing

/// How many bytes may be on their way.
@Suite struct ByteLimitsTests {
    private typealias Answer = Result<CommandResult, StoreError>

    private func put(_ key: String, _ fixture: CoreFixture) throws -> Locked<Answer?> {
        let answer = Locked<Answer?>(nil)
        let command = Command.transaction(
            TransactionRequest(success: [
                .put(PutRequest(key: Bytes(key.utf8), value: Bytes("value".utf8)))
            ]))
        let write = PendingWrite(
            payload: command.encode(), deadline: fixture.now.advanced(milliseconds: 60_000)
        ) { result in
            answer.withLock { $0 = result }
        }
        try fixture.step([.write(write)])
        return answer
    }

    private func isDone(_ answer: Locked<Answer?>) -> Bool {
        if case .success? = answer.withLock({ $0 }) { true } else { false }
    }

    private func error(_ answer: Locked<Answer?>) -> StoreError? {
        if case .failure(let error)? = answer.withLock({ $0 }) { error } else { nil }
    }

    @Test func raftIsTold() throws {
        let small = try CoreFixture { settings in
            settings.inflightBytesMax = 1_234
            settings.uncommittedBytesMax = 5_678
        }
        let told = try #require(small.core.raft).configuration
        #expect(told.inflightBytesMax == 1_234)
        #expect(told.uncommittedBytesMax == 5_678)
        let usual = try CoreFixture()
        let untold = try #require(usual.core.raft).configuration
        #expect(untold.inflightBytesMax == 16 << 20)
        #expect(untold.uncommittedBytesMax == 64 << 20)
    }

    /// And what is refused is not done: it can be asked again at once.
    @Test func aWriteBehindTooMuchIsRefused() throws {
        let fixture = try CoreFixture { settings in
            settings.campaignsAtOnce = true
            settings.uncommittedBytesMax = 1
        }
        try fixture.elect()
        try fixture.acknowledge()
        let first = try put("first", fixture)
        #expect(!isDone(first) && error(first) == nil)
        let second = try put("second", fixture)
        #expect(error(second) == StoreError.tooManyRequests)
        try fixture.acknowledge()
        #expect(isDone(first))
        // The first entry of the term, and one put.
        #expect(fixture.core.raft?.lastIndex == 2)
        let third = try put("third", fixture)
        try fixture.acknowledge()
        #expect(isDone(third))
        #expect(fixture.core.raft?.tally.refusedProposals == 1)
    }
}
