import Basics
import LMDB

extension StateView {
    /// Why a range at `revision` cannot be read; nil when it can.
    func refusal(ofRevision revision: Int64) -> StoreError? {
        if revision > state.revision { return .futureRevision }
        if revision > 0, revision < state.compactRevision {
            return .compacted(at: state.compactRevision)
        }
        return nil
    }

    /// Reads a range as etcd does: `count` ignores limit and filters, and sorting or filtering
    /// happens before the limit.
    ///
    /// `pending` is 1 within a transaction that has written: those changes have the next
    /// revision, and only reads of the newest state see them.
    func range(
        _ request: RangeRequest, pending: Int64 = 0
    ) throws(KeyspaceError) -> Result<RangeResponse, StoreError> {
        if let refusal = refusal(ofRevision: request.revision) { return .failure(refusal) }
        var response = RangeResponse(
            revision: state.revision + pending, keyValues: [], more: false, count: 0)
        var found: [IndexedKey] = []
        let keeps = request.countOnly ? 0 : request.keysToScan
        var count: Int64 = 0
        let isNewest =
            request.revision <= 0 || (pending == 0 && request.revision == state.revision)
        if isNewest {
            unsafe try scanCurrent(request.range) { key, entry in
                if count < keeps {
                    found.append(IndexedKey(key: unsafe key.bytes, entry: entry))
                }
                count += 1
                return true
            }
        } else {
            let revision = try roundedUp(request.revision)
            try scanHistory(request.range, at: revision) { key, entry in
                if count < keeps { found.append(IndexedKey(key: key, entry: entry)) }
                count += 1
                return true
            }
        }
        response.count = count
        if request.countOnly { return .success(response) }
        request.filter(&found)
        if request.sortsByValue {
            try sortByValue(&found, request, &response)
        } else {
            request.sort(&found)
            response.more = request.truncate(&found)
            response.keyValues.reserveCapacity(found.count)
            for item in found {
                response.keyValues.append(
                    try keyValue(item, withValue: !request.keysOnly))
            }
        }
        return .success(response)
    }

    /// The state of a key with its value.
    func keyValue(
        _ item: IndexedKey, withValue: Bool = true
    ) throws(KeyspaceError) -> KeyValue {
        var keyValue = item.entry.keyValue(item.key)
        if withValue, item.entry.valueBytes > 0 {
            keyValue.value = try value(of: item.entry)
        }
        return keyValue
    }

    private func sortByValue(
        _ found: inout [IndexedKey], _ request: RangeRequest, _ response: inout RangeResponse
    ) throws(KeyspaceError) {
        var keyValues: [KeyValue] = []
        for item in found { keyValues.append(try keyValue(item)) }
        // The standard library's sort is stable: equal values stay in key order.
        let isDescending = request.sortOrder == .descending
        keyValues.sort {
            isDescending
                ? isOrderedBefore($1.value, $0.value) : isOrderedBefore($0.value, $1.value)
        }
        response.more = request.truncate(&keyValues)
        if request.keysOnly {
            for index in keyValues.indices { keyValues[index].value = [] }
        }
        response.keyValues = keyValues
    }
}

extension RangeRequest {
    private var filters: Bool {
        minModRevision != 0 || maxModRevision != 0 || minCreateRevision != 0
            || maxCreateRevision != 0
    }

    fileprivate var sortsByValue: Bool { sortTarget == .value }

    /// Keys that have to be looked at beyond counting. As in etcd a sort target without an order
    /// sorts only what the limit lets through.
    fileprivate var keysToScan: Int64 {
        if limit <= 0 || filters || sortOrder != .none { return Int64.max }
        return limit == Int64.max ? limit : limit + 1
    }

    fileprivate func filter(_ found: inout [IndexedKey]) {
        guard filters else { return }
        found.removeAll { item in
            let entry = item.entry
            return (maxModRevision != 0 && entry.revision > maxModRevision)
                || (minModRevision != 0 && entry.revision < minModRevision)
                || (maxCreateRevision != 0 && entry.createRevision > maxCreateRevision)
                || (minCreateRevision != 0 && entry.createRevision < minCreateRevision)
        }
    }

    fileprivate func sort(_ found: inout [IndexedKey]) {
        let isDescending = sortOrder == .descending
        let field: (IndexEntry) -> Int64
        switch sortTarget {
        case .key:
            if isDescending { found.reverse() }
            return
        case .version: field = \.version
        case .create: field = \.createRevision
        case .mod: field = \.revision
        case .value: return
        }
        found.sort {
            isDescending ? field($0.entry) > field($1.entry) : field($0.entry) < field($1.entry)
        }
    }

    /// Cuts to the limit; whether anything was cut off.
    fileprivate func truncate<Item>(_ items: inout [Item]) -> Bool {
        guard limit > 0, Int64(items.count) > limit else { return false }
        items.removeLast(items.count - Int(limit))
        return true
    }
}
