/// Members that know nothing: those that are to be, and learners that lost what they had.
extension Raft {
    /// Without members this replica knows nothing yet: it never votes, and accepts only a snapshot,
    /// which brings the members with it. So a new member starts.
    package var isBlank: Bool { membership.voters.isEmpty }

    /// Whether this replica may still become another member: it has promised nothing as this one,
    /// and no state is on its way into it.
    package var mayChangeID: Bool { isBlank && lost == nil && installing == nil }

    /// This replica is another member from now on.
    package mutating func changeID(to id: UInt64) {
        precondition(mayChangeID, "member \(configuration.id) has promised something")
        configuration.id = id
        leader = 0
        output = Output()
    }

    /// A member begins anew, without anything that it acknowledged before. The shell calls this
    /// when it knows that, and that nothing more comes from the process before.
    package mutating func memberBegins(_ member: UInt64) {
        guard role == .leader, let slot = peers.firstIndex(where: { $0.id == member }) else {
            return
        }
        peers[slot].forget()
    }
}
