import Keyspace

/// A watch on pods that shows those of one node.
///
/// A batch of which nothing is left is passed on empty: it still says how far the watch is.
final class GatedPodWatch: WatchStream {
    private let watch: any WatchStream
    private let request: WatchRequest
    private let node: String
    private let inspector: any GateInspector

    init(_ store: any Store, _ request: WatchRequest, node: String, inspector: any GateInspector) {
        // Whose pod it was that was deleted, only its last state tells.
        var whole = request
        whole.wantsPrevious = true
        watch = store.watch(whole)
        self.request = request
        self.node = node
        self.inspector = inspector
    }

    func next(
        bytesMax: Int, _ done: @escaping @Sendable (Result<WatchBatch, StoreError>) -> Void
    ) {
        watch.next(bytesMax: bytesMax) { result in
            done(result.map(self.filter))
        }
    }

    private func filter(_ batch: WatchBatch) -> WatchBatch {
        var batch = batch
        batch.events = batch.events.compactMap { event in
            guard isOwn(event) else { return nil }
            var event = event
            if !request.wantsPrevious { event.previous = nil }
            return event
        }
        return batch
    }

    private func isOwn(_ event: Event) -> Bool {
        switch event.kind {
        case .put:
            return inspector.boundPod(event.keyValue, node: node) != nil
        case .delete:
            // A last state that is compacted away leaves only a name, which the agent must learn.
            guard let previous = event.previous else { return true }
            return inspector.boundPod(previous, node: node) != nil
        }
    }

    func requestProgress() { watch.requestProgress() }
    func cancel() { watch.cancel() }
}

/// A watch on what is not to be seen.
final class RefusedWatch: WatchStream {
    func next(
        bytesMax: Int, _ done: @escaping @Sendable (Result<WatchBatch, StoreError>) -> Void
    ) {
        done(.failure(.permissionDenied))
    }

    func requestProgress() {}
    func cancel() {}
}
