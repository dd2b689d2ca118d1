package import Keyspace

/// Compares this replica's hashes with what a majority of the voters reported for the same entry.
///
/// Everything comes through the log, so that all replicas see the same reports; which of them
/// differs is for each one itself to say. docs/decisions/0007-running-hashes.md.
package struct HashComparison: Sendable {
    package enum Verdict: Sendable, Hashable {
        /// Not enough reports yet, or no majority among them.
        case open
        case agrees
        case differs(entry: UInt64, own: UInt64, majority: UInt64)
    }

    /// Checks that are remembered; each is over when the next begins.
    private static let checksMax = 8

    private struct Check {
        var index: UInt64
        var own: UInt64
        var reports: [HashReport] = []
        var isDecided = false
    }

    private var checks: [Check] = []
    /// The newest check that this replica agreed with.
    package private(set) var agreedIndex: UInt64 = 0

    package init() {}

    /// The state's hash at a check that was applied here.
    package mutating func checked(index: UInt64, hash: UInt64) {
        checks.append(Check(index: index, own: hash))
        if checks.count > Self.checksMax { checks.removeFirst() }
    }

    /// What a replica reported, and what follows for this one; says so once for each check.
    package mutating func reported(_ report: HashReport, voters: [UInt64]) -> Verdict {
        guard voters.contains(report.member),
            let position = checks.firstIndex(where: { $0.index == report.index }),
            !checks[position].isDecided,
            !checks[position].reports.contains(where: { $0.member == report.member })
        else { return .open }
        checks[position].reports.append(report)
        let alike = checks[position].reports.count { $0.hash == report.hash }
        guard alike > voters.count / 2 else { return .open }
        checks[position].isDecided = true
        let own = checks[position].own
        if own == report.hash {
            agreedIndex = max(agreedIndex, report.index)
            return .agrees
        }
        return .differs(entry: report.index, own: own, majority: report.hash)
    }
}
