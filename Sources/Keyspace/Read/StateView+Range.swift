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

    /// Reads a range whole, however large it is.
    ///
    /// `pending` is 1 within a transaction that has written: those changes have the next
    /// revision, and only reads of the newest state see them.
    func range(
        _ request: RangeRequest, pending: Int64 = 0
    ) throws(KeyspaceError) -> Result<RangeResponse, StoreError> {
        if let refusal = refusal(ofRevision: request.revision) { return .failure(refusal) }
        let selection = try select(
            request, .none, at: try revision(readBy: request), pending: pending)
        return .success(try response(selection, pending: pending))
    }

    /// The end of the commit that a range sees.
    func revision(readBy request: RangeRequest) throws(KeyspaceError) -> Int64 {
        request.revision <= 0 ? state.revision : try roundedUp(request.revision)
    }

    /// The keys of a range that can be read, without their values.
    ///
    /// - Parameters:
    ///   - revision: the end of the commit that the request reads.
    ///   - count: of all keys of the range, if that is known.
    func select(
        _ request: RangeRequest, _ bounds: RangeSelection.Bounds, at revision: Int64,
        count: Int64? = nil, pending: Int64 = 0
    ) throws(KeyspaceError) -> RangeSelection {
        var selection = RangeSelection(request, bounds)
        if request.revision <= 0 || (pending == 0 && revision == state.revision) {
            try selectNewest(&selection, count)
        } else {
            try scanHistory(request.range, at: revision) { key, entry in
                // A count needs as much of the history as a visit.
                selection.visit(key, keyBytes: key.count, entry)
                    || selection.wantsCount && count == nil
            }
            if selection.wantsCount, let count { selection.settle(count: count) }
        }
        if selection.isHeld { try selection.finish(self) }
        return selection
    }

    private func selectNewest(
        _ selection: inout RangeSelection, _ count: Int64?
    ) throws(KeyspaceError) {
        var rest = selection.request.range
        let isCountOnly = selection.wantsCount
        if !isCountOnly {
            unsafe try scanCurrent(rest) { key, entry in
                let goesOn = unsafe selection.visit(key.bytes, keyBytes: key.count, entry)
                if selection.wantsCount { unsafe rest.start = key.bytes + [0] }
                return goesOn
            }
        }
        guard selection.wantsCount else { return }
        if let count { return selection.settle(count: count) }
        selection.add(unvisited: isCountOnly ? try countCurrent(rest) : try countUnseen(rest))
    }

    func response(
        _ selection: RangeSelection, pending: Int64 = 0
    ) throws(KeyspaceError) -> RangeResponse {
        var response = RangeResponse(
            revision: state.revision + pending, keyValues: [], more: selection.more,
            count: selection.count)
        response.keyValues.reserveCapacity(selection.found.count)
        for item in selection.found {
            response.keyValues.append(
                try keyValue(item, withValue: !selection.request.keysOnly))
        }
        return response
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

    /// The keys that were selected, encoded.
    func encode(
        _ selection: RangeSelection, as encoding: any RangeEncoding
    ) throws(KeyspaceError) -> Bytes {
        guard !selection.found.isEmpty else { return [] }
        let withValue = !selection.request.keysOnly
        let records = unsafe try cursor(tables.records)
        return try Bytes.written(measure: selection.bytes) { writer throws(KeyspaceError) in
            for item in selection.found {
                try unsafe withRaw(item.key) { key throws(KeyspaceError) in
                    unsafe try write(
                        key, item.entry, withValue: withValue, as: encoding, records, &writer)
                }
            }
        }
    }

    /// The keys of a piece, encoded.
    func encode(
        _ keys: LocatedKeys, withValue: Bool, as encoding: any RangeEncoding
    ) throws(KeyspaceError) -> Bytes {
        let records = unsafe try cursor(tables.records)
        return try Bytes.written(measure: keys.bytes) { writer throws(KeyspaceError) in
            try unsafe keys.forEach { key, entry throws(KeyspaceError) in
                unsafe try write(key, entry, withValue: withValue, as: encoding, records, &writer)
            }
        }
    }

    /// Writes a key whose state is `entry`, and its value from the map.
    private func write(
        _ key: UnsafeRawBufferPointer, _ entry: IndexEntry, withValue: Bool,
        as encoding: any RangeEncoding, _ records: borrowing TableCursor,
        _ writer: inout MeasuredWriter
    ) throws(KeyspaceError) {
        let state = entry.keyValue([])
        let valueBytes = withValue ? Int(entry.valueBytes) : 0
        unsafe encoding.begin(state, key: key, valueBytes: valueBytes, in: &writer)
        if valueBytes > 0 {
            unsafe try visitValue(of: entry, records) { part in unsafe writer.write(raw: part) }
        }
        encoding.end(state, in: &writer)
    }

    func sortByValue(
        _ found: inout [IndexedKey], isDescending: Bool
    ) throws(KeyspaceError) {
        var valued: [(value: Bytes, item: IndexedKey)] = []
        valued.reserveCapacity(found.count)
        for item in found {
            valued.append((item.entry.valueBytes > 0 ? try value(of: item.entry) : [], item))
        }
        // The standard library's sort is stable: equal values stay in key order.
        valued.sort {
            isDescending
                ? isOrderedBefore($1.value, $0.value) : isOrderedBefore($0.value, $1.value)
        }
        found = valued.map(\.item)
    }
}
