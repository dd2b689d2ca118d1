import Basics
import LMDB

extension WatchHub {
    /// Records that one turn looks at, so that many watchers that are behind take turns.
    private static let recordsPerTurn = 4096

    /// A watcher that is behind, with what its turn needs.
    struct Work {
        var watch: KeyspaceWatch
        var position: Int64
        var bytesMax: Int
    }

    /// What a turn found.
    private enum Found {
        case batch(WatchBatch)
        case failure(StoreError)
    }

    func runHistory() {
        while true {
            let work = inner.wait { inner -> Work?? in
                if inner.stopped { return .some(nil) }
                return inner.takeBehind().map { .some($0) }
            }
            guard let work else { return }
            serveHistory(work)
        }
    }

    func takeBehind() -> Work? {
        inner.withLock { $0.stopped ? nil : $0.takeBehind() }
    }

    /// One turn: reads history, then answers or puts the watcher where it belongs now.
    func serveHistory(_ work: Work) {
        let found: Found
        do throws(KeyspaceError) {
            found =
                try readers.read { view throws(KeyspaceError) in
                    try Self.collect(work, view)
                } ?? .failure(.stopped)
        } catch {
            found = .failure(StoreError(error))
        }
        let answer = inner.withLock { inner -> Answer? in
            let watch = work.watch
            switch found {
            case .failure(let error):
                if watch.progress.value.ended == nil { watch.progress.value.ended = error }
            case .batch(let batch):
                let isRepeated = Mutant.isOn(.historyRepeats) && !batch.events.isEmpty
                watch.progress.value.position = batch.revision + (isRepeated ? 0 : 1)
                if !batch.events.isEmpty, watch.progress.value.ended == nil {
                    return inner.answer(watch, .success(batch))
                }
            }
            return inner.serve(watch)
        }
        if let answer { answer.done(answer.result) }
    }

    /// Events from the record table, whole commits, up to about `bytesMax` bytes or until enough
    /// records were looked at.
    private static func collect(_ work: Work, _ view: StateView) throws(KeyspaceError) -> Found {
        if work.position < view.state.compactRevision {
            return .failure(.compacted(at: view.state.compactRevision))
        }
        let watch = work.watch
        var batch = WatchBatch(events: [], revision: view.state.revision)
        var bytes = 0
        var seen = 0
        // The end of the commit that the last record belongs to.
        var end = work.position - 1
        let cursor = unsafe try view.cursor(view.tables.records)
        let from = RecordKey(RecordPosition(revision: work.position, sub: 0))
        var next = unsafe try withRaw(of: from) { raw throws(KeyspaceError) in
            unsafe try cursor.seek(atLeast: raw)
        }
        while let found = unsafe next {
            guard let recordKey = unsafe RecordKey(found.key) else {
                throw unsafe KeyspaceError(damaged: .records, found.key, "not a record's key")
            }
            if recordKey.chunk == 0 {
                if recordKey.position.revision > end,
                    bytes > 0 && bytes >= work.bytesMax || seen >= recordsPerTurn
                {
                    batch.revision = end
                    return .batch(batch)
                }
                seen += 1
                var record = unsafe try view.decode(found.value, recordKey, withValue: false)
                end = record.commitEnd
                if watch.wants(record.header.isDelete ? .delete : .put, record.key) {
                    if !record.header.isDelete {
                        record = unsafe try view.decode(found.value, recordKey, withValue: true)
                    }
                    let event = try view.event(
                        record, withPrevious: watch.request.wantsPrevious)
                    bytes += event.bytes
                    batch.events.append(event)
                }
            }
            unsafe next = try cursor.next(after: found.key)
        }
        return .batch(batch)
    }
}

extension WatchHub.Inner {
    mutating func takeBehind() -> WatchHub.Work? {
        guard !behind.isEmpty else { return nil }
        let watch = behind.removeFirst()
        watch.progress.value.isBehind = false
        return WatchHub.Work(
            watch: watch,
            position: Mutant.isOn(.behindBeginsAgain)
                ? watch.request.startRevision : watch.progress.value.position,
            bytesMax: watch.progress.value.pending?.bytesMax ?? 0)
    }
}

extension StateView {
    /// The event of a record. The previous value is left out when the revision before is
    /// compacted, as in etcd.
    func event(_ record: Record, withPrevious: Bool) throws(KeyspaceError) -> Event {
        var previous: KeyValue?
        if withPrevious, record.header.previous != .none,
            record.position.revision > state.compactRevision
        {
            previous = try self.record(at: record.header.previous)?.keyValue
        }
        guard record.header.isDelete else {
            return Event(kind: .put, keyValue: record.keyValue, previous: previous)
        }
        let keyValue = KeyValue(
            key: record.key, value: [], createRevision: 0,
            modRevision: record.position.revision, version: 0)
        return Event(kind: .delete, keyValue: keyValue, previous: previous)
    }
}
