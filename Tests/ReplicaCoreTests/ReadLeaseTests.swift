import Basics
import Keyspace
import Raft
import ReplicaCore
import Testing

/// Linearizable reads at a leader that need not ask the others for half an election timeout, which
/// is 150 ms here. Member 3 is silent throughout.
@Suite struct ReadLeaseTests {
    private static func put(_ value: String) -> Command {
        .transaction(
            TransactionRequest(success: [
                .put(PutRequest(key: Bytes("key".utf8), value: Bytes(value.utf8)))
            ]))
    }

    /// A leader at revision 2.
    private func leader(
        _ adjust: (inout ReplicaSettings) -> Void = { $0.hasReadLeases = true }
    ) throws -> CoreFixture {
        let fixture = try CoreFixture { settings in
            settings.campaignsAtOnce = true
            adjust(&settings)
        }
        try fixture.elect()
        try fixture.acknowledge()
        try fixture.step([fixture.write(Self.put("first"))])
        try fixture.acknowledge()
        return fixture
    }

    private func later(_ milliseconds: UInt64, _ fixture: CoreFixture) {
        fixture.now = fixture.now.advanced(milliseconds: milliseconds)
    }

    @Test func byDefaultEveryReadAsks() throws {
        let fixture = try leader { _ in }
        for _ in 0..<3 {
            let read = try fixture.read()
            #expect(read.withLock { $0 } == nil)
            try fixture.confirm()
            #expect(try read.withLock { $0 }?.get() == 2)
        }
    }

    /// The others promised nothing from when their answer came, but from when they were asked.
    @Test func itCountsFromWhenTheOthersWereAsked() throws {
        let fixture = try leader()
        let first = try fixture.read()
        #expect(first.withLock { $0 } == nil)
        later(100, fixture)
        try fixture.confirm()
        #expect(try first.withLock { $0 }?.get() == 2)
        // Nobody answers from here on.
        later(49, fixture)
        let held = try fixture.read()
        #expect(try held.withLock { $0 }?.get() == 2)
        later(1, fixture)
        let over = try fixture.read()
        #expect(over.withLock { $0 } == nil)
        try fixture.confirm()
        #expect(try over.withLock { $0 }?.get() == 2)
    }

    /// Of an election timeout the others count whole ticks only, here five of 50 ms.
    @Test func itIsHalfOfWholeTicks() throws {
        let fixture = try CoreFixture { settings in
            settings.hasReadLeases = true
            settings.electionMilliseconds = 299
        }
        let configuration = try #require(fixture.core.raft).configuration
        #expect(configuration.electionTicksMin == 5)
        #expect(configuration.leaseNanoseconds == 125_000_000)
    }

    @Test func heartbeatsRenewIt() throws {
        let fixture = try leader()
        for _ in 0..<10 {
            later(50, fixture)
            try fixture.step()
            try fixture.confirm()
        }
        later(149, fixture)
        let read = try fixture.read()
        #expect(try read.withLock { $0 }?.get() == 2)
    }

    /// A successor may have written: what is known here alone is the past.
    @Test func aLeaderWhoseLeaseIsOverReadsWhatItsSuccessorWrote() throws {
        let fixture = try leader()
        _ = try fixture.read()
        try fixture.confirm()
        later(300, fixture)
        let read = try fixture.read()
        #expect(read.withLock { $0 } == nil)
        // The read is asked for again, at member 3, with the next tick.
        let last = try #require(fixture.core.raft).lastIndex
        let entry = Entry(term: 2, index: last + 1, payload: Self.put("second").encode())
        try fixture.step([
            fixture.message(
                from: 3, term: 2,
                .append(prevIndex: last, prevTerm: 1, entries: [entry], commit: last + 1))
        ])
        #expect(fixture.environment.status.role == .follower)
        later(100, fixture)
        try fixture.step()
        #expect(read.withLock { $0 } == nil)
        var tokens: [UInt64] = []
        for message in fixture.environment.messages where message.to == 3 {
            if case .readIndex(let asked) = message.body { tokens += asked }
        }
        #expect(tokens.count == 1)
        try fixture.step([
            fixture.message(
                from: 3, term: 2, .readIndexResponse(index: last + 1, tokens: tokens))
        ])
        #expect(try read.withLock { $0 }?.get() == 3)
    }
}
