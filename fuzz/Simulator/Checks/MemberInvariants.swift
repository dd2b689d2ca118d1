package import Raft
package import ReplicaCore

/// What is so of the members of a cluster after every change.
package enum MemberInvariants {
    /// No two have a name or an address in common: a replica would not know which of them it is.
    package static func check(_ members: [ReplicaMember]) throws(Violation) {
        guard Set(members.map(\.name)).count == members.count,
            Set(members.map(\.peerAddress)).count == members.count
        else {
            let names = members.map { "\($0.id) \($0.name) at \($0.peerAddress)" }
            throw .correctness("two members have the same name or address: \(names)")
        }
    }

    /// A replica without data takes up an id. What a voter promised must not be forgotten.
    package static func checkJoining(
        _ replica: Int, as id: UInt64, in membership: Membership
    ) throws(Violation) {
        guard membership.isVoter(id) else { return }
        throw .correctness("\(replica), which is empty, takes up the voter \(id)")
    }
}
