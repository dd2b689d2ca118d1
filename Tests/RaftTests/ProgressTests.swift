import Basics
import Raft
import Testing

/// A leader and two followers on a network that loses, repeats and reorders, against
/// `DumbProgress`.
@Suite struct ProgressTests {
    private static let countMax = 3
    private static let bytesMax = 200

    @Test(arguments: Array(UInt64(1)...20)) func leaderKnowsWhatWasAcknowledged(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var rafts = (UInt64(1)...3).map { Self.replica($0) }
        var network: [Message] = []
        var oracle = [DumbProgress(), DumbProgress()]
        elect(&rafts)
        for _ in 0..<3_000 {
            switch random.below(12) {
            case 0: _ = rafts[0].propose([[UInt8](repeating: 1, count: 1 + random.below(60))])
            case 1: rafts[0].tick()
            case 2 where random.below(10) == 0: rafts[0].unreachable(2 + UInt64(random.below(2)))
            default: deliver(&network, &rafts, &oracle, &random)
            }
            for index in rafts.indices { flush(index, &rafts, &network, &oracle) }
            guard rafts[0].role == .leader else { return }
            for (peer, dumb) in zip(rafts[0].progress, oracle) {
                #expect(peer.match == dumb.match && peer.next > peer.match)
                #expect(peer.match <= rafts[Int(peer.id) - 1].persistedIndex)
            }
        }
        #expect(rafts[0].commitIndex > 50)
    }

    private static func replica(_ id: UInt64) -> Raft {
        Raft(
            Raft.Configuration(
                id: id, electionTicksMin: 1_000, inflightMessagesMax: countMax,
                inflightBytesMax: bytesMax, messageBytesMax: 100, seed: 1),
            Raft.InitialState(membership: Membership(voters: [1, 2, 3])))
    }

    private func elect(_ rafts: inout [Raft]) {
        rafts[0].campaign()
        for body in [Message.Body.preVoteResponse(granted: true), .voteResponse(granted: true)] {
            drain(&rafts[0])
            rafts[0].step(Message(from: 2, to: 1, term: 1, body: body))
        }
        precondition(rafts[0].role == .leader)
    }

    private func deliver(
        _ network: inout [Message], _ rafts: inout [Raft], _ oracle: inout [DumbProgress],
        _ random: inout SeededRandom
    ) {
        guard !network.isEmpty else { return }
        // Mostly in order.
        let position = random.below(4) == 0 ? random.below(network.count) : 0
        let message = network[position]
        if random.below(10) > 0 { network.remove(at: position) }
        if random.below(10) == 0 { return }
        if message.to == 1 { oracle[Int(message.from) - 2].arrived(message) }
        rafts[Int(message.to) - 1].step(message)
        for peer in rafts[0].progress { oracle[Int(peer.id) - 2].observe(peer.state) }
    }

    private func flush(
        _ index: Int, _ rafts: inout [Raft], _ network: inout [Message],
        _ oracle: inout [DumbProgress]
    ) {
        for ready in drain(&rafts[index]) {
            for message in ready.messages + ready.messagesAfterPersist {
                if index == 0, case .append(_, _, let entries, _) = message.body {
                    let peer = Int(message.to) - 2
                    let state = rafts[0].progress[peer].state
                    let isAllowed = oracle[peer].left(
                        entries, state, countMax: Self.countMax, bytesMax: Self.bytesMax)
                    #expect(isAllowed, "append to \(message.to) over the window")
                }
                if network.count < 60 { network.append(message) }
            }
        }
        for peer in rafts[0].progress { oracle[Int(peer.id) - 2].observe(peer.state) }
    }
}
