/// What a cluster has to come to once the faults have ended.
package enum Liveness {
    private static let patience: UInt64 = 120_000_000

    /// What is waited for is not there yet. Times are the world's, in microseconds.
    package static func check(_ what: String, since begun: UInt64, now: UInt64) throws(Violation) {
        guard now < begun + patience else {
            throw .liveness("not within two minutes: \(what)")
        }
    }

    /// Everybody has applied all that there is, and the leader has nothing beyond it.
    ///
    /// - Parameters:
    ///   - applied: of every replica; nil for one that shows no state.
    ///   - last: the leader's last entry; nil where there is no leader.
    package static func agree(
        applied: [UInt64?], leader last: UInt64?, committed: UInt64
    ) -> Bool {
        applied.allSatisfy { $0 == committed } && last == committed
    }
}
