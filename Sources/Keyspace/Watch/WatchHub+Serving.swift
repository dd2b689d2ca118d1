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
        // Who was not waiting when the hub stopped is told when it comes.
        if stopped, watch.progress.value.ended == nil { watch.progress.value.ended = .stopped }
        if let error = watch.progress.value.ended {
            return answer(watch, .failure(error))
        }
        let position = watch.progress.value.position
        let isPassedBy = Mutant.isOn(.progressBeforeEvents) && watch.progress.value.wantsProgress
        if position <= head, !isPassedBy {
            if position < compactRevision {
                let error = StoreError.compacted(at: compactRevision)
                watch.progress.value.ended = error
                return answer(watch, .failure(error))
            }
            guard position >= ring.first,
                let batch = batch(for: watch, from: position, bytesMax: pending.bytesMax)
            else {
                behind.append(watch)
                watch.progress.value.isBehind = true
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

    /// As `collect`, but watchers that are alike get the same array.
    private mutating func batch(
        for watch: KeyspaceWatch, from position: Int64, bytesMax: Int
    ) -> WatchBatch? {
        if let collected, collected.position == position, collected.bytesMax == bytesMax,
            collected.request.isAlike(watch.request)
        {
            return collected.batch
        }
        guard let batch = collect(watch, from: position, bytesMax: bytesMax) else { return nil }
        collected = WatchHub.Collected(
            request: watch.request, position: position, bytesMax: bytesMax, batch: batch)
        return batch
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
        if case .single = watch.request.range.end {
            waitingForKey[watch.request.range.start, default: WaitingList()].append(watch)
        } else {
            waitingForRange.append(watch)
        }
    }

    /// A watcher that waited is complete up to the newest revision.
    mutating func stopWaiting(_ range: KeyRange, _ progress: HubGuarded<KeyspaceWatch.Progress>) {
        progress.value.position = max(progress.value.position, head + 1)
        if case .single = range.end {
            waitingForKey[range.start]?.remove(progress)
            if waitingForKey[range.start]?.isEmpty == true { waitingForKey[range.start] = nil }
        } else {
            waitingForRange.remove(progress)
        }
    }

    /// Ends the watcher that stands there.
    mutating func end(
        _ range: KeyRange, _ progress: HubGuarded<KeyspaceWatch.Progress>, _ error: StoreError
    ) -> WatchHub.Answer? {
        if progress.value.ended == nil { progress.value.ended = error }
        if progress.value.isWaiting { stopWaiting(range, progress) }
        if progress.value.isBehind {
            behind.removeAll { $0.progress === progress }
            progress.value.isBehind = false
        }
        return progress.value.takePending().map {
            WatchHub.Answer(done: $0.done, result: .failure(error))
        }
    }

    /// Takes the waiting watchers that want one of these events out of the lists.
    mutating func takeInterested(_ groups: [EventGroup]) -> [KeyspaceWatch] {
        var ready: [KeyspaceWatch] = []
        if !waitingForKey.isEmpty {
            for group in groups {
                for event in group.events {
                    let key = event.keyValue.key
                    guard let taken = waitingForKey[key]?.take({ Self.wants($0, event) }) else {
                        continue
                    }
                    if waitingForKey[key]?.isEmpty == true { waitingForKey[key] = nil }
                    ready += taken
                }
            }
        }
        if !waitingForRange.isEmpty { ready += takeInterestedInRanges(groups) }
        for watch in ready {
            watch.progress.value.position = max(watch.progress.value.position, head + 1)
        }
        return ready
    }

    private mutating func takeInterestedInRanges(_ groups: [EventGroup]) -> [KeyspaceWatch] {
        let first = groups.first?.first ?? 0
        // Many watch the same, one behind the other.
        var last: (watch: KeyspaceWatch, isInterested: Bool)?
        return waitingForRange.take { watch in
            let isComplete = watch.progress.value.position <= first
            if isComplete, let last, last.watch.request.isAlike(watch.request) {
                return last.isInterested
            }
            let isInterested = groups.contains { $0.events.contains { Self.wants(watch, $0) } }
            if isComplete { last = (watch, isInterested) }
            return isInterested
        }
    }

    private static func wants(_ watch: KeyspaceWatch, _ event: Event) -> Bool {
        event.keyValue.modRevision >= watch.progress.value.position && watch.wants(event)
    }

    /// Takes every watcher out of the lists, for the end; each is answered once.
    mutating func takeAll() -> [KeyspaceWatch] {
        // In the order of keys: a dictionary's own order differs from process to process.
        var all: [KeyspaceWatch] = []
        for key in waitingForKey.keys.sorted(by: isOrderedBefore) {
            all += waitingForKey[key]?.take { _ in true } ?? []
        }
        waitingForKey = [:]
        all += waitingForRange.take { _ in true }
        for watch in behind { watch.progress.value.isBehind = false }
        all += behind
        behind = []
        collected = nil
        return all
    }
}
