/// How far a restore goes.
package enum RestoreGoal: Sendable, Hashable {
    /// The snapshot alone.
    case snapshot
    /// Everything that the archive has behind the snapshot.
    case everything
    /// The state when this revision was the newest.
    case revision(Int64)
    /// The state at a time, milliseconds since 1970 by the leader's clock.
    case time(UInt64)
}
