import Basics

extension Applier {
    /// An etcd transaction: everything that could refuse it is checked before the first write.
    mutating func apply(
        _ request: TransactionRequest
    ) throws(KeyspaceError) -> Result<TransactionResponse, StoreError> {
        do throws(StoreError) { try request.validate() } catch { return .failure(error) }
        let path = try choose(request)
        if let refusal = try refusal(of: path) { return .failure(refusal) }
        var run = Run(revision: revision + 1)
        let outcome = try execute(path, &run)
        if !run.events.isEmpty {
            stored.state.revision = run.revision
            groups.append(
                EventGroup(
                    first: run.revision, last: run.revision, events: run.events,
                    hasPrevious: loadsPrevious))
        }
        return outcome
    }

    /// The branches that a transaction takes, nested ones included: all compares see the state
    /// before the transaction.
    private struct Path {
        var succeeded: Bool
        var steps: [Step]
    }

    private enum Step {
        case range(RangeRequest)
        case put(PutRequest)
        case deleteRange(DeleteRangeRequest)
        indirect case transaction(Path)
    }

    /// What a transaction has written so far.
    private struct Run {
        /// The revision of its writes.
        let revision: Int64
        var events: [Event] = []

        var position: RecordPosition {
            RecordPosition(revision: revision, sub: UInt32(events.count))
        }
        var pending: Int64 { events.isEmpty ? 0 : 1 }
    }

    private func choose(_ request: TransactionRequest) throws(KeyspaceError) -> Path {
        var succeeded = true
        for compare in request.compares where succeeded {
            succeeded = try view.holds(compare)
        }
        var path = Path(succeeded: succeeded, steps: [])
        for operation in succeeded ? request.success : request.failure {
            switch operation {
            case .range(let request): path.steps.append(.range(request))
            case .put(let request): path.steps.append(.put(request))
            case .deleteRange(let request): path.steps.append(.deleteRange(request))
            case .transaction(let request):
                path.steps.append(.transaction(try choose(request)))
            }
        }
        return path
    }

    private func refusal(of path: Path) throws(KeyspaceError) -> StoreError? {
        for step in path.steps {
            let refusal: StoreError?
            switch step {
            case .range(let request): refusal = view.refusal(ofRevision: request.revision)
            case .put(let request): refusal = try self.refusal(of: request)
            case .deleteRange: refusal = nil
            case .transaction(let path): refusal = try self.refusal(of: path)
            }
            if let refusal { return refusal }
        }
        return nil
    }

    private func refusal(of put: PutRequest) throws(KeyspaceError) -> StoreError? {
        if put.ignoresValue || put.ignoresLease, try view.current(put.key) == nil {
            return .keyNotFound
        }
        if put.lease != 0, try view.lease(put.lease) == nil { return .leaseNotFound }
        return nil
    }

    private mutating func execute(
        _ path: Path, _ run: inout Run
    ) throws(KeyspaceError) -> Result<TransactionResponse, StoreError> {
        var response = TransactionResponse(
            revision: 0, succeeded: path.succeeded, responses: [])
        response.responses.reserveCapacity(path.steps.count)
        for step in path.steps {
            switch step {
            case .range(let request):
                switch try view.range(request, pending: run.pending) {
                case .success(let range): response.responses.append(.range(range))
                case .failure(let error): return .failure(error)
                }
            case .put(let request):
                response.responses.append(.put(try execute(request, &run)))
            case .deleteRange(let request):
                response.responses.append(.deleteRange(try execute(request, &run)))
            case .transaction(let path):
                switch try execute(path, &run) {
                case .success(let nested): response.responses.append(.transaction(nested))
                case .failure(let error): return .failure(error)
                }
            }
        }
        response.revision = revision + run.pending
        return .success(response)
    }

    private mutating func execute(
        _ request: PutRequest, _ run: inout Run
    ) throws(KeyspaceError) -> PutResponse {
        let existing = try view.current(request.key)
        var previous: KeyValue?
        if let existing, request.wantsPrevious || request.ignoresValue {
            previous = try view.keyValue(IndexedKey(key: request.key, entry: existing))
        }
        let value = request.ignoresValue ? previous?.value ?? [] : request.value
        let lease = request.ignoresLease ? existing?.lease ?? 0 : request.lease
        run.events.append(
            try write(request.key, value, lease: lease, at: run.position, over: existing))
        return PutResponse(previous: request.wantsPrevious ? previous : nil)
    }

    private mutating func execute(
        _ request: DeleteRangeRequest, _ run: inout Run
    ) throws(KeyspaceError) -> DeleteRangeResponse {
        var doomed: [IndexedKey] = []
        unsafe try view.scanCurrent(request.range) { key, entry in
            doomed.append(IndexedKey(key: unsafe key.bytes, entry: entry))
            return true
        }
        var response = DeleteRangeResponse(deleted: Int64(doomed.count), previous: [])
        for item in doomed {
            if request.wantsPrevious { response.previous.append(try view.keyValue(item)) }
            run.events.append(try remove(item.key, at: run.position, item.entry))
        }
        return response
    }
}
