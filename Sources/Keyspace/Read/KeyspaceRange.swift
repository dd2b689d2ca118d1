import Basics

/// A range of a keyspace that is read in pieces; each is a read transaction of its own.
final class KeyspaceRange: RangePieces {
    private enum Rest {
        /// Keys that are still to be looked for, and how many of them may be answered.
        case inOrder(KeyRange, limit: Int64)
        /// Keys that were sorted, and how many of them have been answered.
        case sorted([IndexedKey], answered: Int)
        case nothing
    }

    /// What one read transaction found.
    private struct Turn {
        var keys: Int64 = 0
        var rest: Rest
    }

    /// Keys that one read transaction looks at, so that it does not hold pages for long.
    private static let keysPerRead = 4096
    /// Beyond the bound of a piece, for its last key, unless that is larger.
    private static let spareBytes = 16 * 1024

    let summary: RangeSummary
    private let request: RangeRequest
    private let encoding: any RangeEncoding
    private let readers: ReaderPool
    /// What is read: the end of a commit.
    private let revision: Int64
    private let rest: Locked<Rest>

    init(
        _ selection: RangeSelection, _ summary: RangeSummary, as encoding: any RangeEncoding,
        revision: Int64, _ readers: ReaderPool
    ) {
        self.summary = summary
        self.revision = revision
        self.readers = readers
        request = selection.request
        self.encoding = encoding
        let limit = request.limit > 0 ? request.limit : Int64.max
        rest = Locked(
            selection.isHeld
                ? .sorted(selection.found, answered: 0)
                : .inOrder(request.range, limit: limit))
    }

    func next(
        bytesMax: Int, _ done: @escaping @Sendable (Result<Bytes, StoreError>) -> Void
    ) {
        done(next(bytesMax: bytesMax))
    }

    private func next(bytesMax: Int) -> Result<Bytes, StoreError> {
        var rest = rest.withLock { rest in
            defer { rest = .nothing }
            return rest
        }
        // The last key may be larger than all that is left.
        let encoder = encoding.makeEncoder(
            reserving: min(summary.bytes, bytesMax) + Self.spareBytes)
        while true {
            if case .nothing = rest { return .success([]) }
            let result: Result<Turn, StoreError>
            do throws(KeyspaceError) {
                result =
                    try readers.read { view throws(KeyspaceError) in
                        try self.read(rest, bytesMax, view, encoder)
                    } ?? .failure(.stopped)
            } catch {
                result = .failure(StoreError(error))
            }
            switch result {
            case .failure(let error): return .failure(error)
            case .success(let turn):
                rest = turn.rest
                if turn.keys == 0 { continue }
                self.rest.withLock { $0 = turn.rest }
                return .success(encoder.bytes)
            }
        }
    }

    private func read(
        _ rest: Rest, _ bytesMax: Int, _ view: StateView, _ encoder: any RangeEncoder
    ) throws(KeyspaceError) -> Result<Turn, StoreError> {
        if let refusal = view.refusal(ofRevision: revision) { return .failure(refusal) }
        switch rest {
        case .nothing: return .success(Turn(rest: .nothing))
        case .inOrder(let range, let limit):
            return .success(try readOn(range, limit, bytesMax, view, encoder))
        case .sorted(let items, var answered):
            var turn = Turn(rest: .nothing)
            let records = unsafe try view.cursor(view.tables.records)
            while answered < items.count, encoder.count < bytesMax {
                unsafe try view.encode(
                    items[answered], withValue: !request.keysOnly, with: encoder, records)
                turn.keys += 1
                answered += 1
            }
            if answered < items.count { turn.rest = .sorted(items, answered: answered) }
            return .success(turn)
        }
    }

    private func readOn(
        _ range: KeyRange, _ limit: Int64, _ bytesMax: Int, _ view: StateView,
        _ encoder: any RangeEncoder
    ) throws(KeyspaceError) -> Turn {
        var turn = Turn(rest: .nothing)
        var seen = 0
        let records = unsafe try view.cursor(view.tables.records)
        func visit(_ key: FoundKey, _ entry: IndexEntry) throws(KeyspaceError) -> Bool {
            seen += 1
            if request.passes(entry) {
                try unsafe key.withBytes { raw throws(KeyspaceError) in
                    unsafe try view.encode(
                        raw, entry, withValue: !request.keysOnly, with: encoder, records)
                }
                turn.keys += 1
                if turn.keys == limit { return false }
            }
            guard encoder.count >= bytesMax || seen == Self.keysPerRead, range.end != .single else {
                return true
            }
            turn.rest = .inOrder(
                KeyRange(start: unsafe key.bytes + [0], end: range.end),
                limit: limit - turn.keys)
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
        return turn
    }
}
