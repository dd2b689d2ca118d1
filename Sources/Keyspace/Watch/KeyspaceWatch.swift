import Basics

/// A watcher that is pulled: it holds a position, not events. `Store.WatchStream` says more.
package final class KeyspaceWatch: Sendable {
    package typealias Answer = @Sendable (Result<WatchBatch, StoreError>) -> Void

    struct Pending {
        var bytesMax: Int
        var done: Answer
    }

    /// Guarded by the hub's lock.
    struct Progress {
        /// The first revision that is not delivered yet.
        var position: Int64
        /// The revision of the last answer.
        var answered: Int64 = 0
        var pending: Pending?
        /// Its place in a `WaitingList`, which keeps this.
        var slot: Int?
        /// In the hub's lists of waiting watchers: complete up to the newest revision.
        var isWaiting: Bool { slot != nil }
        /// In the hub's list of watchers that have to read history.
        var isBehind = false
        var wantsProgress = false
        var ended: StoreError?
    }

    let request: WatchRequest
    let hub: WatchHub
    let progress: HubGuarded<Progress>
    /// Lives as long as this.
    private let place: WatchPlace?

    init(
        _ request: WatchRequest, _ hub: WatchHub, _ progress: HubGuarded<Progress>,
        _ place: WatchPlace?
    ) {
        self.request = request
        self.hub = hub
        self.progress = progress
        self.place = place
    }

    deinit {
        hub.left(wantsPrevious: request.wantsPrevious)
    }

    /// Answers with the next events, waiting for the first one; one call at a time. Events of a
    /// commit come together, whatever `bytesMax` is.
    package func next(bytesMax: Int, _ done: @escaping Answer) {
        hub.next(self, Pending(bytesMax: bytesMax, done: done))
    }

    /// Makes the pending or a later `next` answer without events, once the watcher is complete.
    package func requestProgress() {
        hub.requestProgress(self)
    }

    /// Ends the watcher; a pending `next` answers `cancelled`.
    package func cancel() {
        hub.end(self, .cancelled)
    }

    func wants(_ event: Event) -> Bool {
        wants(event.kind, event.keyValue.key)
    }

    func wants(_ kind: Event.Kind, _ key: Bytes) -> Bool {
        switch kind {
        case .put where request.excludesPuts: false
        case .delete where request.excludesDeletes: false
        default: request.range.contains(key)
        }
    }
}

extension WatchRequest {
    /// Whether both want the same events, from wherever on.
    func isAlike(_ other: WatchRequest) -> Bool {
        range == other.range && wantsPrevious == other.wantsPrevious
            && excludesPuts == other.excludesPuts && excludesDeletes == other.excludesDeletes
    }
}

/// State of a watcher that only the hub touches, under its lock.
final class HubGuarded<Value>: @unchecked Sendable {
    var value: Value
    init(_ value: Value) { self.value = value }
}
