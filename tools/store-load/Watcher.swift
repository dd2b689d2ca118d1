import Basics
import Keyspace
import Store

/// Watches everything through one replica and goes on where it was whenever the stream breaks.
final class Watcher: Sendable {
    private let store: RemoteStore
    private let state = Locked(State())

    private struct State {
        var events: [Event] = []
        var next: Int64 = 2
        var stream: (any WatchStream)?
        var failure: String?
    }

    init(_ store: RemoteStore) {
        self.store = store
    }

    var events: [Event] { state.withLock { $0.events } }
    var failure: String? { state.withLock { $0.failure } }

    func stop() { state.withLock { $0.stream }?.cancel() }

    func run(until isOver: Locked<Bool>) async {
        while !isOver.withLock({ $0 }) {
            let start = state.withLock { $0.next }
            var request = WatchRequest(KeyRange.all, startRevision: start)
            request.wantsPrevious = true
            let stream = store.watch(request)
            state.withLock { $0.stream = stream }
            do throws(StoreError) {
                while !isOver.withLock({ $0 }) { take(try await stream.next()) }
            } catch {
                if error.code == .compacted { state.withLock { $0.failure = "\(error)" } }
                try? await Task.sleep(for: .milliseconds(50))
            }
            stream.cancel()
        }
    }

    /// Everything up to `revision`, for the end, when nothing is tormented any more.
    func readOn(to revision: Int64) async throws(StoreError) {
        var request = WatchRequest(
            KeyRange.all, startRevision: state.withLock { $0.next })
        request.wantsPrevious = true
        guard state.withLock({ $0.next <= revision }) else { return }
        let stream = store.watch(request)
        defer { stream.cancel() }
        while state.withLock({ $0.next <= revision }) { take(try await stream.next()) }
    }

    private func take(_ batch: WatchBatch) {
        state.withLock { state in
            state.events += batch.events
            if let last = batch.events.last { state.next = last.keyValue.modRevision + 1 }
        }
    }
}
