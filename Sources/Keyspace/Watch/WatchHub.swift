import Basics

/// Where watchers meet the writer: recent events in memory, and who waits for more.
///
/// A watcher that waits costs nothing until an event of its range comes. One that is slow keeps
/// only its position, and reads the ring, or history when the ring has moved on.
final class WatchHub: Sendable {
    struct Inner {
        var ring: EventRing
        /// The newest revision that was published.
        var head: Int64
        var compactRevision: Int64
        /// Waiting watchers of one key, by key.
        var waitingForKey: [Bytes: WaitingList] = [:]
        /// Waiting watchers of ranges.
        var waitingForRange = WaitingList()
        /// What the last watcher was answered from the ring: watchers that are alike share it.
        var collected: Collected?
        /// Watchers that have to read history.
        var behind: [KeyspaceWatch] = [] {
            didSet { behindCount.set(behind.count) }
        }
        let behindCount: Gauge
        var threadRuns = false
        var stopped = false
        var auth: AuthSnapshot
        /// Watchers on behalf of somebody who could lose the right to them.
        var permitted = PermittedWatches()
    }

    struct Collected {
        var request: WatchRequest
        var position: Int64
        var bytesMax: Int
        var batch: WatchBatch
    }

    /// What to call once the lock is released.
    struct Answer {
        var done: KeyspaceWatch.Answer
        var result: Result<WatchBatch, StoreError>
    }

    let inner: Monitor<Inner>
    let readers: ReaderPool
    let servesHistoryOnCaller: Bool
    private let metrics: KeyspaceMetrics
    /// Watchers that want previous values. Has a lock of its own: the last reference to a watcher
    /// may go with the hub's lists, while their lock is held.
    private let wantingPrevious = Locked(0)
    private let thread = Locked<WorkThread?>(nil)

    init(
        _ readers: ReaderPool, _ state: Keyspace.State, _ options: Keyspace.Options,
        _ auth: AuthSnapshot
    ) {
        self.readers = readers
        servesHistoryOnCaller = options.servesHistoryOnCaller
        metrics = options.metrics
        inner = Monitor(
            Inner(
                ring: EventRing(
                    bytesMax: options.recentEventBytesMax, from: state.revision + 1),
                head: state.revision, compactRevision: state.compactRevision,
                behindCount: options.metrics.watchersBehind, auth: auth))
    }

    /// Whether events should carry previous values from the start.
    var wantsPrevious: Bool { wantingPrevious.withLock { $0 > 0 } }

    func watch(_ request: WatchRequest, by permit: AuthPermit?) -> KeyspaceWatch {
        metrics.watchers.add(1)
        return inner.withLock { inner in
            let start = request.startRevision
            var ended: StoreError?
            if start > 0, start < inner.compactRevision {
                ended = .compacted(at: inner.compactRevision)
            }
            if inner.stopped { ended = .stopped }
            if let permit, let error = inner.auth.renewed(permit).refusal(reading: request.range) {
                ended = error
            }
            if request.wantsPrevious { wantingPrevious.withLock { $0 += 1 } }
            let isMoved = Mutant.isOn(.futureWatchBeginsNow) && start > inner.head
            let progress = HubGuarded(
                KeyspaceWatch.Progress(
                    position: start > 0 && !isMoved ? start : inner.head + 1, ended: ended))
            guard let permit, ended == nil else {
                return KeyspaceWatch(request, self, progress, nil)
            }
            let place = WatchPlace(request.range, progress)
            inner.permitted.add(place, permit)
            return KeyspaceWatch(request, self, progress, place)
        }
    }

    func left(wantsPrevious: Bool) {
        metrics.watchers.add(-1)
        guard wantsPrevious else { return }
        wantingPrevious.withLock { $0 -= 1 }
    }

    func next(_ watch: KeyspaceWatch, _ pending: KeyspaceWatch.Pending) {
        let answer = inner.withLock { inner -> Answer? in
            precondition(
                watch.progress.value.pending == nil, "a watcher is pulled by one call at a time")
            watch.progress.value.pending = pending
            return inner.serve(watch)
        }
        finish(answer)
    }

    func requestProgress(_ watch: KeyspaceWatch) {
        let answer = inner.withLock { inner -> Answer? in
            watch.progress.value.wantsProgress = true
            guard watch.progress.value.isWaiting else { return nil }
            inner.stopWaiting(watch.request.range, watch.progress)
            return inner.serve(watch)
        }
        finish(answer)
    }

    func end(_ watch: KeyspaceWatch, _ error: StoreError) {
        finish(inner.withLock { $0.end(watch.request.range, watch.progress, error) })
    }

    /// After a commit: what changed, and where the keyspace stands now.
    func publish(_ groups: [EventGroup], _ state: Keyspace.State) {
        var answers: [Answer] = []
        inner.withLock { inner in
            inner.compactRevision = state.compactRevision
            guard let first = groups.first?.first else { return }
            let ready = inner.takeInterested(groups)
            for group in groups { inner.ring.append(group) }
            for watch in ready {
                watch.progress.value.position = max(watch.progress.value.position, first)
            }
            inner.head = state.revision
            inner.collected = nil
            answers.reserveCapacity(ready.count)
            for watch in ready {
                if let answer = inner.serve(watch) { answers.append(answer) }
            }
        }
        for answer in answers { answer.done(answer.result) }
        finish(nil)
    }

    func stop() {
        let answers = inner.withLock { inner -> [Answer] in
            inner.stopped = true
            let waiting = inner.takeAll()
            return waiting.compactMap { watch in
                watch.progress.value.ended = .stopped
                return watch.progress.value.takePending().map {
                    Answer(done: $0.done, result: .failure(.stopped))
                }
            }
        }
        for answer in answers { answer.done(answer.result) }
        inner.wakeAll()
        let running = thread.withLock { thread -> WorkThread? in
            defer { thread = nil }
            return thread
        }
        running?.join()
    }

    /// Calls what is to be called, and sees to the watchers that have to read history.
    private func finish(_ answer: Answer?) {
        if let answer { answer.done(answer.result) }
        if servesHistoryOnCaller {
            while let work = takeBehind() { serveHistory(work) }
            return
        }
        let (needsThread, hasWork) = inner.withLock { inner in
            let hasWork = !inner.behind.isEmpty && !inner.stopped
            let needsThread = hasWork && !inner.threadRuns
            if needsThread { inner.threadRuns = true }
            return (needsThread, hasWork)
        }
        if needsThread {
            let started = WorkThread { [self] in runHistory() }
            thread.withLock { $0 = started }
        } else if hasWork {
            inner.wakeAll()
        }
    }
}
