/// What a leader tells a replica without data, so that it takes up the id of a learner.
///
/// The replica chose the token, in this process and for this one time. So an invitation that comes
/// late, from a leader that was deposed meanwhile, is for nobody: what happened to the id since
/// then, such as a vote that was cast under it, belongs to a process before the token.
package struct Invitation: Sendable, Hashable {
    package var memberID: UInt64
    package var token: UInt64

    package init(memberID: UInt64, token: UInt64) {
        self.memberID = memberID
        self.token = token
    }
}

/// An invitation that this leader makes once it knows that it still leads.
struct PendingInvitation {
    var invitation: Invitation
    /// The read index that was asked for after the token was heard of; nil once it is confirmed.
    var question: UInt64?
}
