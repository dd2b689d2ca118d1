import Basics

extension KeyspaceWatch.Progress {
    mutating func takePending() -> KeyspaceWatch.Pending? {
        defer { pending = nil }
        return pending
    }
}

extension WatchHub.Inner {
    /// Answers the pending `next` from the ring, or has the watcher wait or read history.
    mutating func serve(_ watch: KeyspaceWatch) -> WatchHub.Answer? {
        guard let pending = watch.progress.value.pending else { return nil }
        if let error = watch.progress.value.ended {
            return answer(watch, .failure(error))
        }
        let position = watch.progress.value.position
        if position <= head {
            if position < compactRevision {
                let error = StoreError.compacted(at: compactRevision)
                watch.progress.value.ended = error
                return answer(watch, .failure(error))
            }
            guard position >= ring.first,
                let batch = collect(watch, from: position, bytesMax: pending.bytesMax)
            else {
                behind.append(watch)
                return nil
            }
            watch.progress.value.position =
                (Mutant.isOn(.recentEventsSkipped) ? head : batch.revision) + 1
            if !batch.events.isEmpty { return answer(watch, .success(batch)) }
        }
        if watch.progress.value.wantsProgress {
            watch.progress.value.wantsProgress = false
            // History can be ahead of what is published.
            let revision = max(head, watch.progress.value.answered)
            return answer(watch, .success(WatchBatch(events: [], revision: revision)))
        }
        startWaiting(watch)
        return nil
    }

    func answer(
        _ watch: KeyspaceWatch, _ result: Result<WatchBatch, StoreError>
    ) -> WatchHub.Answer? {
        if case .success(let batch) = result { watch.progress.value.answered = batch.revision }
        return watch.progress.value.takePending().map {
            WatchHub.Answer(done: $0.done, result: result)
        }
    }

    /// The watcher's events of the ring, whole groups, up to about `bytesMax` bytes; nil when
    /// previous values are wanted that the ring does not have.
    private func collect(
        _ watch: KeyspaceWatch, from position: Int64, bytesMax: Int
    ) -> WatchBatch? {
        var batch = WatchBatch(events: [], revision: head)
        var bytes = 0
        for group in ring.groups(from: position) {
            for event in group.events
            where event.keyValue.modRevision >= position && watch.wants(event) {
                var event = event
                if watch.request.wantsPrevious {
                    if !group.hasPrevious { return nil }
                } else {
                    event.previous = nil
                }
                bytes += event.bytes
                batch.events.append(event)
            }
            if bytes >= bytesMax, bytes > 0 {
                batch.revision = group.last
                break
            }
        }
        return batch
    }

    private mutating func startWaiting(_ watch: KeyspaceWatch) {
        watch.progress.value.isWaiting = true
        if case .single = watch.request.range.end {
            waitingForKey[watch.request.range.start, default: []].append(watch)
        } else {
            waitingForRange.append(watch)
        }
    }

    /// A watcher that waited is complete up to the newest revision.
    mutating func stopWaiting(_ watch: KeyspaceWatch) {
        watch.progress.value.isWaiting = false
        watch.progress.value.position = max(watch.progress.value.position, head + 1)
        if case .single = watch.request.range.end {
            let key = watch.request.range.start
            waitingForKey[key]?.removeAll { $0 === watch }
            if waitingForKey[key]?.isEmpty == true { waitingForKey[key] = nil }
        } else {
            waitingForRange.removeAll { $0 === watch }
        }
    }

    /// Takes the waiting watchers that want one of these events out of the lists.
    mutating func takeInterested(_ groups: [EventGroup]) -> [KeyspaceWatch] {
        var ready: [KeyspaceWatch] = []
        if !waitingForKey.isEmpty {
            for group in groups {
                for event in group.events {
                    guard let waiting = waitingForKey[event.keyValue.key] else { continue }
                    let (taken, left) = waiting.split { Self.wants($0, event) }
                    waitingForKey[event.keyValue.key] = left.isEmpty ? nil : left
                    ready += taken
                }
            }
        }
        let (taken, left) = waitingForRange.split { watch in
            groups.contains { $0.events.contains { Self.wants(watch, $0) } }
        }
        waitingForRange = left
        ready += taken
        for watch in ready {
            watch.progress.value.isWaiting = false
            watch.progress.value.position = max(watch.progress.value.position, head + 1)
        }
        return ready
    }

    private static func wants(_ watch: KeyspaceWatch, _ event: Event) -> Bool {
        event.keyValue.modRevision >= watch.progress.value.position && watch.wants(event)
    }

    /// Takes every watcher out of the lists, for the end. The order of keys does not matter:
    /// each watcher is answered once.
    mutating func takeAll() -> [KeyspaceWatch] {
        // In the order of keys: a dictionary's own order differs from process to process.
        let keys = waitingForKey.keys.sorted(by: isOrderedBefore)
        let all = keys.flatMap { waitingForKey[$0] ?? [] } + waitingForRange + behind
        waitingForKey = [:]
        waitingForRange = []
        behind = []
        for watch in all { watch.progress.value.isWaiting = false }
        return all
    }
}

extension Array {
    /// The elements that satisfy the predicate, and the others, in order.
    fileprivate func split(_ isFirst: (Element) -> Bool) -> (first: [Element], second: [Element]) {
        var first: [Element] = []
        var second: [Element] = []
        for element in self {
            if isFirst(element) { first.append(element) } else { second.append(element) }
        }
        return (first, second)
    }
}
