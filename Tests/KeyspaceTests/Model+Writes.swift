import Basics
import Keyspace

extension Model {
    mutating func apply(
        _ request: TransactionRequest
    ) -> Result<TransactionResponse, StoreError> {
        do throws(StoreError) { try request.validate() } catch { return .failure(error) }
        if let refusal = refusal(request) { return .failure(refusal) }
        var run = self
        var state = state(at: revision)
        let before = self
        let response = run.execute(request, &state, before: before)
        guard case .success = response else { return response }
        run.revision = run.changes.count > changes.count ? revision + 1 : revision
        self = run
        return response
    }

    private func succeeds(_ request: TransactionRequest) -> Bool {
        request.compares.allSatisfy { holds($0) }
    }

    private func refusal(_ request: TransactionRequest) -> StoreError? {
        let state = state(at: revision)
        for operation in succeeds(request) ? request.success : request.failure {
            switch operation {
            case .range(let range):
                if range.revision > revision { return .futureRevision }
                if range.revision > 0, range.revision < compactRevision {
                    return .compacted(at: compactRevision)
                }
            case .put(let put):
                if put.ignoresValue || put.ignoresLease, state[put.key] == nil {
                    return .keyNotFound
                }
                if put.lease != 0, leases[put.lease] == nil { return .leaseNotFound }
            case .deleteRange: break
            case .transaction(let nested):
                if let refusal = refusal(nested) { return refusal }
            }
        }
        return nil
    }

    private mutating func execute(
        _ request: TransactionRequest, _ state: inout [Bytes: KeyValue], before: Model
    ) -> Result<TransactionResponse, StoreError> {
        let succeeded = before.succeeds(request)
        var responses: [OperationResponse] = []
        let next = before.revision + 1
        func header(_ model: Model) -> Int64 {
            before.revision + (model.changes.count > before.changes.count ? 1 : 0)
        }
        for operation in succeeded ? request.success : request.failure {
            switch operation {
            case .range(let range):
                switch before.range(range, pending: state, header: header(self)) {
                case .success(let response): responses.append(.range(response))
                case .failure(let error): return .failure(error)
                }
            case .put(let put):
                let old = state[put.key]
                let new = replacement(
                    put.key, put.ignoresValue ? old?.value ?? [] : put.value,
                    put.ignoresLease ? old?.lease ?? 0 : put.lease, next, old)
                add(.put, new, old, end: next)
                state[put.key] = new
                responses.append(.put(PutResponse(previous: put.wantsPrevious ? old : nil)))
            case .deleteRange(let delete):
                let doomed = sorted(state, delete.range)
                for old in doomed {
                    add(.delete, deletion(old.key, next), old, end: next)
                    state[old.key] = nil
                }
                responses.append(
                    .deleteRange(
                        DeleteRangeResponse(
                            deleted: Int64(doomed.count),
                            previous: delete.wantsPrevious ? doomed : [])))
            case .transaction(let nested):
                switch execute(nested, &state, before: before) {
                case .success(let response): responses.append(.transaction(response))
                case .failure(let error): return .failure(error)
                }
            }
        }
        return .success(
            TransactionResponse(
                revision: header(self), succeeded: succeeded, responses: responses))
    }

    mutating func apply(_ request: CommitRequest) -> Result<CommitResponse, StoreError> {
        do throws(StoreError) { try request.validate() } catch { return .failure(error) }
        let state = state(at: revision)
        for (index, condition) in request.guards.enumerated() where !holds(condition, state) {
            return .success(.guardFailed(index: index, revision: revision))
        }
        var work: [(KeyValue?, CommitRequest.Mutation)] = []
        for mutation in request.mutations {
            switch mutation {
            case .put(let key, _, let lease):
                if lease != 0, leases[lease] == nil { return .failure(.leaseNotFound) }
                work.append((state[key], mutation))
            case .delete(let key):
                if let old = state[key] { work.append((old, mutation)) }
            }
        }
        let first = revision + 1
        let last = revision + Int64(work.count)
        for (number, (old, mutation)) in work.enumerated() {
            let at = first + Int64(number)
            switch mutation {
            case .put(let key, let value, let lease):
                add(.put, replacement(key, value, lease, at, old), old, end: last)
            case .delete(let key): add(.delete, deletion(key, at), old, end: last)
            }
        }
        revision = last
        return .success(.committed(first: first, last: last))
    }

    private func holds(_ condition: CommitRequest.Guard, _ state: [Bytes: KeyValue]) -> Bool {
        switch condition {
        case .modRevision(let key, let revision):
            return (state[key]?.modRevision ?? 0) == revision
        case .createRevision(let key, let revision):
            return (state[key]?.createRevision ?? 0) == revision
        case .unchanged(let range, let since):
            if since < compactRevision { return false }
            let rounded = changes.first { $0.revision == since }?.commitEnd ?? since
            return !changes.contains {
                $0.revision > rounded && range.contains($0.event.keyValue.key)
            }
        }
    }
}
