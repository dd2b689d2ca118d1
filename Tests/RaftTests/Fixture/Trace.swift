import Raft

/// Readable forms of what a replica says and writes.
enum Trace {
    static func describe(_ entries: [Entry]) -> String {
        "[" + entries.map(describe).joined(separator: ", ") + "]"
    }

    /// `term/index "payload"`.
    static func describe(_ entry: Entry) -> String {
        let name = "\(entry.term)/\(entry.index)"
        if entry.kind == .membership, let change = try? MembershipChange(decoding: entry.payload) {
            return "\(name) \(describe(change))"
        }
        if entry.payload.isEmpty { return "\(name) no-op" }
        return "\(name) \(String(decoding: entry.payload, as: UTF8.self))"
    }

    static func describe(_ change: MembershipChange) -> String {
        if change.isLeavingJoint { return "leave joint" }
        return change.steps.map { "\($0.action) \($0.id)" }.joined(separator: " ")
    }

    static func describe(_ membership: Membership) -> String {
        let outgoing = membership.isJoint ? " outgoing=\(membership.outgoing)" : ""
        let joining = membership.joining.isEmpty ? "" : " joining=\(membership.joining)"
        return "voters=\(membership.voters)\(outgoing) learners=\(membership.learners)\(joining)"
    }

    static func describe(_ message: Message) -> String {
        "\(message.from)->\(message.to) term=\(message.term) " + describe(message.body)
    }

    static func describe(_ body: Message.Body) -> String {
        switch body {
        case .preVote(let index, let term): "preVote log=\(term)/\(index)"
        case .preVoteResponse(let granted): "preVoteResponse \(granted ? "yes" : "no")"
        case .vote(let index, let term, let isTransfer):
            "vote log=\(term)/\(index)" + (isTransfer ? " transfer" : "")
        case .voteResponse(let granted): "voteResponse \(granted ? "yes" : "no")"
        case .append(let index, let term, let entries, let commit):
            "append prev=\(term)/\(index) commit=\(commit) \(describe(entries))"
        case .appended(let index): "appended \(index)"
        case .appendRejected(let index, let hintIndex, let hintTerm):
            "appendRejected \(index) hint=\(hintTerm)/\(hintIndex)"
        case .heartbeat(let commit, let read): "heartbeat commit=\(commit) read=\(read)"
        case .heartbeatResponse(let read): "heartbeatResponse read=\(read)"
        case .readIndex(let tokens): "readIndex \(tokens)"
        case .readIndexResponse(let index, let tokens): "readIndexResponse \(tokens) at \(index)"
        case .installSnapshot(let meta): "installSnapshot \(meta.term)/\(meta.index)"
        case .timeoutNow: "timeoutNow"
        }
    }
}
