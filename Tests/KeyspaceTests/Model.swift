import Basics
import Keyspace

/// MVCC in the dumbest way: every change ever, and reads that look at all of them.
struct Model {
    struct Change {
        var revision: Int64
        /// End of the commit that it belongs to.
        var commitEnd: Int64
        var event: Event
    }

    var changes: [Change] = []
    var revision: Int64 = 1
    var compactRevision: Int64 = 0
    var leases: [Int64: Int64] = [:]

    /// The keys at a revision, which is rounded up to the end of its commit.
    func state(at wanted: Int64) -> [Bytes: KeyValue] {
        let end = changes.first { $0.revision >= wanted && $0.revision <= wanted }?.commitEnd
        return state(upTo: end ?? wanted)
    }

    private func state(upTo revision: Int64) -> [Bytes: KeyValue] {
        var state: [Bytes: KeyValue] = [:]
        for change in changes where change.revision <= revision {
            let key = change.event.keyValue.key
            state[key] = change.event.kind == .put ? change.event.keyValue : nil
        }
        return state
    }

    func sorted(_ state: [Bytes: KeyValue], _ range: KeyRange) -> [KeyValue] {
        state.values.filter { range.contains($0.key) }
            .sorted { isOrderedBefore($0.key, $1.key) }
    }

    func range(
        _ request: RangeRequest, pending state: [Bytes: KeyValue]? = nil, header: Int64? = nil
    ) -> Result<RangeResponse, StoreError> {
        if request.revision > revision { return .failure(.futureRevision) }
        if request.revision > 0, request.revision < compactRevision {
            return .failure(.compacted(at: compactRevision))
        }
        let isNewest = request.revision <= 0
        let all = isNewest ? state ?? self.state(at: revision) : self.state(at: request.revision)
        var found = sorted(all, request.range)
        var response = RangeResponse(
            revision: header ?? revision, keyValues: [], more: false, count: Int64(found.count))
        if request.countOnly { return .success(response) }
        found = found.filter {
            (request.minModRevision == 0 || $0.modRevision >= request.minModRevision)
                && (request.maxModRevision == 0 || $0.modRevision <= request.maxModRevision)
                && (request.minCreateRevision == 0
                    || $0.createRevision >= request.minCreateRevision)
                && (request.maxCreateRevision == 0
                    || $0.createRevision <= request.maxCreateRevision)
        }
        let ascending = request.sortOrder != .descending
        func number(_ field: KeyPath<KeyValue, Int64>) {
            found.sort {
                ascending
                    ? $0[keyPath: field] < $1[keyPath: field]
                    : $0[keyPath: field] > $1[keyPath: field]
            }
        }
        switch request.sortOrder == .none ? .key : request.sortTarget {
        case .key: if !ascending { found.reverse() }
        case .version: number(\.version)
        case .create: number(\.createRevision)
        case .mod: number(\.modRevision)
        case .value:
            found.sort {
                ascending
                    ? isOrderedBefore($0.value, $1.value) : isOrderedBefore($1.value, $0.value)
            }
        }
        if request.limit > 0, found.count > request.limit {
            found.removeLast(found.count - Int(request.limit))
            response.more = true
        }
        if request.keysOnly { for index in found.indices { found[index].value = [] } }
        response.keyValues = found
        return .success(response)
    }

    func holds(_ compare: Compare) -> Bool {
        let found = sorted(state(at: revision), compare.range)
        let missing = KeyValue(
            key: [], value: [], createRevision: 0, modRevision: 0, version: 0)
        if found.isEmpty {
            if case .value = compare.target { return false }
            return holds(compare, missing)
        }
        return found.allSatisfy { holds(compare, $0) }
    }

    private func holds(_ compare: Compare, _ keyValue: KeyValue) -> Bool {
        func order<V: Comparable>(_ left: V, _ right: V) -> Bool {
            switch compare.relation {
            case .equal: left == right
            case .notEqual: left != right
            case .less: left < right
            case .greater: left > right
            }
        }
        switch compare.target {
        case .version(let value): return order(keyValue.version, value)
        case .createRevision(let value): return order(keyValue.createRevision, value)
        case .modRevision(let value): return order(keyValue.modRevision, value)
        case .lease(let value): return order(keyValue.lease, value)
        case .value(let value): return order(keyValue.value.hex, value.hex)
        }
    }

    mutating func compact(_ target: Int64) -> Result<Int64, StoreError> {
        if target <= compactRevision { return .failure(.compacted(at: compactRevision)) }
        if target > revision { return .failure(.futureRevision) }
        compactRevision = target
        return .success(revision)
    }

    mutating func grant(_ id: Int64, _ ttl: Int64) -> Result<LeaseStatus, StoreError> {
        if leases[id] != nil { return .failure(.leaseExists) }
        leases[id] = ttl
        return .success(
            LeaseStatus(id: id, grantedTTLSeconds: ttl, remainingTTLSeconds: ttl))
    }

    mutating func revoke(_ id: Int64) -> Result<Int64, StoreError> {
        guard leases[id] != nil else { return .failure(.leaseNotFound) }
        leases[id] = nil
        let doomed = sorted(state(at: revision), .all).filter { $0.lease == id }
        for keyValue in doomed {
            add(.delete, deletion(keyValue.key, revision + 1), keyValue, end: revision + 1)
        }
        if !doomed.isEmpty { revision += 1 }
        return .success(revision)
    }

    func keys(ofLease id: Int64) -> [Bytes] {
        sorted(state(at: revision), .all).filter { $0.lease == id }.map(\.key)
    }

    mutating func add(_ kind: Event.Kind, _ new: KeyValue, _ old: KeyValue?, end: Int64) {
        changes.append(
            Change(
                revision: new.modRevision, commitEnd: end,
                event: Event(kind: kind, keyValue: new, previous: old)))
    }

    func deletion(_ key: Bytes, _ revision: Int64) -> KeyValue {
        KeyValue(key: key, value: [], createRevision: 0, modRevision: revision, version: 0)
    }

    func replacement(
        _ key: Bytes, _ value: Bytes, _ lease: Int64, _ revision: Int64, _ old: KeyValue?
    ) -> KeyValue {
        KeyValue(
            key: key, value: value, createRevision: old?.createRevision ?? revision,
            modRevision: revision, version: (old?.version ?? 0) + 1, lease: lease)
    }
}
