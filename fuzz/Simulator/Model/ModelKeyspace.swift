package import Basics
package import Keyspace

/// A second, dumb keyspace: an ordered list of the newest key values. It is the oracle for what
/// the production keyspace answers and holds, and what the search for an order of operations runs.
/// It knows what simulated clients send; nested transactions and sorted ranges they do not.
package struct ModelKeyspace: Sendable {
    package private(set) var items: [KeyValue] = []
    /// Sum of the hashes of `items`.
    private var itemsHash: UInt64 = 0
    package private(set) var revision: Int64 = 1
    package private(set) var compactRevision: Int64 = 0
    /// Ids, rising.
    package private(set) var leases: [Int64] = []
    /// Of the last command: events that became visible together.
    package private(set) var events: [Event] = []

    package init() {}

    package mutating func apply(_ command: Command) -> CommandResult {
        events = []
        switch command {
        case .transaction(let request): return .transaction(apply(request))
        case .commit(let request): return .commit(apply(request))
        case .compact(let target): return .revision(compact(target))
        case .leaseGrant(let id, let seconds): return .lease(grant(id, seconds))
        case .leaseRevoke(let id): return .revision(revoke(id))
        default: return .none
        }
    }

    package func find(_ key: Bytes) -> KeyValue? {
        position(of: key).map { items[$0] }
    }

    private func position(of key: Bytes) -> Int? {
        let position = position(for: key)
        return position < items.count && items[position].key == key ? position : nil
    }

    /// Where the key is, or would be.
    private func position(for key: Bytes) -> Int {
        var low = 0
        var high = items.count
        while low < high {
            let middle = (low + high) / 2
            if isOrderedBefore(items[middle].key, key) { low = middle + 1 } else { high = middle }
        }
        return low
    }

    package func range(_ request: RangeRequest) -> RangeResponse {
        let found: [KeyValue]
        switch request.range.end {
        case .unbounded where request.range.start.isEmpty: found = items
        default: found = items.filter { request.range.contains($0.key) }
        }
        return RangeResponse(
            revision: revision, keyValues: found, more: false, count: Int64(found.count))
    }

    package var digest: UInt64 {
        ResultDigest.ofState(itemsHash, revision: revision, compactRevision, leases)
    }

    // MARK: Transactions

    private mutating func apply(
        _ request: TransactionRequest
    ) -> Result<TransactionResponse, StoreError> {
        let succeeded = request.compares.allSatisfy(holds)
        let operations = succeeded ? request.success : request.failure
        for case .put(let put) in operations where put.lease != 0 && !leases.contains(put.lease) {
            return .failure(.leaseNotFound)
        }
        let next = revision + 1
        let responses = operations.map { apply($0, at: next) }
        if !events.isEmpty { revision = next }
        return .success(
            TransactionResponse(revision: revision, succeeded: succeeded, responses: responses))
    }

    private mutating func apply(_ operation: Operation, at next: Int64) -> OperationResponse {
        switch operation {
        case .range(let request):
            return .range(range(request))
        case .put(let request):
            let previous = put(request.key, request.value, lease: request.lease, at: next)
            return .put(PutResponse(previous: request.wantsPrevious ? previous : nil))
        case .deleteRange(let request):
            let gone = items.filter { request.range.contains($0.key) }
            for item in gone { delete(item.key, at: next) }
            return .deleteRange(
                DeleteRangeResponse(
                    deleted: Int64(gone.count), previous: request.wantsPrevious ? gone : []))
        case .transaction:
            preconditionFailure("simulated clients nest no transactions")
        }
    }

    private mutating func put(
        _ key: Bytes, _ value: Bytes, lease: Int64, at revision: Int64
    ) -> KeyValue? {
        let position = position(for: key)
        var item = KeyValue(
            key: key, value: value, createRevision: revision, modRevision: revision, version: 1)
        item.lease = lease
        var previous: KeyValue?
        if position < items.count, items[position].key == key {
            previous = items[position]
            item.createRevision = items[position].createRevision
            item.version = items[position].version + 1
            itemsHash &-= ResultDigest.of(items[position])
            items[position] = item
        } else {
            items.insert(item, at: position)
        }
        itemsHash &+= ResultDigest.of(item)
        events.append(Event(kind: .put, keyValue: item, previous: previous))
        return previous
    }

    private mutating func delete(_ key: Bytes, at revision: Int64) {
        guard let position = position(of: key) else { return }
        let previous = items.remove(at: position)
        itemsHash &-= ResultDigest.of(previous)
        let gone = KeyValue(
            key: key, value: [], createRevision: 0, modRevision: revision, version: 0)
        events.append(Event(kind: .delete, keyValue: gone, previous: previous))
    }

    private func holds(_ compare: Compare) -> Bool {
        let item = find(compare.range.start)
        let order: (Int64, Int64)
        switch compare.target {
        case .value(let value):
            guard let item else { return false }
            return compare.relation == .notEqual ? item.value != value : item.value == value
        case .modRevision(let revision): order = (item?.modRevision ?? 0, revision)
        case .createRevision(let revision): order = (item?.createRevision ?? 0, revision)
        case .version(let version): order = (item?.version ?? 0, version)
        case .lease(let lease): order = (item?.lease ?? 0, lease)
        }
        return switch compare.relation {
        case .equal: order.0 == order.1
        case .notEqual: order.0 != order.1
        case .greater: order.0 > order.1
        case .less: order.0 < order.1
        }
    }

    // MARK: The rest

    private mutating func apply(_ request: CommitRequest) -> Result<CommitResponse, StoreError> {
        for (index, condition) in request.guards.enumerated() {
            let holds: Bool
            switch condition {
            case .modRevision(let key, let expected):
                holds = (find(key)?.modRevision ?? 0) == expected
            case .createRevision(let key, let expected):
                holds = (find(key)?.createRevision ?? 0) == expected
            case .unchanged: preconditionFailure("simulated clients do not guard with this")
            }
            if !holds { return .success(.guardFailed(index: index, revision: revision)) }
        }
        let first = revision + 1
        for mutation in request.mutations {
            switch mutation {
            case .put(let key, let value, let lease):
                revision += 1
                _ = put(key, value, lease: lease, at: revision)
            case .delete(let key):
                guard find(key) != nil else { continue }
                revision += 1
                delete(key, at: revision)
            }
        }
        return .success(.committed(first: first, last: revision))
    }

    private mutating func compact(_ target: Int64) -> Result<Int64, StoreError> {
        if target <= compactRevision { return .failure(.compacted(at: compactRevision)) }
        if target > revision { return .failure(.futureRevision) }
        compactRevision = target
        return .success(revision)
    }

    private mutating func grant(_ id: Int64, _ seconds: Int64) -> Result<LeaseStatus, StoreError> {
        if leases.contains(id) { return .failure(.leaseExists) }
        leases.append(id)
        leases.sort()
        return .success(
            LeaseStatus(id: id, grantedTTLSeconds: seconds, remainingTTLSeconds: seconds))
    }

    private mutating func revoke(_ id: Int64) -> Result<Int64, StoreError> {
        guard leases.contains(id) else { return .failure(.leaseNotFound) }
        leases.removeAll { $0 == id }
        let next = revision + 1
        for item in items where item.lease == id { delete(item.key, at: next) }
        if !events.isEmpty { revision = next }
        return .success(revision)
    }
}
