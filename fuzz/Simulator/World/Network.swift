import Basics

/// Who can reach whom.
struct Network: Sendable {
    private struct Link: Sendable, Hashable {
        var from: UInt64
        var to: UInt64
    }

    private var blocked: [Link] = []

    var isWhole: Bool { blocked.isEmpty }

    func isBlocked(from: UInt64, to: UInt64) -> Bool {
        blocked.contains(Link(from: from, to: to))
    }

    mutating func block(from: UInt64, to: UInt64) {
        let link = Link(from: from, to: to)
        if !blocked.contains(link) { blocked.append(link) }
    }

    mutating func heal() { blocked = [] }

    /// Cuts both ways between two groups of `members`.
    mutating func split(_ members: [UInt64], _ random: inout SeededRandom) {
        let side = members.map { _ in random.chance(1, in: 2) }
        for (i, a) in members.enumerated() {
            for (j, b) in members.enumerated() where side[i] != side[j] { block(from: a, to: b) }
        }
    }

    /// Cuts some links in one direction only.
    mutating func cutOneWay(_ members: [UInt64], _ random: inout SeededRandom) {
        for a in members {
            for b in members where a != b && random.chance(1, in: 4) { block(from: a, to: b) }
        }
    }
}
