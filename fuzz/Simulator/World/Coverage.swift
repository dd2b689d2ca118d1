package import Raft

/// How often each fault met a replica in each role.
package struct Coverage: Sendable, Hashable {
    /// Columns of `counts`.
    package static let roles = ["follower", "candidate", "leader", "down"]

    /// What replicas did about faults.
    package enum Finding: String, Sendable, CaseIterable {
        /// A replica found that its state is not the others'.
        case divergence
        /// Nobody could say who is right.
        case corruptAlarm
        /// A snapshot went on where its last transfer was cut off.
        case resumedSnapshot
    }

    /// Row by fault in the order of `FaultKind.allCases`; then a number for each finding.
    package private(set) var counts: [Int]

    package init() {
        counts = Array(
            repeating: 0,
            count: FaultKind.allCases.count * Self.roles.count + Finding.allCases.count)
    }

    package mutating func noteFound(_ finding: Finding) {
        counts[Self.place(of: finding)] += 1
    }

    private static func place(of finding: Finding) -> Int {
        FaultKind.allCases.count * roles.count + (Finding.allCases.firstIndex(of: finding) ?? 0)
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
        let findings = Finding.allCases.map { "\($0.rawValue) \(counts[Self.place(of: $0)])" }
        return [head] + rows + ["found: " + findings.joined(separator: ", ")]
    }
}

extension String {
    fileprivate func padded(_ width: Int) -> String {
        self + String(repeating: " ", count: max(1, width - count))
    }
}
