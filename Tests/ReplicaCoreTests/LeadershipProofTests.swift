import Basics
import Keyspace
import Raft
import ReplicaCore
import Testing

/// Who was stopped for longer than an election timeout may have a successor, who would end a lease
/// that is kept alive here.
@Suite struct LeadershipProofTests {
    private static let questions: [PeerQuestion] = [.leaseKeepAlive(7), .leaseRemaining(7)]

    /// A leader that has granted the lease 7.
    private func leader() throws -> CoreFixture {
        let fixture = try CoreFixture { $0.campaignsAtOnce = true }
        try fixture.elect()
        try fixture.acknowledge()
        try fixture.step([fixture.write(.leaseGrant(id: 7, ttlSeconds: 60))])
        try fixture.acknowledge()
        try #require(fixture.core.knownSeconds(ofLease: 7) == 60)
        return fixture
    }

    @Test(arguments: questions) func answersWaitForAQuorum(_ question: PeerQuestion) throws {
        let fixture = try leader()
        let first = try fixture.ask(question)
        #expect(first.withLock { $0 } == nil)
        try fixture.confirm()
        #expect(try first.withLock { $0 }?.get() == 60)
        // For less than an election timeout, which is 300 ms, nobody has to be asked again.
        fixture.now = fixture.now.advanced(milliseconds: 299)
        let second = try fixture.ask(question)
        #expect(try second.withLock { $0 }?.get() == 60)
        fixture.now = fixture.now.advanced(milliseconds: 5_000)
        let late = try fixture.ask(question)
        #expect(late.withLock { $0 } == nil)
        try fixture.confirm()
        #expect(late.withLock { $0 } != nil)
    }

    @Test(arguments: questions) func theSuccessorAnswers(_ question: PeerQuestion) throws {
        let fixture = try leader()
        _ = try fixture.ask(question)
        try fixture.confirm()
        fixture.now = fixture.now.advanced(milliseconds: 5_000)
        let late = try fixture.ask(question)
        #expect(fixture.environment.requests.isEmpty)
        try fixture.step([fixture.message(from: 3, term: 2, .heartbeat(commit: 0, read: 0))])
        #expect(late.withLock { $0 } == nil)
        #expect(fixture.environment.requests.map(\.body) == [.question(question)])
    }
}
