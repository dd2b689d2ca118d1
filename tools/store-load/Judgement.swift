import Basics
import Keyspace
import Simulator
import Store

/// Whether what clients and watchers saw has an explanation.
///
/// Every write leaves a mark, so the store's own events say at which revision it took effect, or
/// that it never did. The revisions then are the order of everything, and what is left to check
/// is that a dumb keyspace gives the same answers in that order, and that the order keeps to real
/// time.
struct Judgement: Sendable {
    struct Verdict: Sendable {
        var isGood: Bool
        var text: String
    }

    let journal: Journal
    let watchers: [Watcher]

    func reach(asking stores: [RemoteStore]) async -> Verdict {
        do throws(Failure) {
            let final = try await settle(stores)
            let events = try agreedEvents()
            let count = try explain(events, final)
            let gap = journal.longestGap
            return Verdict(
                isGood: true,
                text:
                    "0 violations: \(journal.acknowledged) acknowledged writes, "
                    + "\(count) operations, \(events.count) events at \(watchers.count) "
                    + "watchers, longest gap between acknowledged writes "
                    + "\(gap.milliseconds) ms, until second \(gap.endedAfterSeconds)")
        } catch {
            return Verdict(isGood: false, text: "violation: \(error.text)")
        }
    }

    private struct Failure: Error {
        var text: String
        init(_ text: String) { self.text = text }
    }

    /// Every replica has the same keys at the same revision, and the watchers catch up. A write
    /// that was given up may still arrive for a while.
    private func settle(_ stores: [RemoteStore]) async throws(Failure) -> RangeResponse {
        let end = MonotonicTime.now().advanced(milliseconds: 60_000)
        var reason = ""
        while MonotonicTime.now() < end {
            var answers: [RangeResponse] = []
            do throws(StoreError) {
                for (number, store) in stores.enumerated() {
                    let response = try await store.range(RangeRequest(.all))
                    try await watchers[number].readOn(to: response.revision)
                    answers.append(response)
                }
            } catch {
                reason = "replica \(answers.count + 1) does not serve: \(error)"
            }
            if answers.count == stores.count {
                if answers.allSatisfy({ $0 == answers[0] }) { return answers[0] }
                reason = "the replicas differ"
            }
            try? await Task.sleep(for: .milliseconds(500))
        }
        throw Failure("a minute after the end \(reason)")
    }

    /// The events, which all watchers have alike.
    private func agreedEvents() throws(Failure) -> [Event] {
        guard let reference = watchers.first?.events else { throw Failure("nobody watched") }
        var last: Int64 = 0
        for event in reference {
            guard event.keyValue.modRevision >= last else {
                throw Failure("watch: revision \(event.keyValue.modRevision) after \(last)")
            }
            last = event.keyValue.modRevision
        }
        for (number, watcher) in watchers.enumerated() {
            if let failure = watcher.failure { throw Failure("watcher \(number + 1): \(failure)") }
            let events = watcher.events
            if let difference = zip(events, reference).first(where: { $0 != $1 }) {
                throw Failure(
                    "watch: replica \(number + 1) sent \(difference.0), replica 1 \(difference.1)")
            }
            guard events.count == reference.count else {
                throw Failure(
                    "watch: \(events.count) events from replica \(number + 1), "
                        + "\(reference.count) from replica 1")
            }
        }
        return reference
    }

    /// Runs everything again in the order of revisions; answers how many operations there were.
    private func explain(_ events: [Event], _ final: RangeResponse) throws(Failure) -> Int {
        let revisions = try revisionsOfWrites(events)
        var placed: [(revision: Int64, entry: Journal.Entry)] = []
        for entry in journal.entries {
            guard let value = entry.value else {
                placed.append((entry.revision ?? 0, entry))
                continue
            }
            guard let revision = revisions[value] else {
                guard entry.revision == nil else {
                    throw Failure("lost: \(entry.operation.name) was acknowledged")
                }
                continue
            }
            placed.append((revision, entry))
        }
        // Writes come before the reads of their revision.
        placed.sort {
            ($0.revision, $0.entry.value == nil ? 1 : 0)
                < ($1.revision, $1.entry.value == nil ? 1 : 0)
        }
        var model = ModelKeyspace()
        for (revision, entry) in placed {
            let digest: UInt64
            switch entry.operation.action {
            case .command(let command): digest = ResultDigest.of(model.apply(command))
            case .range(let request): digest = ResultDigest.of(model.range(request))
            }
            guard model.revision == revision else {
                throw Failure(
                    "\(entry.operation.name) stands at revision \(revision), the model is at "
                        + "\(model.revision)")
            }
            if case .answer(let answer) = entry.operation.outcome, answer != digest {
                throw Failure("\(entry.operation.name) at \(revision) was answered wrongly")
            }
        }
        guard model.range(RangeRequest(.all)).keyValues == final.keyValues else {
            throw Failure("the keys at the end are not those that the writes left")
        }
        try checkRealTime(placed)
        return placed.count
    }

    private func revisionsOfWrites(_ events: [Event]) throws(Failure) -> [Bytes: Int64] {
        var revisions: [Bytes: Int64] = [:]
        for event in events where event.keyValue.key.starts(with: Bytes("mark/".utf8)) {
            let value = event.keyValue.value
            guard revisions.updateValue(event.keyValue.modRevision, forKey: value) == nil else {
                throw Failure("write \(String(decoding: value, as: UTF8.self)) took effect twice")
            }
        }
        return revisions
    }

    /// What was answered before another was called has no later revision.
    private func checkRealTime(
        _ placed: [(revision: Int64, entry: Journal.Entry)]
    ) throws(Failure) {
        let calls = placed.sorted { $0.entry.operation.called < $1.entry.operation.called }
        let returns = placed.sorted { $0.entry.operation.returned < $1.entry.operation.returned }
        var newest: (revision: Int64, name: String) = (0, "")
        var next = 0
        for (revision, entry) in calls {
            while next < returns.count,
                returns[next].entry.operation.returned < entry.operation.called
            {
                if returns[next].revision > newest.revision {
                    newest = (returns[next].revision, returns[next].entry.operation.name)
                }
                next += 1
            }
            let isLate =
                entry.value == nil ? revision < newest.revision : revision <= newest.revision
            if isLate {
                throw Failure(
                    "\(entry.operation.name) is of revision \(revision), but \(newest.name) of "
                        + "\(newest.revision) had been answered before")
            }
        }
    }
}
