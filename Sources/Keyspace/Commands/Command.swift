package import Basics

/// What an entry of the Raft log does to the keyspace. `docs/formats/command.md` has the bytes.
package enum Command: Sendable, Hashable {
    case transaction(TransactionRequest)
    case commit(CommitRequest)
    case compact(Int64)
    case leaseGrant(id: Int64, ttlSeconds: Int64)
    case leaseRevoke(id: Int64)
    case leaseCheckpoint([LeaseRemaining])
    /// The membership as Raft encodes it; kept as the meta blob `Keyspace.membershipName`.
    case membership(Bytes)
    /// Kept by the replica among its members' particulars; the keyspace sees `membership` instead.
    case alarm(AlarmChange)
    /// Every replica says what the hash of its state is here.
    case hashCheck
    /// What a replica said of the check at this entry.
    case hashReport(HashReport)
    /// A change of users, roles, or whether they count.
    case auth(AuthChange)
    /// A command on behalf of a client, who has to have the right to it when it is applied.
    indirect case stamped(AuthStamp, Command)
    /// An entry that only moves the applied index.
    case nothing

    /// Whether the `Lessor` has to hear of it.
    package var isOfLeases: Bool {
        switch self {
        case .leaseGrant, .leaseRevoke, .leaseCheckpoint: true
        case .stamped(_, let command): command.isOfLeases
        default: false
        }
    }

    /// The command itself, on whoever's behalf.
    package var unstamped: Command {
        if case .stamped(_, let command) = self { command } else { self }
    }
}

/// What is left of a lease, so that a new leader does not start its time to live anew.
package struct LeaseRemaining: Sendable, Hashable {
    package var id: Int64
    package var remainingSeconds: Int64

    package init(id: Int64, remainingSeconds: Int64) {
        self.id = id
        self.remainingSeconds = remainingSeconds
    }
}

/// The hash of a replica's state at an entry of the log.
package struct HashReport: Sendable, Hashable {
    package var member: UInt64
    package var index: UInt64
    package var hash: UInt64

    package init(member: UInt64, index: UInt64, hash: UInt64) {
        self.member = member
        self.index = index
        self.hash = hash
    }
}

/// What applying a command answered. The kind follows the command's.
package enum CommandResult: Sendable {
    case transaction(Result<TransactionResponse, StoreError>)
    case commit(Result<CommitResponse, StoreError>)
    /// After `compact` and `leaseRevoke`: the store's revision.
    case revision(Result<Int64, StoreError>)
    case lease(Result<LeaseStatus, StoreError>)
    /// After `hashCheck`: the hash of the state there.
    case hash(UInt64)
    /// After `auth`: the store's revision, which is as it was.
    case auth(Result<Int64, StoreError>)
    /// After `membership`, `nothing`, `leaseCheckpoint`, `hashReport`, and for entries that were
    /// applied before.
    case none
}

/// A committed entry of the log, decoded.
package struct AppliedEntry: Sendable {
    package var index: UInt64
    package var term: UInt64
    package var command: Command

    package init(index: UInt64, term: UInt64, command: Command) {
        self.index = index
        self.term = term
        self.command = command
    }
}
