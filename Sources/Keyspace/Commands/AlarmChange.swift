/// An alarm of one member, raised or cleared for the whole cluster; numbers are etcd's.
package struct AlarmChange: Sendable, Hashable {
    package enum Kind: UInt8, Sendable, Hashable {
        /// The member's disk is nearly full: nothing that needs more room is taken any more.
        case noSpace = 1
        /// The replicas' states differ, and no majority is alike: nothing is written any more.
        case corrupt = 2
    }

    package var isRaised: Bool
    package var memberID: UInt64
    package var kind: Kind

    package init(isRaised: Bool, memberID: UInt64, kind: Kind) {
        self.isRaised = isRaised
        self.memberID = memberID
        self.kind = kind
    }
}

extension Command {
    /// What clients ask for, of which etcd takes nothing while the alarm CORRUPT is on
    /// (`applierV3Corrupt`).
    package var isOfClients: Bool {
        switch self {
        case .transaction, .commit, .compact, .leaseGrant, .leaseRevoke: true
        case .stamped(_, let command): command.isOfClients
        case .leaseCheckpoint, .membership, .alarm, .hashCheck, .hashReport, .auth, .nothing: false
        }
    }

    /// Whether applying it may take room: what is refused while the space alarm is on, as in etcd
    /// (`applierV3Capped`). Deletes, compaction and the end of leases make room in the end.
    package var needsRoom: Bool {
        switch self {
        case .transaction(let request): request.puts
        case .commit(let request):
            request.mutations.contains { mutation in
                if case .put = mutation { true } else { false }
            }
        case .leaseGrant: true
        case .compact, .leaseRevoke, .leaseCheckpoint, .membership, .alarm, .hashCheck,
            .hashReport, .auth, .nothing:
            false
        case .stamped(_, let command): command.needsRoom
        }
    }
}

extension TransactionRequest {
    /// Whether either branch, or one below it, puts anything.
    fileprivate var puts: Bool {
        (success + failure).contains { operation in
            switch operation {
            case .put: true
            case .transaction(let request): request.puts
            case .range, .deleteRange: false
            }
        }
    }
}
