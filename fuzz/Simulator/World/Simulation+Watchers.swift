import Basics
import Keyspace

/// A watching client: pulls one stream at a time, from any replica, and goes on where it stopped.
struct Watcher {
    var oracle: WatchOracle?
    var stream: KeyspaceWatch?
    /// The replica that the stream comes from.
    var replica = 1
    /// Answers of earlier streams are void.
    var serial = 0
}

extension Simulation {
    /// Asks for the next batch; opens a stream if there is none.
    func pull(_ number: Int, _ serial: Int) {
        guard watchers[number].serial == serial else { return }
        if watchers[number].stream == nil { open(number) }
        guard let stream = watchers[number].stream else {
            queue.add(.watchPull(number, serial: serial), at: now + 50_000 + below(200_000))
            return
        }
        let world = OneThread(self)
        let bytes = [1, 50, 400, 10_000][random.below(4)]
        stream.next(bytesMax: bytes) { result in
            let world = world.value
            world.queue.add(
                .watchAnswer(number, serial: serial, result), at: world.now + world.below(5_000))
        }
        if areClientsStopped || random.chance(1, in: 10) { stream.requestProgress() }
    }

    /// Whether every watcher has all that there is for it.
    var areWatchersUpToDate: Bool {
        watchers.allSatisfy { $0.oracle.map { $0.position > committed.model.revision } ?? false }
    }

    private func open(_ number: Int) {
        let replica = drawReplica()
        guard let keyspace = replica.process?.environment.keyspace, replica.pausedUntil <= now,
            !replica.isWrong
        else { return }
        if watchers[number].oracle == nil {
            watchers[number].oracle = WatchOracle(drawWatch(), position: drawStart(keyspace))
        }
        guard let oracle = watchers[number].oracle else { return }
        var request = oracle.request
        request.startRevision = oracle.position
        trace("watcher \(number) opens a stream at \(replica.number) from \(oracle.position)")
        watchers[number].oracle?.reopened()
        watchers[number].stream = keyspace.watch(request)
        watchers[number].replica = replica.number
    }

    private func drawWatch() -> WatchRequest {
        let key = Array("key-\(random.below(scenario.keys))".utf8)
        var request = WatchRequest(
            random.chance(2, in: 3) ? .all : KeyRange(start: key, end: .unbounded))
        if random.chance(1, in: 4) { request.range = .key(key) }
        request.wantsPrevious = random.chance(1, in: 2)
        request.excludesPuts = random.chance(1, in: 10)
        request.excludesDeletes = random.chance(1, in: 10)
        return request
    }

    /// Now, in the past (down to exactly what is compacted), or in the future.
    private func drawStart(_ keyspace: Keyspace) -> Int64 {
        let state = keyspace.state
        let start: Int64 =
            switch random.below(4) {
            case 0: state.revision + 1
            case 1: state.compactRevision
            case 2: state.compactRevision + 1 + Int64(random.below(20))
            default: state.revision - Int64(random.below(10))
            }
        return max(1, start)
    }

    func takeAnswer(
        _ number: Int, _ serial: Int, _ result: Result<WatchBatch, StoreError>
    ) throws(Violation) {
        guard watchers[number].serial == serial else { return }
        var pause = below(30_000)
        guard !replicas[watchers[number].replica - 1].isWrong else {
            close(number)
            return queue.add(
                .watchPull(number, serial: watchers[number].serial), at: now + pause)
        }
        switch result {
        case .success(let batch):
            try watchers[number].oracle?.take(
                batch, committed.groups, compactRevision: committed.model.compactRevision)
            hash.add(UInt64(bitPattern: batch.revision))
            trace("watcher \(number) has \(batch.events.count) events up to \(batch.revision)")
            // Some leave and come back elsewhere; some are so slow that they fall behind.
            if random.chance(1, in: 10) { close(number) }
            if random.chance(1, in: 10) { pause = below(1_000_000) }
        case .failure(let error):
            if error.code == .compacted {
                try watchers[number].oracle?.checkCompacted(
                    error, compactRevision: committed.model.compactRevision)
                watchers[number].oracle = nil
            }
            close(number)
            pause += 20_000
        }
        queue.add(.watchPull(number, serial: watchers[number].serial), at: now + pause)
    }

    private func close(_ number: Int) {
        watchers[number].stream?.cancel()
        watchers[number].stream = nil
        watchers[number].serial += 1
    }
}
