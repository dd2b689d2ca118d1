import Basics
package import Keyspace

/// Compares this replica's hashes with what a majority of the voters reported for the same entry.
///
/// Everything comes through the log, so that all replicas see the same reports; which of them
/// differs is for each one itself to say. docs/decisions/0007-running-hashes.md.
package struct HashComparison: Sendable {
    package enum Verdict: Sendable, Hashable {
        /// Not enough reports yet, or nothing new.
        case open
        case agrees
        /// All voters reported, and all the same.
        case unanimous
        /// `majority` is those whose reports are alike.
        case differs(entry: UInt64, own: UInt64, theirs: UInt64, majority: [UInt64])
        /// The voters differ, and no majority of them is alike: nobody can say who is right.
        case undecided(entry: UInt64)
    }

    /// Checks that are remembered; the reports of a replica that was away come late.
    private static let checksMax = 8

    private struct Check {
        var index: UInt64
        var own: UInt64
        var reports: [HashReport] = []
        var isDecided = false
        var isUndecidedTold = false

        var isContested: Bool { reports.contains { $0.hash != reports[0].hash } }

        /// Reports with the hash that most have.
        var most: [HashReport] {
            reports.map { one in reports.filter { $0.hash == one.hash } }
                .reduce([]) { $0.count >= $1.count ? $0 : $1 }
        }
    }

    private var checks: [Check] = []
    /// The newest check that this replica agreed with.
    package private(set) var agreedIndex: UInt64 = 0

    package init() {}

    /// The state's hash at a check that was applied here. The check before has had its time: if the
    /// voters differed at it and whoever could decide has not reported, that is said now.
    package mutating func checked(index: UInt64, hash: UInt64) -> Verdict {
        var verdict = Verdict.open
        if let last = checks.indices.last, checks[last].isContested { verdict = undecided(last) }
        checks.append(Check(index: index, own: hash))
        if checks.count > Self.checksMax { checks.removeFirst() }
        return verdict
    }

    /// What a replica reported, and what follows for this one; says each thing once for a check.
    package mutating func reported(_ report: HashReport, voters: [UInt64]) -> Verdict {
        guard voters.contains(report.member),
            let position = checks.firstIndex(where: { $0.index == report.index }),
            !checks[position].reports.contains(where: { $0.member == report.member })
        else { return .open }
        checks[position].reports.append(report)
        let check = checks[position]
        let isComplete = check.reports.count >= voters.count
        let most = check.most
        guard most.count > (Mutant.isOn(.anyHashDecides) ? 0 : voters.count / 2) else {
            let missing = voters.count - check.reports.count
            return most.count + missing > voters.count / 2 ? .open : undecided(position)
        }
        let theirs = most[0].hash
        if check.own == theirs {
            agreedIndex = max(agreedIndex, report.index)
            if isComplete, !check.isContested { return .unanimous }
            defer { checks[position].isDecided = true }
            return check.isDecided ? .open : .agrees
        }
        guard !check.isDecided else { return .open }
        checks[position].isDecided = true
        return .differs(
            entry: report.index, own: check.own, theirs: theirs, majority: most.map(\.member))
    }

    private mutating func undecided(_ position: Int) -> Verdict {
        guard !checks[position].isDecided, !checks[position].isUndecidedTold else { return .open }
        checks[position].isUndecidedTold = true
        return .undecided(entry: checks[position].index)
    }
}
