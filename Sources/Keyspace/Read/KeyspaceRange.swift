import Basics

/// A range of a keyspace that is read in pieces; each is a read transaction of its own.
///
/// First the keys of a piece are located, which is a walk over the index, and then they are written
/// with their values, which takes longer: meanwhile the next piece may be located.
final class KeyspaceRange: RangePieces {
    private enum Rest {
        /// Keys that are still to be looked for, and how many of them may be answered.
        case inOrder(KeyRange, limit: Int64)
        /// Keys that were sorted, and how many of them have been answered.
        case sorted([IndexedKey], answered: Int)
        case nothing
    }

    /// What one read transaction found.
    private enum Turn {
        case piece(Bytes)
        /// None of the keys that it looked at belongs to the answer.
        case passed(Rest)
    }

    /// Keys that one read transaction looks at, so that it does not hold pages for long.
    private static let keysPerRead = 4096

    private let request: RangeRequest
    private let bounds: RangeSelection.Bounds
    private let encoding: any RangeEncoding
    private let readers: ReaderPool
    /// What is read: the end of a commit.
    private let revision: Int64
    private let rest: Locked<Rest>
    private let totals: Locked<RangeSummary>
    /// Whether the totals are those of what is located.
    private let sumsUp: Bool

    var summary: RangeSummary { totals.withLock { $0 } }

    init(
        _ selection: RangeSelection, _ summary: RangeSummary, as encoding: any RangeEncoding,
        revision: Int64, _ readers: ReaderPool
    ) {
        var totals = summary
        if !selection.hasTotals { (totals.count, totals.bytes) = (0, 0) }
        self.totals = Locked(totals)
        sumsUp = !selection.hasTotals
        self.revision = revision
        self.readers = readers
        request = selection.request
        bounds = selection.bounds
        self.encoding = encoding
        let limit = request.limit > 0 ? request.limit : Int64.max
        rest = Locked(
            selection.isHeld
                ? .sorted(selection.found, answered: 0)
                : .inOrder(request.range, limit: limit))
    }

    func next(
        bytesMax: Int, located: @escaping @Sendable () -> Void,
        _ done: @escaping @Sendable (Result<Bytes, StoreError>) -> Void
    ) {
        done(next(bytesMax: bytesMax, located))
    }

    private func next(bytesMax: Int, _ located: () -> Void) -> Result<Bytes, StoreError> {
        var rest = rest.withLock { rest in
            defer { rest = .nothing }
            return rest
        }
        while true {
            if case .nothing = rest { return .success([]) }
            switch read(rest, bytesMax, located) {
            case .failure(let error): return .failure(error)
            case .success(.piece(let bytes)): return .success(bytes)
            case .success(.passed(let others)): rest = others
            }
        }
    }

    /// One read transaction. When it is known where a piece ends, the next call may begin there.
    private func read(
        _ rest: Rest, _ bytesMax: Int, _ located: () -> Void
    ) -> Result<Turn, StoreError> {
        do throws(KeyspaceError) {
            return try readers.read { view throws(KeyspaceError) -> Result<Turn, StoreError> in
                if let refusal = view.refusal(ofRevision: revision) { return .failure(refusal) }
                var keys = LocatedKeys(bytesMax: bytesMax)
                let others = try locate(&keys, rest, view)
                if keys.isEmpty { return .success(.passed(others)) }
                if sumsUp { add(keys) }
                self.rest.withLock { $0 = others }
                located()
                let bytes = try view.encode(keys, withValue: !request.keysOnly, as: encoding)
                return .success(.piece(bytes))
            } ?? .failure(.stopped)
        } catch {
            return .failure(StoreError(error))
        }
    }

    private func add(_ keys: LocatedKeys) {
        totals.withLock { totals in
            totals.count += keys.count
            totals.bytes += keys.bytes
        }
    }

    /// Finds the keys of a piece, and answers what is left for others.
    private func locate(
        _ keys: inout LocatedKeys, _ rest: Rest, _ view: StateView
    ) throws(KeyspaceError) -> Rest {
        switch rest {
        case .nothing: return .nothing
        case .inOrder(let range, let limit): return try locate(&keys, range, limit, view)
        case .sorted(let items, var answered):
            while answered < items.count {
                let (key, entry) = (items[answered].key, items[answered].entry)
                let bytes = bounds.bytes(entry, keyBytes: key.count, request)
                guard keys.hasRoom(for: bytes) else { return .sorted(items, answered: answered) }
                unsafe withRaw(key) { raw in unsafe keys.add(raw, entry, bytes: bytes) }
                answered += 1
            }
            return .nothing
        }
    }

    private func locate(
        _ keys: inout LocatedKeys, _ range: KeyRange, _ limit: Int64, _ view: StateView
    ) throws(KeyspaceError) -> Rest {
        var seen = 0
        /// Where what is left begins.
        var start: Bytes?
        func visit(_ key: FoundKey, _ entry: IndexEntry) throws(KeyspaceError) -> Bool {
            seen += 1
            if request.passes(entry) {
                let bytes = unsafe bounds.bytes(entry, keyBytes: key.count, request)
                guard keys.hasRoom(for: bytes) else {
                    start = unsafe key.bytes
                    return false
                }
                try unsafe key.withBytes { raw throws(KeyspaceError) -> Void in
                    unsafe keys.add(raw, entry, bytes: bytes)
                }
                if keys.count == limit { return false }
            }
            guard seen == Self.keysPerRead else { return true }
            start = unsafe key.bytes + [0]
            return false
        }
        // While nothing is written, what is asked for is what is there.
        if view.state.revision == revision {
            unsafe try view.scanCurrent(range, visit)
        } else {
            try view.scanHistory(range, at: revision) { key, entry throws(KeyspaceError) in
                try unsafe visit(.held(key), entry)
            }
        }
        guard let start else { return .nothing }
        return .inOrder(KeyRange(start: start, end: range.end), limit: limit - keys.count)
    }
}
