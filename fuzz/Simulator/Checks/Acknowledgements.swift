package import Raft

/// What members told leaders that they have durably, by the messages that reached them. A leader
/// commits only what a quorum told it: that a quorum has it as well may be luck.
package struct Acknowledgements {
    private struct Source: Hashable {
        var leader: UInt64
        var term: UInt64
        var member: UInt64
    }

    /// The last entry that was told of.
    private var told: [Source: UInt64] = [:]

    package init() {}

    /// A message reached a replica.
    package mutating func heard(_ message: Message) {
        guard case .appended(let index) = message.body else { return }
        let source = Source(leader: message.to, term: message.term, member: message.from)
        told[source] = max(told[source] ?? 0, index)
    }

    /// A leader committed.
    ///
    /// - Parameter before: the voters before the round, in which they may have changed after the
    ///   commit.
    package func committed(_ raft: Raft, before: Membership?) throws(Violation) {
        let index = raft.commitIndex
        let isTold = { (voter: UInt64) -> Bool in
            let source = Source(leader: raft.id, term: raft.term, member: voter)
            return voter == raft.id || told[source] ?? 0 >= index
        }
        if let before, RaftInvariants.isQuorum(before, isTold) { return }
        let members = raft.membership
        guard RaftInvariants.isQuorum(members, isTold) else {
            throw .correctness(
                "told by a quorum: \(raft.id) commits entry \(raft.term)/\(index), of which only "
                    + "\(members.allVoters.filter(isTold)) of \(members.voters)"
                    + "\(members.isJoint ? " and \(members.outgoing)" : "") have told it")
        }
    }
}
