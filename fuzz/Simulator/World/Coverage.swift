package import Raft

/// How often each fault met a replica in each role.
package struct Coverage: Sendable, Hashable {
    /// Columns of `counts`.
    package static let roles = ["follower", "candidate", "leader", "down"]

    /// Row by fault in the order of `FaultKind.allCases`.
    package private(set) var counts: [Int]

    package init() {
        counts = Array(repeating: 0, count: FaultKind.allCases.count * Self.roles.count)
    }

    package init(counts: [Int]) {
        self.counts = counts
    }

    package mutating func note(_ fault: FaultKind, _ role: Role?) {
        let row = FaultKind.allCases.firstIndex(of: fault) ?? 0
        let column: Int =
            switch role {
            case .follower: 0
            case .preCandidate, .candidate: 1
            case .leader: 2
            case nil: 3
            }
        counts[row * Self.roles.count + column] += 1
    }

    package mutating func add(_ other: Coverage) {
        for position in counts.indices { counts[position] += other.counts[position] }
    }

    /// A table, a line for each fault.
    package var table: [String] {
        let head = "fault".padded(18) + Self.roles.map { $0.padded(11) }.joined()
        let rows = FaultKind.allCases.enumerated().map { row, fault in
            let cells = Self.roles.indices.map { column in
                "\(counts[row * Self.roles.count + column])".padded(11)
            }
            return fault.rawValue.padded(18) + cells.joined()
        }
        return [head] + rows
    }
}

extension String {
    fileprivate func padded(_ width: Int) -> String {
        self + String(repeating: " ", count: max(1, width - count))
    }
}
