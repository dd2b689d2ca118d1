import Basics
import Keyspace
import Simulator
import Store
import StoreJudgement

/// Asks the store for what it has at the end, and whether all that clients and watchers saw has an
/// explanation.
struct Judgement: Sendable {
    struct Verdict: Sendable {
        var isGood: Bool
        var text: String
    }

    let journal: Journal
    let watchers: [Watcher]

    func reach(asking stores: [RemoteStore]) async -> Verdict {
        do throws(Failure) {
            _ = try await settle(stores)
            try await awaitLeaseEnds(stores)
            let final = try await settle(stores)
            for (number, watcher) in watchers.enumerated() {
                if let failure = watcher.failure {
                    throw Failure("watcher \(number + 1): \(failure)")
                }
            }
            let counts = try explain(final)
            let gap = journal.longestGap
            return Verdict(
                isGood: true,
                text:
                    "0 violations: \(journal.acknowledged) acknowledged writes, "
                    + "\(counts.operations) operations, \(counts.events) events at "
                    + "\(watchers.count) watchers, \(counts.leaseEnds) leases ended with keys, "
                    + "\(counts.compacted) refusals of what was compacted, "
                    + "longest gap between acknowledged writes "
                    + "\(gap.milliseconds) ms, until second \(gap.endedAfterSeconds)")
        } catch {
            return Verdict(isGood: false, text: "violation: \(error.text)")
        }
    }

    private struct Failure: Error {
        var text: String
        init(_ text: String) { self.text = text }
    }

    private var history: StoreHistory {
        StoreHistory(operations: journal.operations, watchers: watchers.map(\.sightings))
    }

    private func explain(_ final: RangeResponse) throws(Failure) -> HistoryJudgement.Counts {
        do throws(Violation) {
            return try HistoryJudgement(history).check(final: final.keyValues)
        } catch {
            throw Failure(error.message)
        }
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

    /// Nobody keeps leases alive any more, so all of them have to end: in the time that they have,
    /// begun anew by the newest leader, and the slack of a store that may be busy.
    private func awaitLeaseEnds(_ stores: [RemoteStore]) async throws(Failure) {
        let slack: UInt64 = 10_000_000
        let end = MonotonicTime.now().advanced(milliseconds: 120_000)
        var healed = microseconds
        var term: UInt64 = 0
        var reason = ""
        while MonotonicTime.now() < end {
            // Before the question, because what stands then stood now.
            let now = microseconds
            var standing: [Int64] = []
            do throws(StoreError) {
                for store in stores {
                    let ids = try await store.leases()
                    standing += ids
                    let status = try await store.status()
                    if status.term > term { (healed, term) = (microseconds, status.term) }
                }
                if standing.isEmpty { return }
                reason = "leases \(standing) stand"
            } catch {
                reason = "a replica does not serve: \(error)"
            }
            let late = HistoryJudgement(history).overdue(
                now: now, healed: healed, slack: slack, standing: standing)
            if let first = late.first {
                throw Failure("lease \(first) stands though its time is over")
            }
            try? await Task.sleep(for: .milliseconds(500))
        }
        throw Failure("two minutes after the end \(reason)")
    }

    private var microseconds: UInt64 { MonotonicTime.now().nanoseconds / 1_000 }
}
