package import Basics
package import Keyspace
package import Replica
import ReplicaCore

/// The store as the process that holds a replica sees it.
///
/// With a permit it is the store as it is open to somebody. Their right is looked at before a
/// request goes on its way, and again at what it meets in the end: a read's state, a write's place
/// in the log.
package struct LocalStore: Store {
    private let replica: Replica
    private let leaseIDs: LeaseIDs
    private let permit: AuthPermit?

    package init(_ replica: Replica) {
        self.replica = replica
        leaseIDs = LeaseIDs(seed: replica.status.memberID ^ MonotonicTime.now().nanoseconds)
        permit = nil
    }

    init(_ whole: LocalStore, permit: AuthPermit) {
        replica = whole.replica
        leaseIDs = whole.leaseIDs
        self.permit = permit
    }

    package func range(_ request: RangeRequest, _ done: @escaping Completion<RangeResponse>) {
        read(request) { result in done(result.flatMap { $0.range(request) }) }
    }

    package func range(
        _ request: RangeRequest, as encoding: any RangeEncoding,
        on queue: (any WorkQueue)?, _ done: @escaping Completion<RangeAnswer>
    ) {
        let replica = replica
        read(request, on: request.range.end == .single ? queue : nil) { result in
            let answer = result.flatMap { $0.range(request, as: encoding) }
            guard case .success(.pieces(let pieces)) = answer else { return done(answer) }
            done(.success(.pieces(LocalRange(pieces, replica))))
        }
    }

    private func read(
        _ request: RangeRequest, on queue: (any WorkQueue)? = nil,
        _ read: @escaping Completion<Keyspace>
    ) {
        if let error = permit?.refusal(reading: request.range) { return read(.failure(error)) }
        let permit = permit
        let checked: Completion<Keyspace> = { result in
            read(result.permitted(permit) { $0.refusal(reading: request.range) })
        }
        if request.isSerializable {
            replica.readLocally(on: queue, checked)
        } else {
            replica.readBarrier(on: queue, checked)
        }
    }

    package func transaction(
        _ request: TransactionRequest, _ done: @escaping Completion<TransactionResponse>
    ) {
        do throws(StoreError) {
            try request.validate()
        } catch {
            return done(.failure(error))
        }
        if let error = permit?.refusal(of: request) { return done(.failure(error)) }
        propose(.transaction(request), bytesMax: Limits.requestBytesMax, done) { result in
            guard case .transaction(let answer) = result else { return nil }
            return answer
        }
    }

    package func commit(_ request: CommitRequest, _ done: @escaping Completion<CommitResponse>) {
        guard request.mutations.count <= Limits.commitMutationsMax else {
            return done(.failure(.tooManyOperations))
        }
        if let error = permit?.refusalOfRoot { return done(.failure(error)) }
        propose(.commit(request), bytesMax: Limits.entryBytesMax / 2, done) { result in
            guard case .commit(let answer) = result else { return nil }
            return answer
        }
    }

    package func compact(to revision: Int64, _ done: @escaping Completion<Int64>) {
        if let error = permit?.refusalOfRoot { return done(.failure(error)) }
        proposeRevision(.compact(revision), done)
    }

    package func whenRemoved(to revision: Int64, _ done: @escaping Completion<Void>) {
        guard let keyspace = replica.keyspace else { return done(.failure(.noLeader)) }
        keyspace.whenRemoved(to: revision, done)
    }

    package func watch(_ request: WatchRequest) -> any WatchStream {
        guard let keyspace = replica.keyspace else { return ClosedWatch(.noLeader) }
        return LocalWatch(keyspace.watch(request, by: permit))
    }

    package func leaseGrant(
        id: Int64, ttlSeconds: Int64, _ done: @escaping Completion<LeaseStatus>
    ) {
        if let error = permit?.refusalOfAnybody { return done(.failure(error)) }
        guard let granted = Lessor().grantable(ttlSeconds) else {
            return done(.failure(.leaseTTLTooLarge))
        }
        let command = Command.leaseGrant(id: id == 0 ? leaseIDs.next() : id, ttlSeconds: granted)
        propose(command, bytesMax: .max, done) { result in
            guard case .lease(let answer) = result else { return nil }
            return answer
        }
    }

    package func leaseRevoke(id: Int64, _ done: @escaping Completion<Int64>) {
        if let error = permit?.refusalOfAnybody { return done(.failure(error)) }
        proposeRevision(.leaseRevoke(id: id), done)
    }

    package func leaseKeepAlive(id: Int64, _ done: @escaping Completion<LeaseStatus>) {
        // There are many of these: who may write everything needs no look at the keys.
        guard let permit, permit.refusal(writing: .all) != nil else { return renew(id, done) }
        if let error = permit.refusalOfAnybody { return done(.failure(error)) }
        // This replica may not know yet of a key that was attached at another.
        replica.readBarrier { read in
            switch read {
            case .failure(let error):
                done(.failure(error))
            case .success(let keyspace):
                if let error = keyspace.refusal(renewing: id, for: permit) {
                    return done(.failure(error))
                }
                renew(id, done)
            }
        }
    }

    private func renew(_ id: Int64, _ done: @escaping Completion<LeaseStatus>) {
        replica.leaseKeepAlive(id) { result in
            done(
                result.map { seconds in
                    LeaseStatus(
                        id: id, grantedTTLSeconds: seconds, remainingTTLSeconds: seconds)
                })
        }
    }

    package func leaseTimeToLive(
        id: Int64, keys: Bool, _ done: @escaping Completion<LeaseStatus>
    ) {
        if let error = permit?.refusalOfAnybody { return done(.failure(error)) }
        let (replica, permit) = (replica, permit)
        replica.leaseRemaining(id) { result in
            switch result {
            case .failure(let error):
                done(.failure(error))
            case .success(let seconds):
                // The leader may know of a grant that is not applied here yet.
                replica.readBarrier { read in
                    done(
                        read.flatMap { $0.lease(id, keys: keys, for: permit) }.map { lease in
                            var lease = lease
                            lease.remainingTTLSeconds = seconds
                            return lease
                        })
                }
            }
        }
    }

    package func leases(_ done: @escaping Completion<[Int64]>) {
        if let error = permit?.refusalOfAnybody { return done(.failure(error)) }
        let permit = permit
        replica.readBarrier { read in
            done(read.flatMap { $0.leases(for: permit) }.map { $0.map(\.id) })
        }
    }

    package var newestRevision: Int64? { replica.keyspace?.revision }

    package func status(_ done: @escaping Completion<StoreStatus>) {
        let now = replica.status
        var status = StoreStatus()
        status.clusterID = replica.clusterID
        status.memberID = now.memberID
        status.leaderID = now.leaderID
        status.term = now.term
        status.commitIndex = now.commitIndex
        status.appliedIndex = now.appliedIndex
        status.isLearner = now.isLearner
        status.members = now.members.map { member in
            Member(
                id: member.id, name: member.name, peerURLs: [replica.peerURL(of: member)],
                clientURLs: member.clientURLs, isLearner: now.learners.contains(member.id))
        }
        status.raised = now.alarms.map {
            AlarmChange(isRaised: true, memberID: $0.memberID, kind: $0.kind)
        }
        status.isDivergent = now.isDivergent
        status.quotaBytes = Int64(clamping: replica.quotaBytes)
        if let keyspace = replica.keyspace {
            let state = keyspace.state
            status.revision = state.revision
            status.compactRevision = state.compactRevision
            let usage = keyspace.fileUsage()
            status.fileBytes = usage.bytes
            status.fileBytesInUse = usage.bytesInUse
        }
        done(.success(status))
    }

    package func changeAlarm(_ change: AlarmChange, _ done: @escaping Completion<Void>) {
        if let error = permit?.refusalOfRoot { return done(.failure(error)) }
        replica.changeAlarm(change, done)
    }

    func change(_ change: AuthChange, _ done: @escaping Completion<Int64>) {
        if let error = permit?.refusalOfRoot { return done(.failure(error)) }
        propose(.auth(change), bytesMax: Limits.requestBytesMax, done) { result in
            guard case .auth(let answer) = result else { return nil }
            return answer
        }
    }

    private func proposeRevision(_ command: Command, _ done: @escaping Completion<Int64>) {
        propose(command, bytesMax: .max, done) { result in
            guard case .revision(let answer) = result else { return nil }
            return answer
        }
    }

    /// - Parameter pick: the part of the result that belongs to the command.
    private func propose<Answer>(
        _ command: Command, bytesMax: Int, _ done: @escaping Completion<Answer>,
        _ pick: @escaping @Sendable (CommandResult) -> Result<Answer, StoreError>?
    ) {
        let command = permit.map { Command.stamped(AuthStamp($0), command) } ?? command
        replica.propose(command, bytesMax: bytesMax) { result in
            switch result {
            case .success(let applied):
                // A replica that applied the entry before a restart has no result any more.
                done(pick(applied) ?? .failure(.leaderChanged))
            case .failure(let error):
                done(.failure(error))
            }
        }
    }
}
