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

    /// What leaders did that shows that a limit or a lease is within reach.
    package enum Reach: String, Sendable, CaseIterable {
        /// Reads, or what a replica asked for many at once, were answered by a lease.
        case leaseRead
        /// A proposal was too much beyond what is committed.
        case refusedProposal
        /// Entries waited because of the bytes in flight to their receiver.
        case heldAppend
    }

    /// Row by fault in the order of `FaultKind.allCases`; then a number for each finding, and for
    /// each reach.
    package private(set) var counts: [Int]

    package init() {
        counts = Array(
            repeating: 0,
            count: FaultKind.allCases.count * Self.roles.count + Finding.allCases.count
                + Reach.allCases.count)
    }

    package mutating func noteFound(_ finding: Finding) {
        counts[Self.place(of: finding)] += 1
    }

    /// What a leader counted since the last look.
    package mutating func noteReached(_ reach: Reach, times: Int) {
        counts[Self.place(of: reach)] += max(0, times)
    }

    private static func place(of finding: Finding) -> Int {
        FaultKind.allCases.count * roles.count + (Finding.allCases.firstIndex(of: finding) ?? 0)
    }

    private static func place(of reach: Reach) -> Int {
        FaultKind.allCases.count * roles.count + Finding.allCases.count
            + (Reach.allCases.firstIndex(of: reach) ?? 0)
    }

    package func count(of reach: Reach) -> Int { counts[Self.place(of: reach)] }

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
        let reached = Reach.allCases.map { "\($0.rawValue) \(count(of: $0))" }
        return [head] + rows + [
            "found: " + findings.joined(separator: ", "),
            "reached: " + reached.joined(separator: ", "),
        ]
    }
}

extension String {
    fileprivate func padded(_ width: Int) -> String {
        self + String(repeating: " ", count: max(1, width - count))
    }
}
