import Basics
import Raft
import Testing

/// What majorities decide, for one set of voters and for joint ones, against `DumbQuorum`.
@Suite struct MembershipQuorumTests {
    struct CommitCase: Sendable, CustomTestStringConvertible {
        var voters: [UInt64]
        var outgoing: [UInt64] = []
        /// What each voter has reached; members that are not named have reached nothing.
        var reached: [UInt64: UInt64]
        var expected: UInt64

        var testDescription: String {
            "\(voters) \(outgoing) \(reached.sorted { $0.key < $1.key })"
        }
    }

    static let commits: [CommitCase] = [
        // One set: nobody, one, an even and an odd number, a voter that was never heard of.
        CommitCase(voters: [], reached: [:], expected: 0),
        CommitCase(voters: [1], reached: [:], expected: 0),
        CommitCase(voters: [1], reached: [1: 12], expected: 12),
        CommitCase(voters: [1, 2], reached: [1: 12], expected: 0),
        CommitCase(voters: [1, 2], reached: [1: 12, 2: 5], expected: 5),
        CommitCase(voters: [1, 2, 3], reached: [2: 12], expected: 0),
        CommitCase(voters: [1, 2, 3], reached: [1: 5, 2: 12], expected: 5),
        CommitCase(voters: [1, 2, 3], reached: [1: 5, 2: 12, 3: 6], expected: 6),
        CommitCase(voters: [1, 2, 3], reached: [1: 11, 2: 150, 3: 12], expected: 12),
        CommitCase(voters: [1, 2, 3, 4], reached: [1: 100, 2: 101, 4: 103], expected: 100),
        CommitCase(voters: [1, 2, 3, 4, 5], reached: [1: 101, 4: 103, 5: 104], expected: 101),
        CommitCase(voters: [1, 2, 3, 4, 5], reached: [1: 101, 2: 104, 4: 104], expected: 101),
        // Who does not vote does not count, however far it is.
        CommitCase(voters: [1, 2, 3], reached: [1: 1, 4: 99, 5: 99], expected: 0),
        // Joint: the same set twice, sets with nobody, with somebody and with all but one in
        // common.
        CommitCase(voters: [1], outgoing: [1], reached: [1: 3], expected: 3),
        CommitCase(
            voters: [1, 2, 3], outgoing: [1, 2, 3], reached: [1: 2, 2: 3, 3: 4], expected: 3),
        CommitCase(voters: [1], outgoing: [2], reached: [1: 100], expected: 0),
        CommitCase(voters: [1], outgoing: [2], reached: [1: 13, 2: 100], expected: 13),
        CommitCase(
            voters: [1, 2, 3], outgoing: [4, 5, 6],
            reached: [1: 9, 2: 8, 3: 7, 4: 6, 5: 5, 6: 4], expected: 5),
        CommitCase(
            voters: [1, 2, 3], outgoing: [4, 5, 6], reached: [1: 99, 2: 99, 3: 99], expected: 0),
        CommitCase(
            voters: [1, 2, 3], outgoing: [3, 4, 5],
            reached: [1: 100, 2: 101, 3: 99, 4: 50], expected: 50),
        CommitCase(
            voters: [1, 2], outgoing: [1, 2, 3], reached: [1: 5, 2: 5], expected: 5),
        CommitCase(
            voters: [1, 2, 3, 4], outgoing: [1, 2, 3],
            reached: [1: 5, 2: 5, 3: 4], expected: 4),
    ]

    @Test(arguments: commits) func commit(_ test: CommitCase) {
        let membership = Membership(voters: test.voters, outgoing: test.outgoing)
        #expect(membership.quorumValue { test.reached[$0] ?? 0 } == test.expected)
        #expect(DumbQuorum(membership).value { test.reached[$0] ?? 0 } == test.expected)
    }

    struct VoteCase: Sendable, CustomTestStringConvertible {
        var voters: [UInt64]
        var outgoing: [UInt64] = []
        /// `y`, `n` or `_` for the members 1, 2, …
        var answers: String
        var expected: Membership.Outcome

        var testDescription: String { "\(voters) \(outgoing) \(answers)" }

        func answer(_ id: UInt64) -> Bool? {
            let all = Array(answers)
            guard id <= UInt64(all.count), all[Int(id) - 1] != "_" else { return nil }
            return all[Int(id) - 1] == "y"
        }
    }

