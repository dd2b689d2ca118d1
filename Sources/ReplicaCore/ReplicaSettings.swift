import Basics
package import Keyspace
package import WriteAheadLog

/// What a replica's core and the opening of its directory are told.
package struct ReplicaSettings: Sendable {
    /// Everything of the replica lies here; made if absent.
    package var directory: String
    package var clusterID: UInt64
    /// This replica's name, one of those in `members`.
    package var name: String
    /// The members that the cluster begins with, this one among them. Addresses may change from
    /// start to start and are taken from here for known names; ids count only at the first start.
    package var members: [ReplicaMember]
    /// Whether this may be the first start of the cluster. If not, an empty directory has lost
    /// data: its replica waits, without a vote, until `replaceMember` gives it a new id.
    package var isNewCluster = false
    /// Stand for election at once if the log is empty.
    package var campaignsAtOnce = false
    package var heartbeatMilliseconds: UInt64 = 50
    /// Followers campaign after this much silence at least, twice as much at most.
    package var electionMilliseconds: UInt64 = 300
    /// Whether a leader answers linearizable reads without asking the others for half an election
    /// timeout after they answered it. Rests on clocks that run at the same speed; the same in all
    /// replicas of a cluster.
    package var hasReadLeases = false
    /// A snapshot file is taken when the log has grown by this much since the last one, or by a
    /// quarter of the data if that is more.
    package var snapshotLogBytes: UInt64 = 128 << 20
    package var logSegmentBytes: UInt64 = 64 << 20
    /// How often the replicas compare the hashes of their states; 0 is never.
    package var hashCheckMilliseconds: UInt64 = 20_000
    /// The scrubber reads everything once in this time; 0 is only when asked.
    package var scrubSeconds: UInt64 = 3600
    /// Entries kept in memory for followers behind; older ones are sent as a snapshot.
    package var entriesInMemoryMax = 10_000
    /// And what they may take while a follower within reach needs them, as behind a snapshot that
    /// is on its way; without them it would need the next as soon as it has this one.
    package var entryBytesInMemoryMax = 256 << 20
    package var requestMilliseconds: UInt64 = 5_600
    /// Appends in flight to one follower, and bytes of entries in one of them.
    package var inflightMessagesMax = 64
    package var messageBytesMax = 1 << 20
    /// Bytes of entries in flight to one follower; one append may go over it.
    package var inflightBytesMax = Limits.inflightBytesMax
    /// Bytes of entries that a leader takes in beyond what is committed.
    package var uncommittedBytesMax = Limits.uncommittedBytesMax
    package var keyspace = Keyspace.Options()
    /// Bytes of the keyspace that raise the space alarm, as etcd's `--quota-backend-bytes`; 0: as
    /// much as the disk has.
    package var quotaBytes: UInt64 = 0
    /// Makes the file layer of the log in a directory; tests put failing ones here.
    package var makeLogFiles: @Sendable (String) -> any LogFiles = {
        DirectoryLogFiles(path: $0)
    }
    /// Lines for whoever looks after the replica, on its threads.
    package var notice: @Sendable (String) -> Void = { _ in }
    package var metrics = ReplicaMetrics()
    /// Varies election timeouts.
    package var seed: UInt64

    package init(
        directory: String, clusterID: UInt64, name: String, members: [ReplicaMember],
        seed: UInt64
    ) {
        self.directory = directory
        self.clusterID = clusterID
        self.name = name
        self.members = members
        self.seed = seed
    }
}
