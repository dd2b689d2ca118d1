package import Keyspace
package import Simulator

/// Whether what clients and watchers saw has an explanation.
package struct HistoryJudgement: Sendable {
    package struct Counts: Sendable, Hashable {
        package var operations = 0
        package var events = 0
        /// That deleted keys.
        package var leaseEnds = 0
        /// What was refused because of a compaction.
        package var compacted = 0
    }

    let history: StoreHistory

    package init(_ history: StoreHistory) {
        self.history = history
    }

    /// - Parameter final: every key at the end, when all leases are over.
    package func check(final: [KeyValue]) throws(Violation) -> Counts {
        guard let reference = history.watchers.first else {
            throw .correctness("nobody watched")
        }
        let events = reference.flatMap { $0.batch.events }
        var replay = Replay(history.operations)
        try replay.run(events)
        try checkWatchers(replay)
        try checkRealTime(replay.placed)
        let compactions = CompactionRules(history.operations)
        try compactions.check(replay.groups)
        try LeaseRules(history, replay).check()
        guard replay.model.items == final else {
            throw .correctness("the keys at the end are not those that the writes left")
        }
        if let item = final.first(where: { $0.lease != 0 }) {
            let key = String(decoding: item.key, as: UTF8.self)
            throw .correctness("\(key) is there, and its lease \(item.lease) is not")
        }
        return Counts(
            operations: history.operations.count, events: events.count,
            leaseEnds: replay.leaseEnds.count, compacted: compactions.refusals)
    }

    /// Leases that stand though they should have ended.
    ///
    /// - Parameter healed: since when the store has had one leader, and nothing is tormented.
    package func overdue(
        now: UInt64, healed: UInt64, slack: UInt64, standing: [Int64]
    ) -> [Int64] {
        var oracle = LeaseOracle(driftPerMille: 0)
        for operation in history.operations {
            guard case .grant(let id, let seconds) = operation.call else { continue }
            let called = operation.called.microseconds
            oracle.granted(id, seconds: seconds, called: called, now: called)
        }
        for operation in history.operations {
            guard case .keepAlive(let id) = operation.call, case .lease = operation.answer
            else { continue }
            oracle.mayBeRenewed(id, latest: operation.returned.microseconds)
        }
        return oracle.overdue(now: now, since: healed, slack: slack, standing: standing)
    }

    /// Every watcher got everything, each event once and in order, across broken streams.
    private func checkWatchers(_ replay: Replay) throws(Violation) {
        for (number, sightings) in history.watchers.enumerated() {
            var oracle = WatchOracle(
                WatchRequest(.all, startRevision: 2, wantsPrevious: true), position: 2)
            do throws(Violation) {
                for sighting in sightings {
                    if sighting.isFirst { oracle.reopened() }
                    try oracle.take(
                        sighting.batch, replay.groups, compactRevision: sighting.compactRevision)
                }
            } catch {
                throw .correctness("watcher \(number + 1): \(error.message)")
            }
            guard oracle.position > replay.model.revision else {
                throw .correctness(
                    "watcher \(number + 1) has nothing from \(oracle.position) on, the store is at "
                        + "\(replay.model.revision)")
            }
        }
    }

    /// What was answered before another was called has no later revision.
    private func checkRealTime(_ placed: [Replay.Placed]) throws(Violation) {
        let calls = placed.sorted {
            $0.operation.called.position < $1.operation.called.position
        }
        let returns = placed.sorted {
            $0.operation.returned.position < $1.operation.returned.position
        }
        var newest: (revision: Int64, name: String) = (0, "")
        var next = 0
        for call in calls {
            while next < returns.count,
                returns[next].operation.returned.position < call.operation.called.position
            {
                if returns[next].revision > newest.revision {
                    newest = (returns[next].revision, returns[next].operation.name)
                }
                next += 1
            }
            let isLate =
                call.operation.isWrite
                ? call.revision <= newest.revision : call.revision < newest.revision
            if isLate {
                throw .correctness(
                    "\(call.operation.name) is of revision \(call.revision), but \(newest.name) "
                        + "of \(newest.revision) had been answered before")
            }
        }
    }
}
