import Basics
import Raft
import Testing

/// What changes make of memberships, against `DumbMembers`.
@Suite struct MembershipChangeTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var name: String
        var from: Membership
        var steps: [MembershipChange.Step]
        var expected: Membership
        /// After the end of a joint membership; nil where there is none.
        var end: Membership?

        var testDescription: String { name }
    }

    static let three = Membership(voters: [1, 2, 3])
    static let cases: [Case] = [
        // Changes of one voter.
        Case(
            name: "add a voter", from: three, steps: [.init(.addVoter, 4)],
            expected: Membership(voters: [1, 2, 3, 4])),
        Case(
            name: "remove a voter", from: three, steps: [.init(.remove, 3)],
            expected: Membership(voters: [1, 2])),
        Case(
            name: "demote a voter", from: three, steps: [.init(.addLearner, 1)],
            expected: Membership(voters: [2, 3], learners: [1])),
        Case(
            name: "promote a learner", from: Membership(voters: [1, 2], learners: [3]),
            steps: [.init(.addVoter, 3)], expected: three),
        Case(
            name: "promote who joins",
            from: Membership(voters: [1], learners: [2, 3], joining: [2, 3]),
            steps: [.init(.addVoter, 2)],
            expected: Membership(voters: [1, 2], learners: [3], joining: [3])),
        Case(
            name: "one voter and any number of learners", from: three,
            steps: [.init(.addLearner, 4), .init(.join, 5), .init(.remove, 3)],
            expected: Membership(voters: [1, 2], learners: [4, 5], joining: [5])),
        // Idempotent ones.
        Case(name: "add a voter again", from: three, steps: [.init(.addVoter, 2)], expected: three),
        Case(name: "remove a stranger", from: three, steps: [.init(.remove, 9)], expected: three),
        Case(name: "a voter joins", from: three, steps: [.init(.join, 3)], expected: three),
        Case(
            name: "who joins shall only learn",
            from: Membership(voters: [1], learners: [2], joining: [2]),
            steps: [.init(.addLearner, 2)], expected: Membership(voters: [1], learners: [2])),
        Case(
            name: "a learner joins", from: Membership(voters: [1], learners: [2]),
            steps: [.init(.join, 2)],
            expected: Membership(voters: [1], learners: [2], joining: [2])),
        Case(
            name: "remove who joins", from: Membership(voters: [1], learners: [2], joining: [2]),
            steps: [.init(.remove, 2)], expected: Membership(voters: [1])),
        // Joint ones.
        Case(
            name: "replace one", from: three, steps: [.init(.remove, 3), .init(.addVoter, 4)],
            expected: Membership(voters: [1, 2, 4], outgoing: [1, 2, 3]),
            end: Membership(voters: [1, 2, 4])),
        Case(
            name: "replace all", from: three,
            steps: [1, 2, 3].map { .init(.remove, $0) } + [4, 5].map { .init(.addVoter, $0) },
            expected: Membership(voters: [4, 5], outgoing: [1, 2, 3]),
            end: Membership(voters: [4, 5])),
        Case(
            name: "one to three", from: Membership(voters: [1]),
            steps: [.init(.addVoter, 2), .init(.addVoter, 3)],
            expected: Membership(voters: [1, 2, 3], outgoing: [1]), end: three),
        Case(
            name: "three to one", from: three, steps: [.init(.remove, 2), .init(.remove, 3)],
            expected: Membership(voters: [1], outgoing: [1, 2, 3]), end: Membership(voters: [1])),
        Case(
            name: "demote two, who vote to the end", from: three,
            steps: [.init(.addLearner, 1), .init(.addLearner, 2)],
            expected: Membership(voters: [3], outgoing: [1, 2, 3], learners: [1, 2]),
            end: Membership(voters: [3], learners: [1, 2])),
        Case(
            name: "swap a voter and a learner", from: Membership(voters: [1, 2], learners: [3]),
            steps: [.init(.addLearner, 1), .init(.addVoter, 3)],
            expected: Membership(voters: [2, 3], outgoing: [1, 2], learners: [1]),
            end: Membership(voters: [2, 3], learners: [1])),
        Case(
            name: "learners come and go while voters change",
            from: Membership(voters: [1, 2, 3], learners: [7]),
            steps: [
                .init(.remove, 7), .init(.addLearner, 8), .init(.remove, 2), .init(.addVoter, 9),
            ],
            expected: Membership(voters: [1, 3, 9], outgoing: [1, 2, 3], learners: [8]),
            end: Membership(voters: [1, 3, 9], learners: [8])),
    ]

    @Test(arguments: cases) func change(_ test: Case) {
        let change = MembershipChange(test.steps)
        let next = test.from.applying(change)
        #expect(next == test.expected)
        #expect(DumbMembers(next) == DumbMembers(test.from).after(change))
        #expect(next.isJoint == (test.end != nil))
        guard let end = test.end else { return }
        #expect(next.applying(.leaveJoint) == end)
        #expect(end.applying(.leaveJoint) == end)
    }

    /// Chains of drawn changes.
    @Test(arguments: [UInt64(1), 2, 3, 4]) func drawnChains(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var members = Membership(voters: [1, 2, 3])
        for _ in 0..<1_000 {
            let change = members.isJoint ? .leaveJoint : draw(&random)
            let next = DumbMembers(members).after(change)
            guard !next.voters.isEmpty else { continue }
            members = members.applying(change)
            #expect(DumbMembers(members) == next)
            #expect(members.all == members.all.filter(members.contains))
        }
    }

    /// From any set to any set, in one change and its end.
    @Test(arguments: [UInt64(5), 6]) func anySetToAnySet(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        for _ in 0..<1_000 {
            let from = drawMembers(&random)
            let drawn = drawMembers(&random)
            let to = Membership(
                voters: drawn.voters, learners: drawn.learners,
                joining: drawn.joining.filter { !from.voters.contains($0) })
            guard let change = from.change(to: to) else {
                #expect(from == to)
                continue
            }
            let next = from.applying(change)
            #expect((next.isJoint ? next.applying(.leaveJoint) : next) == to)
        }
    }

    /// Any two majorities of neighbours in a chain of memberships have a member in common: what one
    /// decided cannot be undone by the other. Every pair of sets of up to four voters, with every
    /// two majorities.
    @Test func neighboursShareMajorities() {
        func subset(_ pattern: Int) -> [UInt64] {
            (1...4).map { UInt64($0) }.filter { pattern >> (Int($0) - 1) & 1 == 1 }
        }
        for old in 1..<16 {
            for new in 1..<16 {
                let from = Membership(voters: subset(old))
                guard let change = from.change(to: Membership(voters: subset(new))) else {
                    continue
                }
                var chain = [from, from.applying(change)]
                if chain[1].isJoint { chain.append(chain[1].applying(.leaveJoint)) }
                for (left, right) in zip(chain, chain.dropFirst()) {
                    for group in 0..<16 {
                        let isShared =
                            DumbQuorum(left).decides { subset(group).contains($0) }
                            && DumbQuorum(right).decides { !subset(group).contains($0) }
                        #expect(!isShared, "\(left) \(right) \(subset(group))")
                    }
                }
            }
        }
    }

    private func draw(_ random: inout SeededRandom) -> MembershipChange {
        var steps: [MembershipChange.Step] = []
        for id in UInt64(1)...6 where random.below(3) == 0 {
            let actions: [MembershipChange.Action] = [.addVoter, .addLearner, .remove, .join]
            steps.append(.init(actions[random.below(4)], id))
        }
        return MembershipChange(steps)
    }

    private func drawMembers(_ random: inout SeededRandom) -> Membership {
        var voters: [UInt64] = []
        var learners: [UInt64] = []
        var joining: [UInt64] = []
        for id in UInt64(1)...7 {
            switch random.below(4) {
            case 0: voters.append(id)
            case 1: learners.append(id)
            case 2 where random.below(2) == 0:
                learners.append(id)
                joining.append(id)
            default: break
            }
        }
        if voters.isEmpty { voters = [8] }
        return Membership(voters: voters, learners: learners, joining: joining)
    }
}
