package import Basics
import LMDB

extension Keyspace {
    package func range(_ request: RangeRequest) -> Result<RangeResponse, StoreError> {
        options.metrics.ranges.add()
        do throws(StoreError) { try request.range.validate() } catch { return .failure(error) }
        return read { view throws(KeyspaceError) in
            if let refusal = view.refusal(ofRevision: request.revision) { return .failure(refusal) }
            let revision = try view.revision(readBy: request)
            return .success(try view.response(try select(request, .none, at: revision, in: view)))
        }
    }

    /// The keys of a range; of a page of a list with the count that the page before left.
    private func select(
        _ request: RangeRequest, _ bounds: RangeSelection.Bounds, at revision: Int64,
        in view: StateView
    ) throws(KeyspaceError) -> RangeSelection {
        let selection = try view.select(
            request, bounds, at: revision, count: pageCounts.count(of: request, at: revision))
        pageCounts.note(selection, at: revision)
        return selection
    }

    /// Reads a range whose answer is measured first, and comes in pieces if it is large.
    package func range(
        _ request: RangeRequest, as encoding: any RangeEncoding
    ) -> Result<RangeAnswer, StoreError> {
        options.metrics.ranges.add()
        do throws(StoreError) { try request.range.validate() } catch { return .failure(error) }
        let bounds = RangeSelection.Bounds(
            encoding: encoding, wholeBytesMax: RangeAnswer.wholeBytesMax,
            sortedBytesMax: RangeAnswer.sortedBytesMax)
        return read { view throws(KeyspaceError) in
            if let refusal = view.refusal(ofRevision: request.revision) { return .failure(refusal) }
            let revision = try view.revision(readBy: request)
            let selection = try select(request, bounds, at: revision, in: view)
            guard selection.isHeld || request.isInKeyOrder else { return .failure(.sortTooLarge) }
            let summary = RangeSummary(
                revision: view.state.revision, more: selection.more, count: selection.count,
                bytes: selection.bytes)
            if selection.isHeld, selection.bytes <= bounds.wholeBytesMax {
                return .success(.whole(summary, try view.encode(selection, as: encoding)))
            }
            let pieces = KeyspaceRange(
                selection, summary, as: encoding, revision: revision, readers)
            return .success(.pieces(pieces))
        }
    }

    /// Makes a watcher. Errors come from its first `next`.
    package func watch(
        _ request: WatchRequest, by permit: AuthPermit? = nil
    ) -> KeyspaceWatch {
        hub.watch(request, by: permit)
    }

    /// Ids and times to live of all leases, by id; `remainingTTLSeconds` is the last checkpoint,
    /// or the granted time when there was none. Clocks are the `Lessor`'s business.
    ///
    /// - Parameter refusal: why there is no answer, if it says so of the keys of any lease.
    package func leases(
        _ refusal: (([Bytes]) -> StoreError?)? = nil
    ) -> Result<[LeaseStatus], StoreError> {
        read { view throws(KeyspaceError) in
            let leases = try view.leases()
            guard let refusal else { return .success(leases) }
            for lease in leases {
                if let error = refusal(try view.keys(ofLease: lease.id)) { return .failure(error) }
            }
            return .success(leases)
        }
    }

    /// One lease, with its keys if asked for.
    package func lease(_ id: Int64, keys: Bool) -> Result<LeaseStatus, StoreError> {
        read { view throws(KeyspaceError) in
            guard let entry = try view.lease(id) else { return .failure(.leaseNotFound) }
            return .success(
                LeaseStatus(
                    id: id, grantedTTLSeconds: entry.grantedTTLSeconds,
                    remainingTTLSeconds: entry.remainingTTLSeconds,
                    keys: keys ? try view.keys(ofLease: id) : []))
        }
    }

    /// A small named blob that is not part of the replicated state (membership apart).
    package func meta(_ name: String) throws(KeyspaceError) -> Bytes? {
        let found = try readers.read { view throws(KeyspaceError) in
            try view.blob(name)
        }
        return found ?? nil
    }

    func read<Value>(
        _ body: (StateView) throws(KeyspaceError) -> Result<Value, StoreError>
    ) -> Result<Value, StoreError> {
        do throws(KeyspaceError) {
            return try readers.read(body) ?? .failure(.stopped)
        } catch {
            return .failure(StoreError(error))
        }
    }
}

extension StoreError {
    /// What a client is told of a condition of the directory.
    package init(_ error: KeyspaceError) {
        switch error.code {
        // Another replica has what is damaged here, and this one is about to be rebuilt.
        case .corrupt:
            self = StoreError(.unavailable, "martlet: replica is damaged and is rebuilt: \(error)")
        case .noSpace: self = .noSpace
        default: self = StoreError(.unavailable, "etcdserver: \(error)")
        }
    }
}
