import Raft

extension Message {
    /// One line for the trace: entries by their terms and indexes only.
    var text: String {
        guard case .append(let index, let previousTerm, let entries, let commit) = body else {
            return "\(from)->\(to) term \(term) \(body)"
        }
        let names = entries.map { "\($0.term)/\($0.index)" }.joined(separator: " ")
        return "\(from)->\(to) term \(term) append after \(previousTerm)/\(index): "
            + "[\(names)] commit \(commit)"
    }
}