    static let votes: [VoteCase] = [
        VoteCase(voters: [1], answers: "_", expected: .pending),
        VoteCase(voters: [1], answers: "n", expected: .lost),
        VoteCase(voters: [123], answers: "y", expected: .pending),
        VoteCase(voters: [1], answers: "y", expected: .won),
        VoteCase(voters: [1, 2], answers: "n_", expected: .lost),
        VoteCase(voters: [1, 2], answers: "y_", expected: .pending),
        VoteCase(voters: [1, 2], answers: "yn", expected: .lost),
        VoteCase(voters: [1, 2], answers: "yy", expected: .won),
        VoteCase(voters: [1, 2, 3], answers: "ny_", expected: .pending),
        VoteCase(voters: [1, 2, 3], answers: "nny", expected: .lost),
        VoteCase(voters: [1, 2, 3], answers: "yy_", expected: .won),
        VoteCase(voters: [1, 2, 3, 4], answers: "yynn", expected: .lost),
        VoteCase(voters: [1, 2, 3, 4], answers: "yyn_", expected: .pending),
        VoteCase(voters: [1, 2, 3, 4], answers: "yyyn", expected: .won),
        VoteCase(voters: [1, 2, 3, 4, 5, 6, 7], answers: "yynny__", expected: .pending),
        VoteCase(voters: [1, 2, 3, 4, 5, 6, 7], answers: "yyyyn_n", expected: .won),
        VoteCase(voters: [1, 2, 3, 4, 5, 6, 7], answers: "nnnn_yy", expected: .lost),
        VoteCase(voters: [1], outgoing: [2], answers: "yy", expected: .won),
        VoteCase(voters: [1], outgoing: [2], answers: "y_", expected: .pending),
        VoteCase(voters: [1], outgoing: [2], answers: "_n", expected: .lost),
        VoteCase(voters: [1, 2], outgoing: [3, 4], answers: "yyyn", expected: .lost),
        VoteCase(voters: [1, 2], outgoing: [3, 4], answers: "yyy_", expected: .pending),
        VoteCase(voters: [1, 2], outgoing: [2, 3], answers: "yyy", expected: .won),
        VoteCase(voters: [1, 2], outgoing: [2, 3], answers: "_nn", expected: .lost),
        VoteCase(voters: [1, 2, 3], outgoing: [3, 4, 5], answers: "yy_yn", expected: .pending),
        VoteCase(voters: [1, 2, 3], outgoing: [3, 4, 5], answers: "yy_yy", expected: .won),
        VoteCase(voters: [1, 2, 3], outgoing: [1, 2, 3], answers: "y_y", expected: .won),
    ]

    @Test(arguments: votes) func vote(_ test: VoteCase) {
        let membership = Membership(voters: test.voters, outgoing: test.outgoing)
        #expect(membership.outcome(test.answer) == test.expected)
        #expect(DumbQuorum(membership).outcome(test.answer) == test.expected)
    }

    /// Every pair of sets of up to four members, with every assignment of three values.
    @Test func everySmallCase() {
        let members: [UInt64] = [1, 2, 3, 4]
        func subset(_ pattern: Int) -> [UInt64] {
            members.filter { pattern >> (Int($0) - 1) & 1 == 1 }
        }
        for incoming in 1..<16 {
            for outgoing in 0..<16 {
                let membership = Membership(
                    voters: subset(incoming), outgoing: subset(outgoing))
                let dumb = DumbQuorum(membership)
                for code in 0..<81 {
                    let levels = [code % 3, code / 3 % 3, code / 9 % 3, code / 27]
                    func level(_ id: UInt64) -> Int { levels[Int(id) - 1] }
                    func answer(_ id: UInt64) -> Bool? { level(id) == 2 ? nil : level(id) == 1 }
                    let value = membership.quorumValue { UInt64(level($0)) }
                    #expect(value == dumb.value { UInt64(level($0)) }, "\(membership) \(levels)")
                    #expect(
                        membership.outcome(answer) == dumb.outcome(answer),
                        "\(membership) \(levels)")
                    #expect(
                        membership.isQuorum { level($0) > 0 } == dumb.decides { level($0) > 0 },
                        "\(membership) \(levels)")
                }
            }
        }
    }

    /// Larger sets, drawn.
    @Test(arguments: [UInt64(1), 2, 3]) func drawnCases(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        for _ in 0..<2_000 {
            let incoming = draw(1 + random.below(7), &random)
            let outgoing = draw(random.below(8), &random)
            let membership = Membership(voters: incoming, outgoing: outgoing)
            let values = (0...12).map { _ in UInt64(random.below(20)) }
            let answers: [Bool?] = (0...12).map { _ in [true, false, nil][random.below(3)] }
            let dumb = DumbQuorum(membership)
            #expect(
                membership.quorumValue { values[Int($0)] } == dumb.value { values[Int($0)] },
                "\(membership) \(values)")
            #expect(
                membership.outcome { answers[Int($0)] } == dumb.outcome { answers[Int($0)] },
                "\(membership)")
        }
    }

    private func draw(_ count: Int, _ random: inout SeededRandom) -> [UInt64] {
        var ids = (1...12).map { UInt64($0) }
        while ids.count > count { ids.remove(at: random.below(ids.count)) }
        return ids
    }
}
