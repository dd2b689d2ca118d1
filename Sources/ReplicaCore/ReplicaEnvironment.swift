package import Keyspace
package import Raft

/// What a replica's core asks of the world round it. `Replica` answers with threads and sockets,
/// the simulator with events of its own.
///
/// Called on the core's thread, `send` of answers on others too. Every call returns at once. What
/// takes time reports later, as a `ReplicaInput`; reports of one kind come in the order of the
/// calls.
package protocol ReplicaEnvironment: AnyObject, Sendable {
    // MARK: Log

    /// Does the work behind all that was given before, makes it durable, and reports
    /// `.persisted`; an installation reports `.installMarked` as well. A log that fails reports
    /// `.failed` and does no further work.
    func log(_ work: LogWork)

    // MARK: Peers

    /// Messages may get lost, come twice or late, and overtake one another.
    func send(_ messages: [Message])
    /// False if the requests were certainly not sent.
    func send(_ requests: [PeerRequest], to peer: UInt64) -> Bool
    func send(_ answers: [PeerAnswer], to peer: UInt64)
    func isUp(_ peer: UInt64) -> Bool
    /// Whom to be connected with from now on. Connections report `.peerUp` and `.peerDown`.
    /// Those who are invited learn it when they are dialled next.
    func setMembers(_ members: [ReplicaMember], invitations: [Invitation])
    /// - Parameter joinToken: not 0 while this replica waits for an invitation. Whoever dials it as
    ///   another member then reports `.found`; one that comes with it is reported as `.invited`.
    func setOwnID(_ id: UInt64, joinToken: UInt64)

    // MARK: Reads

    /// Lets `reads` look at the keyspace; those for which too much waits already are refused.
    func serve(_ reads: [PendingRead], _ keyspace: Keyspace)

    // MARK: Snapshots

    /// Writes a snapshot file of the keyspace as it is and syncs it; reports `.snapshotSaved`.
    func saveSnapshot(of keyspace: Keyspace)
    /// Streams the keyspace as it is to a member; reports `.snapshotSent`.
    func sendSnapshot(of keyspace: Keyspace, to member: ReplicaMember, term: UInt64)
    /// Makes a keyspace of a snapshot file and puts it, durably, in the place of the replica's,
    /// which is stopped. The replica's directory has a state from now on.
    func replaceKeyspace(
        bySnapshot path: String, memberID: UInt64
    ) throws(ReplicaFailure) -> Keyspace
    func removeSnapshot(_ path: String) throws(ReplicaFailure)
    /// Of the replica's own snapshot files.
    func removeSnapshot(ofEntry index: UInt64) throws(ReplicaFailure)
    func removeSnapshots(before index: UInt64) throws(ReplicaFailure)

    // MARK: Directory

    /// Whether the replica's directory is still there.
    func hasDirectory() -> Bool
    /// A replica that waited for its replacement takes up its new id, durably.
    func join(as memberID: UInt64) throws(ReplicaFailure)
    /// Notes durably that the state here is not the cluster's. `replaceKeyspace` ends that.
    func noteDivergence(_ reason: String) throws(ReplicaFailure)
    /// The orderly end: syncs the keyspace file, so that the next start trusts it.
    func closeCleanly(_ keyspace: Keyspace) throws(ReplicaFailure)

    /// Of the file system of the replica's directory; nil where space has no end.
    func diskSpace() -> DiskSpace?

    // MARK: Clock

    /// The time on the wall, milliseconds since 1970, for the stamps of commands; 0 without one.
    func wallMilliseconds() -> UInt64

    // MARK: Whom it concerns

    func publish(_ status: ReplicaStatus)
    /// What readers get; nil while there is nothing to read.
    func publish(_ keyspace: Keyspace?)
    /// The connections and the log's queue end, after the work that waits.
    func stop()
    /// Nobody reads inputs any more: whoever still waits is answered with `error`.
    func refuseInputs(_ error: StoreError)
}

extension ReplicaEnvironment {
    package func diskSpace() -> DiskSpace? { nil }
    package func wallMilliseconds() -> UInt64 { 0 }
}
