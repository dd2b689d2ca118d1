package import Basics
package import Keyspace
package import Raft

/// Everything that can happen to a replica: the elements of its inbox.
package enum ReplicaInput: Sendable {
    case write(PendingWrite)
    case read(PendingRead)
    case question(PendingQuestion)
    case messages([Message])
    /// Their bytes are the budget's until they are proposed.
    case peerRequests(from: UInt64, [PeerRequest], BudgetShare?)
    case peerAnswers(from: UInt64, [PeerAnswer])
    case peerUp(UInt64)
    case peerDown(UInt64)
    /// A peer dialled this replica, and is connected.
    case greeted(ReplicaMember)
    /// A peer dialled this replica with an invitation.
    case invited(by: ReplicaMember, Invitation)
    /// The peer that was dialled as this member has no data and waits for an invitation with this
    /// token. Nothing that an earlier process sent as this member comes after this.
    case found(UInt64, token: UInt64)
    case snapshotReceived(from: UInt64, term: UInt64, path: String, SnapshotHeader)
    case snapshotSent(to: UInt64, succeeded: Bool)
    case snapshotSaved(Result<SnapshotHeader, KeyspaceError>)
    /// The log notes durably that the snapshot of this index takes its place.
    case installMarked(UInt64)
    /// The log's queue finished a batch; the mark of the newest write in it, if any.
    case persisted(WriteMark?, logBytes: UInt64)
    /// A read met damage in the keyspace file.
    case damaged(KeyspaceError)
    case failed(ReplicaFailure)
    case stop
}

package struct PendingWrite: Sendable {
    package var payload: Bytes
    package var deadline: MonotonicTime
    private let completion: @Sendable (Result<CommandResult, StoreError>) -> Void
    private let metrics: ReplicaMetrics?

    /// - Parameter metrics: Counts the write; nil for a replica's own.
    package init(
        payload: Bytes, deadline: MonotonicTime, metrics: ReplicaMetrics? = nil,
        done: @escaping @Sendable (Result<CommandResult, StoreError>) -> Void
    ) {
        self.payload = payload
        self.deadline = deadline
        self.metrics = metrics
        completion = done
        metrics?.proposalBegan()
    }

    /// Answers whoever waits; once.
    package func done(_ result: Result<CommandResult, StoreError>) {
        if case .failure = result {
            metrics?.proposalEnded(isFailed: true)
        } else {
            metrics?.proposalEnded(isFailed: false)
        }
        completion(result)
    }
}

package struct PendingRead: Sendable {
    package var deadline: MonotonicTime
    /// Where the read wants to be served, if it is too small for a thread of its own.
    package var queue: (any WorkQueue)?
    package var done: @Sendable (Result<Keyspace, StoreError>) -> Void

    package init(
        deadline: MonotonicTime, queue: (any WorkQueue)? = nil,
        done: @escaping @Sendable (Result<Keyspace, StoreError>) -> Void
    ) {
        self.deadline = deadline
        self.queue = queue
        self.done = done
    }
}

/// Something only the leader knows.
package struct PendingQuestion: Sendable {
    package var question: PeerQuestion
    package var deadline: MonotonicTime
    package var done: @Sendable (Result<Int64, StoreError>) -> Void

    package init(
        question: PeerQuestion, deadline: MonotonicTime,
        done: @escaping @Sendable (Result<Int64, StoreError>) -> Void
    ) {
        self.question = question
        self.deadline = deadline
        self.done = done
    }
}

package enum PeerQuestion: Sendable, Hashable {
    case leaseKeepAlive(Int64)
    case leaseRemaining(Int64)
    case changeMembers(MemberRequest)
    /// Member 0 stands for the fittest voter.
    case transferLeadership(to: UInt64)

    /// Whether it does no harm twice.
    var isRepeatable: Bool {
        switch self {
        case .leaseKeepAlive, .leaseRemaining: true
        case .changeMembers, .transferLeadership: false
        }
    }
}

/// Asks the leader: docs/formats/peer-protocol.md.
package struct PeerRequest: Sendable, Hashable {
    package enum Body: Sendable, Hashable {
        /// The encoded command.
        case propose(Bytes)
        case question(PeerQuestion)
    }

    /// Chosen by the asker; unlike any other of its own or of an earlier process of its replica.
    package var number: UInt64
    package var body: Body

    package var isWrite: Bool {
        if case .propose = body { true } else { false }
    }
}

package struct PeerAnswer: Sendable {
    package enum Body: Sendable {
        case proposed(index: UInt64, term: UInt64)
        case value(Int64)
        /// Not the leader, or not ready: nothing was done, ask again.
        case tryAgain
        case failed(StoreError)
    }

    package var number: UInt64
    package var body: Body

    package init(number: UInt64, body: Body) {
        self.number = number
        self.body = body
    }
}
