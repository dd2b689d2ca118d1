import Basics
import Keyspace
import Store
import StoreJudgement

/// Watches everything through one replica and goes on where it was whenever the stream breaks.
final class Watcher: Sendable {
    private let store: RemoteStore
    private let journal: Journal
    private let state = Locked(State())

    private struct State {
        var sightings: [WatchSighting] = []
        var next: Int64 = 2
        var stream: (any WatchStream)?
        var failure: String?
    }

    init(_ store: RemoteStore, _ journal: Journal) {
        self.store = store
        self.journal = journal
    }

    var sightings: [WatchSighting] { state.withLock { $0.sightings } }
    var failure: String? { state.withLock { $0.failure } }
    /// The first revision that may still come. Compacting up to it takes nothing away.
    var next: Int64 { state.withLock { $0.next } }

    func stop() { state.withLock { $0.stream }?.cancel() }

    func run(until isOver: Locked<Bool>) async {
        while !isOver.withLock({ $0 }) {
            let stream = open()
            state.withLock { $0.stream = stream }
            var isFirst = true
            do throws(StoreError) {
                while !isOver.withLock({ $0 }) {
                    take(try await stream.next(), isFirst: isFirst)
                    isFirst = false
                }
            } catch {
                note(error)
                try? await Task.sleep(for: .milliseconds(50))
            }
            stream.cancel()
        }
    }

    /// Everything up to `revision`, for the end, when nothing is tormented any more.
    func readOn(to revision: Int64) async throws(StoreError) {
        guard next <= revision else { return }
        let stream = open()
        defer { stream.cancel() }
        var isFirst = true
        do throws(StoreError) {
            while next <= revision {
                take(try await stream.next(), isFirst: isFirst)
                isFirst = false
            }
        } catch {
            note(error)
            throw error
        }
    }

    private func open() -> any WatchStream {
        store.watch(WatchRequest(.all, startRevision: next, wantsPrevious: true))
    }

    /// No compaction goes beyond what every watcher has.
    private func note(_ error: StoreError) {
        if error.code == .compacted { state.withLock { $0.failure = "\(error)" } }
    }

    private func take(_ batch: WatchBatch, isFirst: Bool) {
        let sighting = journal.sighting(batch, isFirst: isFirst)
        state.withLock { state in
            state.sightings.append(sighting)
            state.next = max(state.next, batch.revision + 1)
        }
    }
}
