/// What a rebuild of the state begins with: a snapshot file that the log reaches back to.
package enum LogReach {
    /// - Parameters:
    ///   - released: the entry before the first that the log may hold.
    ///   - snapshots: the entries that snapshot files are there for.
    ///   - applied: where the state is, which has to be at one of these files or beyond; nil while
    ///     it need not be.
    package static func check(
        _ replica: Int, released: UInt64, snapshots: [UInt64], applied: UInt64?
    ) throws(Violation) {
        let isReached = snapshots.contains { $0 >= released && $0 <= applied ?? .max }
        guard released > 0, !isReached else { return }
        throw .correctness(
            "replica \(replica) could not rebuild its state: the log is released up to entry "
                + "\(released), snapshot files are of \(snapshots), applied is "
                + "\(applied.map { "\($0)" } ?? "anything")")
    }
}
