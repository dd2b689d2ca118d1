import Basics
import Keyspace
import Raft
import WriteAheadLog

/// Everything that can happen to a replica: the elements of its inbox.
enum ReplicaInput: Sendable {
    case write(PendingWrite)
    case read(PendingRead)
    case question(PendingQuestion)
    case messages([Message])
    case peerRequests(from: UInt64, [PeerRequest])
    case peerAnswers(from: UInt64, [PeerAnswer])
    case peerUp(UInt64)
    case peerDown(UInt64)
    /// A peer dialled this replica as member `asID`; told while it does not know the members.
    case greeted(UInt64, name: String, asID: UInt64)
    case snapshotReceived(from: UInt64, term: UInt64, path: String, SnapshotHeader)
    case snapshotSent(to: UInt64, succeeded: Bool)
    case snapshotSaved(Result<SnapshotHeader, KeyspaceError>)
    /// The log's thread finished a batch; the mark of the newest write in it, if any.
    case persisted(WriteMark?, logBytes: UInt64)
    case failed(ReplicaFailure)
    case stop
}

struct PendingWrite: Sendable {
    var payload: Bytes
    var deadline: MonotonicTime
    var done: @Sendable (Result<CommandResult, StoreError>) -> Void
}

struct PendingRead: Sendable {
    var deadline: MonotonicTime
    var done: @Sendable (Result<Keyspace, StoreError>) -> Void
}

/// Something only the leader knows.
struct PendingQuestion: Sendable {
    var question: PeerQuestion
    var deadline: MonotonicTime
    var done: @Sendable (Result<Int64, StoreError>) -> Void
}

enum PeerQuestion: Sendable, Hashable {
    case leaseKeepAlive(Int64)
    case leaseRemaining(Int64)
    case replaceMember(String)
}

/// Asks the leader: docs/formats/peer-protocol.md.
struct PeerRequest: Sendable, Hashable {
    enum Body: Sendable, Hashable {
        /// The encoded command.
        case propose(Bytes)
        case question(PeerQuestion)
    }

    /// Chosen by the asker; unique among what it has asked and not been answered.
    var number: UInt64
    var body: Body
}

struct PeerAnswer: Sendable {
    enum Body: Sendable {
        case proposed(index: UInt64, term: UInt64)
        case value(Int64)
        /// Not the leader, or not ready: nothing was done, ask again.
        case tryAgain
        case failed(StoreError)
    }

    var number: UInt64
    var body: Body
}
