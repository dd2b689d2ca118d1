import Keyspace

/// A keyspace's watcher as a `WatchStream`.
final class LocalWatch: WatchStream {
    private let watch: KeyspaceWatch

    init(_ watch: KeyspaceWatch) {
        self.watch = watch
    }

    func next(
        bytesMax: Int, _ done: @escaping @Sendable (Result<WatchBatch, StoreError>) -> Void
    ) {
        watch.next(bytesMax: bytesMax, done)
    }

    func requestProgress() {
        watch.requestProgress()
    }

    func cancel() {
        watch.cancel()
    }
}

/// A watcher of a store that has no state to show.
final class ClosedWatch: WatchStream {
    private let error: StoreError

    init(_ error: StoreError) {
        self.error = error
    }

    func next(
        bytesMax: Int, _ done: @escaping @Sendable (Result<WatchBatch, StoreError>) -> Void
    ) {
        done(.failure(error))
    }

    func requestProgress() {}
    func cancel() {}
}
