import Raft

/// What a leader ought to know of one follower, from nothing but the messages that it sent and got:
/// the oracle of `Progress` and `Inflights`.
struct DumbProgress {
    /// Greatest acknowledgement that arrived.
    var match: UInt64 = 0
    /// Appends with entries that left and are not acknowledged, while pipelining.
    var outstanding: [(lastIndex: UInt64, bytes: Int)] = []

    mutating func arrived(_ message: Message) {
        guard case .appended(let index) = message.body else { return }
        match = max(match, index)
    }

    /// After a step of the leader.
    mutating func observe(_ state: MemberProgress.State) {
        if state != .replicate { outstanding = [] }
        outstanding.removeAll { $0.lastIndex <= match }
    }

    /// Whether this append was allowed to leave.
    mutating func left(
        _ entries: [Entry], _ state: MemberProgress.State, countMax: Int, bytesMax: Int
    ) -> Bool {
        guard let last = entries.last else { return true }
        guard state == .replicate else { return true }
        let bytes = outstanding.reduce(0) { $0 + $1.bytes }
        let isAllowed = outstanding.count < countMax && bytes < bytesMax
        let cost = entries.reduce(0) { $0 + $1.payload.count + 32 }
        outstanding.append((last.index, cost))
        return isAllowed
    }
}
