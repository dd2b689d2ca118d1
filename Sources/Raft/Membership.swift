/// The members of a cluster. Voters elect and commit; learners only receive.
///
/// While a change of several voters is under way the membership is **joint**: `outgoing` are the
/// voters before it, and everything needs a majority of them as well as one of `voters` (Raft
/// paper, section 6). So no two majorities without a common member ever decide, however the sets
/// differ.
///
/// All lists are sorted, without duplicates. Nobody is in `voters` and in `learners`; who is in
/// `outgoing` and in `learners` votes until the joint membership ends, and learns from then on.
package struct Membership: Sendable, Hashable {
    package internal(set) var voters: [UInt64]
    /// Empty unless the membership is joint.
    package internal(set) var outgoing: [UInt64]
    package internal(set) var learners: [UInt64]
    /// The learners that the leader makes voters as soon as they have caught up.
    package internal(set) var joining: [UInt64]

    package init(
        voters: [UInt64], outgoing: [UInt64] = [], learners: [UInt64] = [], joining: [UInt64] = []
    ) {
        self.voters = voters.sorted()
        self.outgoing = outgoing.sorted()
        self.learners = learners.sorted()
        self.joining = joining.sorted()
        checkInvariants()
    }

    package var isJoint: Bool { !outgoing.isEmpty }

    package func contains(_ id: UInt64) -> Bool { isVoter(id) || learners.contains(id) }

    /// Whether this member's vote counts somewhere.
    package func isVoter(_ id: UInt64) -> Bool { voters.contains(id) || outgoing.contains(id) }

    /// Everyone whose vote counts somewhere, sorted.
    package var allVoters: [UInt64] {
        isJoint ? (voters + outgoing.filter { !voters.contains($0) }).sorted() : voters
    }

    /// Every member, sorted.
    package var all: [UInt64] {
        (allVoters + learners.filter { !outgoing.contains($0) }).sorted()
    }

    func checkInvariants() {
        for list in [voters, outgoing, learners, joining] {
            for (left, right) in zip(list, list.dropFirst()) {
                precondition(left < right, "member \(left) twice in \(self)")
            }
            precondition(list.first != 0, "0 is not a member id")
        }
        precondition(!voters.contains { learners.contains($0) }, "voter and learner in \(self)")
        precondition(joining.allSatisfy { learners.contains($0) }, "only learners join: \(self)")
        precondition(!voters.isEmpty || outgoing.isEmpty, "nobody would vote in \(self)")
    }
}
