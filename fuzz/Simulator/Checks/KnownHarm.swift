/// What the faults did to what a replica has. Whatever the replica finds wrong must be among it:
/// nobody gives up a copy that is right.
package struct KnownHarm: Sendable {
    package enum Reason: Sendable {
        case damage
        /// By the comparison of hashes.
        case divergence
    }

    /// Its log was damaged, or has lost its end.
    private let isLogHarmed: Bool
    /// A keyspace file was damaged; it may still be read from after it was replaced.
    private let isKeyspaceHarmed: Bool
    /// Its state is another than the cluster's.
    private let isStateWrong: Bool

    package init(log: Bool = false, keyspace: Bool = false, state: Bool = false) {
        isLogHarmed = log
        isKeyspaceHarmed = keyspace
        isStateWrong = state
    }

    package func checkLog(_ replica: Int, _ error: String) throws(Violation) {
        guard !isLogHarmed else { return }
        throw .correctness("the log of \(replica) is damaged: \(error)")
    }

    /// Somebody who reads the keyspace has met damage.
    package func checkKeyspace(_ replica: Int, _ error: String) throws(Violation) {
        guard !isKeyspaceHarmed else { return }
        throw .correctness("replica \(replica) finds damage where there is none: \(error)")
    }

    /// The replica ends, to come back with another state.
    package func checkGivenUp(
        _ replica: Int, for reason: Reason, _ text: String
    ) throws(Violation) {
        let isExplained =
            switch reason {
            case .damage: isKeyspaceHarmed
            case .divergence: isStateWrong
            }
        guard !isExplained else { return }
        throw .correctness("replica \(replica) gives up a state that is right: \(text)")
    }
}
