import Basics

/// Damage that the opening of a log met and went on behind.
package struct LogDamage: Sendable {
    /// The first damaged place.
    package var error: LogError
    /// Segment of that place, and the last offset before it up to which the log is whole.
    var sequence: UInt32
    var wholeBytes: UInt64
    /// The newest commit index before that place. Entries behind it may have been replaced in what
    /// is damaged.
    var commit: UInt64
    /// How far the log reached; nil if its end is damaged too.
    package var end: (index: UInt64, term: UInt64)?

    init(_ error: LogError, sequence: UInt32, wholeBytes: UInt64, commit: UInt64) {
        self.error = error
        self.sequence = sequence
        self.wholeBytes = wholeBytes
        self.commit = commit
    }
}

/// What an opening does about damage that is not a torn tail.
package enum DamagePolicy: Sendable, Equatable {
    /// Throw it.
    case refuse
    /// Keep what is whole, and remember what may be lost: for a replica that has peers.
    ///
    /// - Parameters:
    ///   - applied: the entry that the state machine stands at, whatever the log has; 0 for none.
    ///   - term: that entry's term.
    case goOn(applied: UInt64, term: UInt64)
}
