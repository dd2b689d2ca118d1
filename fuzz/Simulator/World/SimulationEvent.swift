import Basics
import Keyspace
import Raft
import ReplicaCore

/// What can happen next. Replicas are named by number; an event of an earlier process of a replica
/// is void.
enum SimulationEvent: Sendable {
    case deliver(
        Packet, from: Int, lives: (from: Int, to: Int), to: Int, fromMember: UInt64,
        toMember: UInt64)
    case invitation(ReplicaMember, Invitation, to: Int)
    case found(UInt64, token: UInt64, Int, epoch: Int)
    case logDone(Int, epoch: Int)
    case served(PendingRead, Keyspace, Int, epoch: Int)
    case snapshotSaved(Int, epoch: Int)
    case snapshotStreamed(Int, to: Int, epoch: Int)
    case linkCheck(Int, epoch: Int)
    case scrub(Int, epoch: Int)
    case restart(Int, epoch: Int)
    case spaceFreed(Int)
    case networkHeals
    case directoryLost(Int)
    case fault
    case operatorLooks
    case operatorHeard(Int, isDone: Bool)
    case clientStart(Int)
    case clientRequest(operation: Int, replica: Int)
    case clientReply(operation: Int, ClientReply)
    case clientTimeout(operation: Int)
    case watchPull(Int, serial: Int)
    case watchAnswer(Int, serial: Int, Result<WatchBatch, StoreError>)
}

/// What one write of a connection carries.
enum Packet: Sendable {
    /// Encoded, so that the codec is part of what is simulated.
    case messages([Bytes])
    case requests([PeerRequest])
    case answers([PeerAnswer])
}

/// A snapshot on its way from one replica to another.
struct SnapshotTransfer {
    /// The sender's file, and from where on the receiver wants it.
    var content: Bytes
    var begin: SnapshotResumePoint
    var toMember: UInt64
    var fromMember: UInt64
    var term: UInt64
    /// Of a state that was wrong when it was sent.
    var isWrong: Bool
}
