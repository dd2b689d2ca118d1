import LMDB

/// The environment, and read transactions that are kept between uses.
///
/// A read borrows a transaction for as long as it takes; readers beyond the limit wait for one.
final class ReaderPool: Sendable {
    private final class Reader: @unchecked Sendable {
        // Sendable because one thread at a time holds it, as MDB_NOTLS allows.
        private(set) var transaction: ReadTransaction
        init(_ transaction: consuming ReadTransaction) { self.transaction = transaction }

        /// Lets go of the file, now and not when nobody knows the reader any more.
        func end() { transaction.end() }
    }

    /// Whoever reads a snapshot may drop it at any time, which lets go of its pages.
    private struct OpenStream {
        weak var stream: SnapshotStream?
    }

    private struct Pool {
        var environment: Environment?
        var idle: [Reader] = []
        var busy = 0
        /// Those that have not ended.
        var streams = 0
        var openStreams: [OpenStream] = []
    }

    private enum Turn {
        case use(Reader)
        case make(Environment)
        case closed
    }

    static let readersMax = 64
    let tables: Tables
    private let pool: Monitor<Pool>

    let damage: DamageNote

    init(_ environment: Environment, _ tables: Tables, _ damage: DamageNote) {
        pool = Monitor(Pool(environment: environment))
        self.tables = tables
        self.damage = damage
    }

    /// Nil after `close`.
    var environment: Environment? { pool.withLock { $0.environment } }

    /// Calls `body` with the newest state; nil after `close`.
    func read<Value>(
        _ body: (StateView) throws(KeyspaceError) -> Value
    ) throws(KeyspaceError) -> Value? {
        guard let reader = try take() else { return nil }
        defer { put(back: reader) }
        return try noting { () throws(KeyspaceError) in
            try body(unsafe StateView(reader.transaction.view, tables))
        }
    }

    /// Runs a read or a change, and notes what damage it meets.
    func noting<Value: ~Copyable>(
        _ body: () throws(KeyspaceError) -> Value
    ) throws(KeyspaceError) -> Value {
        do throws(KeyspaceError) { return try body() } catch {
            if error.code == .corrupt { damage.note(error) }
            throw error
        }
    }

    /// Ends snapshots that are being read, waits for reads that run, and lets go of the file.
    func close() {
        let streams = pool.withLock { pool in
            pool.environment = nil
            pool.idle.removeAll()
            defer { pool.openStreams = [] }
            return pool.openStreams.compactMap(\.stream)
        }
        for stream in streams { stream.end() }
        pool.wait { $0.busy == 0 && $0.streams == 0 ? () : nil }
    }

    /// A snapshot with a read transaction of its own. It counts until it says `streamEnded`:
    /// whoever lets go of a file that was opened anew takes the new readers' slots with it.
    func stream(
        _ make: (consuming ReadTransaction) throws(KeyspaceError) -> SnapshotStream
    ) throws(KeyspaceError) -> SnapshotStream {
        let environment = pool.withLock { pool in
            if pool.environment != nil { pool.streams += 1 }
            return pool.environment
        }
        guard let environment else { throw .closed }
        let stream: SnapshotStream
        do throws(KeyspaceError) {
            stream = try make(try lmdb { () throws(LMDBError) in try environment.beginRead() })
        } catch {
            streamEnded()
            throw error
        }
        let isOpen = pool.withLock { pool in
            pool.openStreams.removeAll { $0.stream == nil }
            pool.openStreams.append(OpenStream(stream: stream))
            return pool.environment != nil
        }
        if !isOpen { stream.end() }
        return stream
    }

    func streamEnded() {
        pool.wakeAll { $0.streams -= 1 }
    }

    private func take() throws(KeyspaceError) -> Reader? {
        let turn = pool.wait { pool -> Turn? in
            guard let environment = pool.environment else { return .closed }
            if let reader = pool.idle.popLast() {
                pool.busy += 1
                return .use(reader)
            }
            if pool.busy >= Self.readersMax { return nil }
            pool.busy += 1
            return .make(environment)
        }
        do throws(LMDBError) {
            switch turn {
            case .closed: return nil
            case .use(let reader):
                try reader.transaction.renew()
                return reader
            case .make(let environment): return Reader(try environment.beginRead())
            }
        } catch {
            finish(nil)
            throw KeyspaceError(error)
        }
    }

    private func put(back reader: Reader) {
        reader.transaction.reset()
        finish(reader)
    }

    private func finish(_ reader: Reader?) {
        pool.wakeAll { pool in
            if pool.environment == nil {
                // Before it counts as done: once all are, the file may be opened anew, and what
                // lets go of it then would take the new readers' slots with it.
                reader?.end()
            } else if let reader {
                pool.idle.append(reader)
            }
            pool.busy -= 1
        }
    }
}
