import Basics

/// Who can reach whom, by replica number, and how fast.
struct Network: Sendable {
    private var size: Int
    private var blocked: [Bool]
    /// Packets of a clogged link wait until then.
    private var cloggedUntil: [UInt64]

    init(_ size: Int) {
        self.size = size
        blocked = Array(repeating: false, count: size * size)
        cloggedUntil = Array(repeating: 0, count: size * size)
    }

    private func link(_ from: Int, _ to: Int) -> Int { (from - 1) * size + to - 1 }

    func isBlocked(_ from: Int, _ to: Int) -> Bool { blocked[link(from, to)] }

    mutating func block(_ from: Int, _ to: Int) { blocked[link(from, to)] = true }

    func clog(_ from: Int, _ to: Int) -> UInt64 { cloggedUntil[link(from, to)] }

    mutating func clog(_ from: Int, _ to: Int, until: UInt64) {
        cloggedUntil[link(from, to)] = until
    }

    mutating func heal() {
        for position in blocked.indices { blocked[position] = false }
    }

    mutating func unclog() {
        for position in cloggedUntil.indices { cloggedUntil[position] = 0 }
    }

    /// Cuts both ways between two groups.
    mutating func split(_ random: inout SeededRandom) {
        let side = (0..<size).map { _ in random.chance(1, in: 2) }
        for a in 1...size {
            for b in 1...size where side[a - 1] != side[b - 1] { block(a, b) }
        }
    }

    /// Cuts some links in one direction only.
    mutating func cutOneWay(_ random: inout SeededRandom) {
        for a in 1...size {
            for b in 1...size where a != b && random.chance(1, in: 4) { block(a, b) }
        }
    }

    mutating func isolate(_ number: Int) {
        for other in 1...size where other != number {
            block(number, other)
            block(other, number)
        }
    }
}
