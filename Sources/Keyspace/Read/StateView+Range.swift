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
        let selection = try select(request, .none, pending: pending)
        return .success(try response(selection, pending: pending))
    }

    /// The keys of a range that can be read, without their values.
    func select(
        _ request: RangeRequest, _ bounds: RangeSelection.Bounds, pending: Int64 = 0
    ) throws(KeyspaceError) -> RangeSelection {
        var selection = RangeSelection(request, bounds)
        let isNewest =
            request.revision <= 0 || (pending == 0 && request.revision == state.revision)
        if isNewest {
            unsafe try scanCurrent(request.range) { key, entry in
                unsafe selection.visit(key.bytes, keyBytes: key.count, entry)
            }
        } else {
            let revision = try roundedUp(request.revision)
            try scanHistory(request.range, at: revision) { key, entry in
                selection.visit(key, keyBytes: key.count, entry)
            }
        }
        if selection.isHeld { try selection.finish(self) }
        return selection
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
