import Basics

/// Where a watcher stands, for who must not keep it alive. The watcher has the only strong
/// reference.
///
/// An object of its own: once there has been a weak reference to an object, every strong one is
/// dear, and watchers are handed about with every commit.
final class WatchPlace: Sendable {
    let range: KeyRange
    let progress: HubGuarded<KeyspaceWatch.Progress>

    init(_ range: KeyRange, _ progress: HubGuarded<KeyspaceWatch.Progress>) {
        self.range = range
        self.progress = progress
    }
}

/// Watchers on behalf of somebody, who may lose the right to them. Does not keep them alive.
struct PermittedWatches {
    private struct Held {
        weak var place: WatchPlace?
        let user: Bytes
    }

    private static let sweepAtLeast = 64
    private var held: [Held] = []
    /// Those that are gone are swept out when there are so many.
    private var sweepAt = sweepAtLeast

    mutating func add(_ place: WatchPlace, _ permit: AuthPermit) {
        if held.count >= sweepAt {
            held.removeAll { $0.place == nil }
            sweepAt = max(Self.sweepAtLeast, 2 * held.count)
        }
        held.append(Held(place: place, user: permit.user))
    }

    /// Takes out those that may not see their range any more, each with the reason.
    mutating func takeRefused(
        under auth: AuthSnapshot
    ) -> [(place: WatchPlace, error: StoreError)] {
        var refused: [(place: WatchPlace, error: StoreError)] = []
        held.removeAll { held in
            guard let place = held.place else { return true }
            let permit = auth.permit(held.user)
            guard let error = permit.refusal(reading: place.range) else { return false }
            refused.append((place, error))
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
        for (place, error) in permitted.takeRefused(under: auth) {
            if let answer = end(place.range, place.progress, error) { answers.append(answer) }
        }
        return answers
    }
}
