import Basics

/// Watchers on behalf of somebody, who may lose the right to them. Does not keep them alive.
struct PermittedWatches {
    private struct Held {
        weak var watch: KeyspaceWatch?
        let user: Bytes
    }

    private static let sweepAtLeast = 64
    private var held: [Held] = []
    /// Those that are gone are swept out when there are so many.
    private var sweepAt = sweepAtLeast

    mutating func add(_ watch: KeyspaceWatch, _ permit: AuthPermit) {
        if held.count >= sweepAt {
            held.removeAll { $0.watch == nil }
            sweepAt = max(Self.sweepAtLeast, 2 * held.count)
        }
        held.append(Held(watch: watch, user: permit.user))
    }

    /// Takes out those that may not see their range any more, each with the reason.
    mutating func takeRefused(
        under auth: AuthSnapshot
    ) -> [(watch: KeyspaceWatch, error: StoreError)] {
        var refused: [(watch: KeyspaceWatch, error: StoreError)] = []
        held.removeAll { held in
            guard let watch = held.watch else { return true }
            let permit = auth.permit(held.user)
            guard let error = permit.refusal(reading: watch.request.range) else { return false }
            refused.append((watch, error))
            return true
        }
        return refused
    }
}

extension WatchHub {
    /// Ends the watchers that have lost the right to their range; none of them gets anything more.
    func take(_ auth: AuthSnapshot) {
        for answer in inner.withLock({ $0.take(auth) }) { answer.done(answer.result) }
    }
}

extension WatchHub.Inner {
    /// Ends the watchers that have lost the right to their range.
    fileprivate mutating func take(_ auth: AuthSnapshot) -> [WatchHub.Answer] {
        self.auth = auth
        var answers: [WatchHub.Answer] = []
        for (watch, error) in permitted.takeRefused(under: auth) {
            if watch.progress.value.ended == nil { watch.progress.value.ended = error }
            if watch.progress.value.isWaiting { stopWaiting(watch) }
            leaveHistory(watch)
            if let answer = answer(watch, .failure(error)) { answers.append(answer) }
        }
        return answers
    }
}
