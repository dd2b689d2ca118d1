/// Reads, checks and unpacks a snapshot file on a thread of its own, a few chunks ahead of whoever
/// takes them: that is more than half of the work of making a keyspace of it.
final class SnapshotReadAhead: Sendable {
    private struct State {
        /// In the order of the file.
        var chunks: [[SnapshotReader.Entry]] = []
        /// Nothing comes after `chunks`: the file has ended, or is found to be damaged.
        var end: Result<Void, KeyspaceError>?
        var isClosed = false
    }

    private static let chunksMax = 8

    private let state: Monitor<State>
    private let thread: WorkThread

    /// `reader` belongs to this object from now on, until `close`.
    init(_ reader: SnapshotReader) {
        let state = Monitor(State())
        self.state = state
        thread = WorkThread {
            let end = Result { () throws(KeyspaceError) in
                while let entries = try reader.next() {
                    guard Self.add(entries, state) else { return }
                }
            }
            state.withLock { $0.end = end }
            state.wakeAll()
        }
    }

    /// Waits for room; false once nobody takes chunks any more.
    private static func add(_ entries: [SnapshotReader.Entry], _ state: Monitor<State>) -> Bool {
        let isOpen = state.wait { state -> Bool? in
            if state.isClosed { return false }
            guard state.chunks.count < chunksMax else { return nil }
            state.chunks.append(entries)
            return true
        }
        state.wakeAll()
        return isOpen
    }

    /// The next chunk's entries; nil at the end of a file that is in order.
    func next() throws(KeyspaceError) -> [SnapshotReader.Entry]? {
        let chunk = state.wait { state -> Result<[SnapshotReader.Entry]?, KeyspaceError>? in
            if !state.chunks.isEmpty { return .success(state.chunks.removeFirst()) }
            return state.end.map { end in end.map { nil } }
        }
        state.wakeAll()
        return try chunk.get()
    }

    /// Waits for the thread.
    func close() {
        state.withLock { $0.isClosed = true }
        state.wakeAll()
        thread.join()
    }
}
