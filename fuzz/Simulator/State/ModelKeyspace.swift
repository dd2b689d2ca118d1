import Basics
import Keyspace

/// A second, dumb keyspace: an ordered list of the newest key values. It knows the commands that
/// simulated clients send, and is the oracle for what the production keyspace answers.
struct ModelKeyspace: Sendable {
    private(set) var items: [KeyValue] = []
    private(set) var revision: Int64 = 1
    private(set) var compactRevision: Int64 = 0
    private(set) var membership: Bytes?

    mutating func apply(_ command: Command) -> CommandResult {
        switch command {
        case .transaction(let request): .transaction(.success(apply(request)))
        case .commit(let request): .commit(.success(apply(request)))
        case .compact(let target): .revision(compact(target))
        case .membership(let bytes):
            applyMembership(bytes)
        case .nothing: .none
        case .leaseGrant, .leaseRevoke, .leaseCheckpoint:
            preconditionFailure("simulated clients use no leases")
        }
    }

    func find(_ key: Bytes) -> KeyValue? {
        items.first { $0.key == key }
    }

    var digest: UInt64 { ResultDigest.ofState(items, revision: revision) }

    private mutating func applyMembership(_ bytes: Bytes) -> CommandResult {
        membership = bytes
        return .none
    }

    private mutating func apply(_ request: TransactionRequest) -> TransactionResponse {
        let succeeded = request.compares.allSatisfy(holds)
        let next = revision + 1
        var wrote = false
        let responses = (succeeded ? request.success : request.failure).map { operation in
            apply(operation, revision: next, wrote: &wrote)
        }
        if wrote { revision = next }
        return TransactionResponse(
            revision: revision, succeeded: succeeded, responses: responses)
    }

    private mutating func apply(
        _ operation: Operation, revision: Int64, wrote: inout Bool
    ) -> OperationResponse {
        switch operation {
        case .range(let request):
            let found = items.filter { request.range.contains($0.key) }
            return .range(
                RangeResponse(
                    revision: self.revision, keyValues: found, more: false,
                    count: Int64(found.count)))
        case .put(let request):
            wrote = true
            let previous = put(request.key, request.value, revision: revision)
            return .put(PutResponse(previous: request.wantsPrevious ? previous : nil))
        case .deleteRange(let request):
            let gone = items.filter { request.range.contains($0.key) }
            items.removeAll { request.range.contains($0.key) }
            if !gone.isEmpty { wrote = true }
            return .deleteRange(
                DeleteRangeResponse(
                    deleted: Int64(gone.count), previous: request.wantsPrevious ? gone : []))
        case .transaction:
            preconditionFailure("simulated clients nest no transactions")
        }
    }

    private mutating func put(_ key: Bytes, _ value: Bytes, revision: Int64) -> KeyValue? {
        let position = items.firstIndex { !isOrderedBefore($0.key, key) } ?? items.count
        if position < items.count, items[position].key == key {
            let previous = items[position]
            items[position].value = value
            items[position].modRevision = revision
            items[position].version += 1
            return previous
        }
        items.insert(
            KeyValue(
                key: key, value: value, createRevision: revision, modRevision: revision,
                version: 1), at: position)
        return nil
    }

    /// Only what simulated clients compare: one key's value or mod revision, for equality.
    private func holds(_ compare: Compare) -> Bool {
        let item = find(compare.range.start)
        switch compare.target {
        case .value(let value): return item?.value == value
        case .modRevision(let revision): return (item?.modRevision ?? 0) == revision
        case .version, .createRevision, .lease:
            preconditionFailure("simulated clients do not compare this")
        }
    }

    private mutating func apply(_ request: CommitRequest) -> CommitResponse {
        for (index, condition) in request.guards.enumerated() {
            guard case .modRevision(let key, let expected) = condition else {
                preconditionFailure("simulated clients do not guard with this")
            }
            if (find(key)?.modRevision ?? 0) != expected {
                return .guardFailed(index: index, revision: revision)
            }
        }
        let first = revision + 1
        for mutation in request.mutations {
            switch mutation {
            case .put(let key, let value, _):
                revision += 1
                _ = put(key, value, revision: revision)
            case .delete(let key):
                guard find(key) != nil else { continue }
                revision += 1
                items.removeAll { $0.key == key }
            }
        }
        return .committed(first: first, last: revision)
    }

    private mutating func compact(_ target: Int64) -> Result<Int64, StoreError> {
        if target <= compactRevision { return .failure(.compacted(at: compactRevision)) }
        if target > revision { return .failure(.futureRevision) }
        compactRevision = target
        return .success(revision)
    }
}
