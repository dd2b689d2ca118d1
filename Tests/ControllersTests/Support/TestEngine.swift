import Basics
import Keyspace

/// The commits of the store, in memory and without history's depth: enough to run plans on.
struct TestEngine: Sendable {
    private(set) var revision: Int64 = 1
    private(set) var values: [Bytes: KeyValue] = [:]
    /// Batches by commit, in order; the guards on ranges look at them too.
    private(set) var history: [WatchBatch] = []
    private(set) var compactRevision: Int64 = 0

    mutating func commit(_ request: CommitRequest) -> CommitResponse {
        for (index, one) in request.guards.enumerated() where !holds(one) {
            return .guardFailed(index: index, revision: revision)
        }
        let first = revision + 1
        var events: [Event] = []
        for mutation in request.mutations {
            switch mutation {
            case .put(let key, let value, let lease):
                revision += 1
                let old = values[key]
                let new = KeyValue(
                    key: key, value: value, createRevision: old?.createRevision ?? revision,
                    modRevision: revision, version: (old?.version ?? 0) + 1, lease: lease)
                values[key] = new
                events.append(Event(kind: .put, keyValue: new, previous: old))
            case .delete(let key):
                guard let old = values.removeValue(forKey: key) else { continue }
                revision += 1
                let gone = KeyValue(
                    key: key, value: [], createRevision: 0, modRevision: revision, version: 0)
                events.append(Event(kind: .delete, keyValue: gone, previous: old))
            }
        }
        if !events.isEmpty { history.append(WatchBatch(events: events, revision: revision)) }
        return .committed(first: first, last: revision)
    }

    private func holds(_ one: CommitRequest.Guard) -> Bool {
        switch one {
        case .modRevision(let key, let expected): (values[key]?.modRevision ?? 0) == expected
        case .createRevision(let key, let expected):
            (values[key]?.createRevision ?? 0) == expected
        case .unchanged(let range, let since):
            !history.contains { batch in
                batch.revision > since
                    && batch.events.contains {
                        $0.keyValue.modRevision > since && range.contains($0.keyValue.key)
                    }
            }
        }
    }

    /// Reads the newest state only.
    func range(_ request: RangeRequest) -> RangeResponse {
        let all = values.values.filter { request.range.contains($0.key) }
            .sorted { isOrderedBefore($0.key, $1.key) }
        let count = request.limit > 0 ? min(all.count, Int(request.limit)) : all.count
        return RangeResponse(
            revision: revision, keyValues: Array(all.prefix(count)), more: count < all.count,
            count: Int64(all.count))
    }

    /// What a watcher of the range gets from `from` on; nil when there is nothing new.
    func batch(_ range: KeyRange, from: Int64) -> WatchBatch? {
        guard revision >= from else { return nil }
        let events = history.filter { $0.revision >= from }.flatMap(\.events)
            .filter { $0.keyValue.modRevision >= from && range.contains($0.keyValue.key) }
        return WatchBatch(events: events, revision: revision)
    }

    mutating func compact(to revision: Int64) {
        compactRevision = revision
        history.removeAll { $0.revision <= revision }
    }
}
