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
        var keyValues: [KeyValue] = []
        var rest: Rest
    }

    /// Keys that one read transaction looks at, so that it does not hold pages for long.
    private static let keysPerRead = 4096

    let summary: RangeSummary
    private let request: RangeRequest
    private let measure: RangeAnswer.Measure
    private let readers: ReaderPool
    /// What is read: the end of a commit.
    private let revision: Int64
    private let rest: Locked<Rest>

    init(
        _ selection: RangeSelection, _ summary: RangeSummary, revision: Int64,
        _ readers: ReaderPool
    ) {
        self.summary = summary
        self.revision = revision
        self.readers = readers
        request = selection.request
        measure = selection.bounds.measure
        let limit = request.limit > 0 ? request.limit : Int64.max
        rest = Locked(
            selection.isHeld
                ? .sorted(selection.found, answered: 0)
                : .inOrder(request.range, limit: limit))
    }

    func next(
        bytesMax: Int, _ done: @escaping @Sendable (Result<[KeyValue], StoreError>) -> Void
    ) {
        done(next(bytesMax: bytesMax))
    }

    private func next(bytesMax: Int) -> Result<[KeyValue], StoreError> {
        var rest = rest.withLock { rest in
            defer { rest = .nothing }
            return rest
        }
        while true {
            if case .nothing = rest { return .success([]) }
            let result: Result<Turn, StoreError>
            do throws(KeyspaceError) {
                result =
                    try readers.read { view throws(KeyspaceError) in
                        try self.read(rest, bytesMax, view)
                    } ?? .failure(.stopped)
            } catch {
                result = .failure(StoreError(error))
            }
            switch result {
            case .failure(let error): return .failure(error)
            case .success(let turn):
                rest = turn.rest
                if turn.keyValues.isEmpty { continue }
                self.rest.withLock { $0 = turn.rest }
                return .success(turn.keyValues)
            }
        }
    }

    private func read(
        _ rest: Rest, _ bytesMax: Int, _ view: StateView
    ) throws(KeyspaceError) -> Result<Turn, StoreError> {
        if let refusal = view.refusal(ofRevision: revision) { return .failure(refusal) }
        switch rest {
        case .nothing: return .success(Turn(rest: .nothing))
        case .inOrder(let range, let limit):
            return .success(try readOn(range, limit, bytesMax, view))
        case .sorted(let items, var answered):
            var turn = Turn(rest: .nothing)
            var bytes = 0
            while answered < items.count, bytes < bytesMax {
                bytes += try append(items[answered], to: &turn, view)
                answered += 1
            }
            if answered < items.count { turn.rest = .sorted(items, answered: answered) }
            return .success(turn)
        }
    }

    private func readOn(
        _ range: KeyRange, _ limit: Int64, _ bytesMax: Int, _ view: StateView
    ) throws(KeyspaceError) -> Turn {
        var turn = Turn(rest: .nothing)
        var bytes = 0
        var seen = 0
        func visit(_ key: Bytes, _ entry: IndexEntry) throws(KeyspaceError) -> Bool {
            seen += 1
            if request.passes(entry) {
                bytes += try append(IndexedKey(key: key, entry: entry), to: &turn, view)
                if turn.keyValues.count == limit { return false }
            }
            guard bytes >= bytesMax || seen == Self.keysPerRead, range.end != .single else {
                return true
            }
            turn.rest = .inOrder(
                KeyRange(start: key + [0], end: range.end),
                limit: limit - Int64(turn.keyValues.count))
            return false
        }
        // While nothing is written, what is asked for is what is there.
        if view.state.revision == revision {
            unsafe try view.scanCurrent(range) { key, entry throws(KeyspaceError) in
                try visit(unsafe key.bytes, entry)
            }
        } else {
            try view.scanHistory(range, at: revision, visit)
        }
        return turn
    }

    /// Answers the measure of what is appended.
    private func append(
        _ item: IndexedKey, to turn: inout Turn, _ view: StateView
    ) throws(KeyspaceError) -> Int {
        turn.keyValues.append(try view.keyValue(item, withValue: !request.keysOnly))
        return measure(
            item.entry.keyValue([]), item.key.count,
            request.keysOnly ? 0 : Int(item.entry.valueBytes))
    }
}
