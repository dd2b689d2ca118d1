/// A watcher that is pulled: it holds a position, not events. `Store.WatchStream` says more.
package final class KeyspaceWatch: Sendable {
    package func next(
        bytesMax: Int, _ done: @escaping @Sendable (Result<WatchBatch, StoreError>) -> Void
    ) { fatalError() }
    package func requestProgress() { fatalError() }
    package func cancel() { fatalError() }
}
