import Basics

extension Raft {
    package struct Configuration: Sendable {
        package var id: UInt64
        /// A follower campaigns after this many ticks of silence at least, twice as many at most.
        package var electionTicksMin: Int
        package var heartbeatTicks: Int
        /// Appends in flight to one follower.
        package var inflightMessagesMax: Int
        /// Bytes of entries in flight to one follower; one append may go over it.
        package var inflightBytesMax: Int
        /// Bytes of entries in one append; one larger entry goes alone.
        package var messageBytesMax: Int
        /// Bytes of entries that a leader accepts beyond its commit index.
        package var uncommittedBytesMax: Int
        /// Bytes of entries that one `Ready` has to apply, and to send to each member; one larger
        /// entry comes alone.
        package var readyBytesMax: Int
        /// How long a leader that a quorum answered goes on to answer reads without asking again,
        /// in nanoseconds from when it asked. 0, the default, asks for every read. Less than the
        /// shortest election timeout by more than what clocks can differ over it; all replicas of a
        /// cluster must have it, or none.
        package var leaseNanoseconds: UInt64
        /// Varies the election timeouts; replicas of one cluster must differ in it.
        package var seed: UInt64

        package init(
            id: UInt64, electionTicksMin: Int = 6, heartbeatTicks: Int = 1,
            inflightMessagesMax: Int = 256, inflightBytesMax: Int = Limits.inflightBytesMax,
            messageBytesMax: Int = 1 << 20,
            uncommittedBytesMax: Int = Limits.uncommittedBytesMax, readyBytesMax: Int = 1 << 20,
            leaseNanoseconds: UInt64 = 0, seed: UInt64
        ) {
            precondition(id != 0, "0 is not a member id")
            precondition(heartbeatTicks >= 1 && electionTicksMin > heartbeatTicks)
            precondition(inflightMessagesMax >= 1 && inflightBytesMax >= 1 && messageBytesMax >= 1)
            precondition(uncommittedBytesMax >= 1 && readyBytesMax >= 1)
            self.id = id
            self.electionTicksMin = electionTicksMin
            self.heartbeatTicks = heartbeatTicks
            self.inflightMessagesMax = inflightMessagesMax
            self.inflightBytesMax = inflightBytesMax
            self.messageBytesMax = messageBytesMax
            self.uncommittedBytesMax = uncommittedBytesMax
            self.readyBytesMax = readyBytesMax
            self.leaseNanoseconds = leaseNanoseconds
            self.seed = seed
        }
    }

    /// What the shell found on disk. All of it must be durable: a log that was read back from the
    /// page cache after a crash is synced before it is handed in.
    package struct InitialState: Sendable {
        package var hardState: HardState
        /// The members as of entry `applied`; none for a new member (`Raft.isBlank`).
        package var membership: Membership
        /// The entry before the first of `entries`; (0, 0) for a log from the beginning.
        package var snapshotIndex: UInt64
        package var snapshotTerm: UInt64
        package var entries: [Entry]
        /// What the state machine holds: at least `snapshotIndex`, at most the last entry.
        package var applied: UInt64
        /// What damage of the log cost; nil if nothing is missing.
        package var lost: LostTail?

        package init(
            hardState: HardState = HardState(), membership: Membership, snapshotIndex: UInt64 = 0,
            snapshotTerm: UInt64 = 0, entries: [Entry] = [], applied: UInt64 = 0,
            lost: LostTail? = nil
        ) {
            self.hardState = hardState
            self.membership = membership
            self.snapshotIndex = snapshotIndex
            self.snapshotTerm = snapshotTerm
            self.entries = entries
            self.applied = applied
            self.lost = lost
        }
    }
}
