import Basics
import Keyspace
import Store

/// One holder of a plugin among all processes: a key on a lease, which its commits are fenced by.
struct Leadership: Sendable {
    /// A term of leadership; it is over when the key has another create revision.
    struct Term: Sendable, Hashable {
        var createRevision: Int64
        var lease: Int64
    }

    let store: any Store
    let key: Bytes
    /// Told apart from every other process and from an earlier run of this one.
    let identity: Bytes
    let ttlSeconds: Int64

    init(store: any Store, plugin: String, identity: String, ttlSeconds: Int64) {
        self.store = store
        key = Bytes("/martlet/leaders/\(plugin)".utf8)
        self.identity = Bytes(identity.utf8)
        self.ttlSeconds = ttlSeconds
    }

    func fence(_ term: Term) -> CommitRequest.Guard {
        .createRevision(key: key, equals: term.createRevision)
    }

    /// Waits until nobody else leads, then leads; throws when cancelled or without a store.
    func acquire() async throws -> Term {
        while true {
            try Task.checkCancellation()
            let response = try await store.range(RangeRequest(.key(key)))
            guard let current = response.keyValues.first else {
                if let term = try await claim() { return term }
                continue
            }
            // Our own claim, when its answer was lost or the host starts over.
            if current.value == identity {
                return Term(createRevision: current.createRevision, lease: current.lease)
            }
            try await waitForDeletion(after: response.revision)
        }
    }

    private func claim() async throws -> Term? {
        let lease = try await store.leaseGrant(id: 0, ttlSeconds: ttlSeconds)
        let claim = CommitRequest(
            guards: [.modRevision(key: key, equals: 0)],
            mutations: [.put(key: key, value: identity, lease: lease.id)])
        switch try await store.commit(claim) {
        case .committed(let first, _): return Term(createRevision: first, lease: lease.id)
        case .guardFailed:
            _ = try? await store.leaseRevoke(id: lease.id)
            return nil
        }
    }

    private func waitForDeletion(after revision: Int64) async throws {
        let watch = store.watch(
            WatchRequest(.key(key), startRevision: revision + 1, excludesPuts: true))
        defer { watch.cancel() }
        try await withTaskCancellationHandler {
            while true {
                let batch = try await watch.next()
                if batch.events.contains(where: { $0.kind == .delete }) { return }
            }
        } onCancel: {
            watch.cancel()
        }
    }

    /// Keeps the lease alive; returns when the term is over or the task is cancelled.
    ///
    /// While the store does not answer the term may be over without our knowing; the fence in
    /// each commit is what keeps a deposed leader from writing.
    func keepAlive(_ term: Term) async {
        let period = Duration.milliseconds(ttlSeconds * 1000 / 3)
        let retry = Duration.milliseconds(200)
        var pause = period
        while true {
            do { try await Task.sleep(for: pause) } catch { return }
            do throws(StoreError) {
                _ = try await store.leaseKeepAlive(id: term.lease)
                pause = period
            } catch {
                if error.code == .notFound { return }
                pause = retry
            }
        }
    }

    /// Lets another process lead at once.
    func release(_ term: Term) async {
        _ = try? await store.leaseRevoke(id: term.lease)
    }
}
