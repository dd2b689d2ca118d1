import Basics

extension Applier {
    mutating func apply(_ change: AuthChange) throws(KeyspaceError) -> Result<Int64, StoreError> {
        var state = auth.state
        do throws(StoreError) { try state.apply(change) } catch { return .failure(error) }
        guard state.version != auth.state.version else { return .success(revision) }
        let blob = state.encode()
        try putBlob(Keyspace.authName, blob)
        stored.noteAuth(blob)
        auth = AuthSnapshot(state)
        return .success(revision)
    }

    /// Whether who proposed a command may have it done as things stand at this entry.
    ///
    /// It was looked at before, under the version in the stamp; what does not depend on anything
    /// else needs no second look unless that has changed.
    func refusal(
        of command: Command, _ stamp: AuthStamp
    ) throws(KeyspaceError) -> StoreError? {
        let permit = auth.permit(stamp.user)
        if permit.isUnrestricted { return nil }
        if let error = permit.refusalOfAnybody { return error }
        switch command {
        case .transaction(let request):
            if stamp.version != permit.version, let error = permit.refusal(of: request) {
                return error
            }
            return try refusal(ofLeasesIn: request, permit)
        case .leaseGrant, .nothing, .stamped: return nil
        case .leaseRevoke(let id): return try refusal(writingKeysOf: id, permit)
        case .commit, .compact, .auth, .leaseCheckpoint, .membership, .alarm, .hashCheck,
            .hashReport:
            return permit.refusalOfRoot
        }
    }

    /// Whoever attaches a key to a lease may have the others' time extended, and what ends them is
    /// not theirs: as in etcd, that takes the right to write all keys of the lease.
    private func refusal(
        ofLeasesIn request: TransactionRequest, _ permit: AuthPermit
    ) throws(KeyspaceError) -> StoreError? {
        for operation in request.success + request.failure {
            let error: StoreError?
            switch operation {
            case .put(let put) where put.lease != 0:
                error = try refusal(writingKeysOf: put.lease, permit)
            case .transaction(let nested): error = try refusal(ofLeasesIn: nested, permit)
            case .put, .range, .deleteRange: error = nil
            }
            if let error { return error }
        }
        return nil
    }

    private func refusal(
        writingKeysOf lease: Int64, _ permit: AuthPermit
    ) throws(KeyspaceError) -> StoreError? {
        permit.refusal(writingAll: try view.keys(ofLease: lease))
    }
}

extension Command {
    /// What a command answers that was refused.
    func refused(_ error: StoreError) -> CommandResult {
        switch self {
        case .transaction: .transaction(.failure(error))
        case .commit: .commit(.failure(error))
        case .compact, .leaseRevoke: .revision(.failure(error))
        case .leaseGrant: .lease(.failure(error))
        case .auth: .auth(.failure(error))
        case .stamped(_, let command): command.refused(error)
        case .leaseCheckpoint, .membership, .alarm, .hashCheck, .hashReport, .nothing: .none
        }
    }
}
