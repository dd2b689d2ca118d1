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
}
