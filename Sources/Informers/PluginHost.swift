import Basics
import Keyspace
package import Objects
package import Store

/// The shell round the reconcilers of one plugin: leads, keeps the view, commits their plans.
///
/// One task does everything in turn. While another process leads, the host holds no view and
/// waits on the leadership key alone. Idle, it wakes for watch events, due timers and the
/// keep-alive of its lease only.
package final class PluginHost {
    package struct Configuration: Sendable {
        /// Names the leadership key and the log lines.
        package var plugin: String
        /// Kinds of the view.
        package var kinds: [ResourceKind]
        /// Kinds of which the view holds the names only.
        package var namesOnly: [ResourceKind] = []
        package var leaseSeconds: Int64 = 3
        package var eventTTLSeconds: Int64 = 3600
        /// Plans in one commit.
        package var batchPlansMax = 256
        /// Bytes of values in one commit, about.
        package var batchBytesMax = 1 << 20
        package var log: @Sendable (String) -> Void = { _ in }

        package init(plugin: String, kinds: [ResourceKind]) {
            self.plugin = plugin
            self.kinds = kinds
        }
    }

    struct LeadershipLost: Error {}

    let store: any Store
    let configuration: Configuration
    let leadership: Leadership
    private let makeReconcilers: @Sendable () -> [any Reconciler]
    var reconcilers: [any Reconciler] = []
    var view: ClusterView
    var queue = WorkQueue<WorkKey>()
    var recorder = EventRecorder()
    var random: SeededRandom
    /// The lease that new events hang on, and until when it is used.
    var eventLease: (id: Int64, until: MonotonicTime)?
    /// Plans to commit one by one, after a commit of several was refused as a whole.
    var soloPlans = 0
    private var watch: (any WatchStream)?

    package init(
        store: any Store, configuration: Configuration, seed: UInt64,
        reconcilers: @escaping @Sendable () -> [any Reconciler]
    ) {
        self.store = store
        self.configuration = configuration
        makeReconcilers = reconcilers
        random = SeededRandom(seed: seed)
        view = ClusterView(kinds: configuration.kinds, namesOnly: configuration.namesOnly)
        leadership = Leadership(
            store: store, plugin: configuration.plugin,
            identity: configuration.plugin + "-" + Names.uid(using: &random),
            ttlSeconds: configuration.leaseSeconds)
    }

    /// Runs until the task is cancelled; store failures are survived with growing pauses.
    package func run() async {
        var failures = 0
        while !Task.isCancelled {
            do {
                let term = try await leadership.acquire()
                log("leads")
                let started = MonotonicTime.now()
                defer { if started.advanced(milliseconds: 30_000) < .now() { failures = 0 } }
                try await lead(term)
            } catch is CancellationError {
                break
            } catch is LeadershipLost {
                log("another process leads")
            } catch {
                log("starts over: \(error)")
            }
            failures = min(failures + 1, 8)
            try? await Task.sleep(for: .milliseconds(10 << failures))
        }
    }

    private func lead(_ term: Leadership.Term) async throws {
        let mailbox = Mailbox()
        let leadership = leadership
        do {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    await leadership.keepAlive(term)
                    mailbox.postLost()
                }
                defer { group.cancelAll() }
                try await work(term, mailbox)
            }
        } catch {
            // Whatever broke first: who stops lets another lead at once.
            guard Task.isCancelled else { throw error }
            await leadership.release(term)
            throw CancellationError()
        }
    }

    private func work(_ term: Leadership.Term, _ mailbox: Mailbox) async throws {
        reconcilers = makeReconcilers()
        defer { forget() }
        try await list(mailbox)
        while true {
            try Task.checkCancellation()
            while let message = mailbox.poll() { try await handle(message, mailbox) }
            queue.advance(to: .now())
            if queue.isEmpty {
                let message = await mailbox.take(until: queue.nextTime())
                if let message { try await handle(message, mailbox) }
            } else {
                let revision = try await commitReady(term)
                try await advance(to: revision, mailbox)
            }
        }
    }

    // MARK: View

    /// Fills the view at one revision and watches from there on.
    private func list(_ mailbox: Mailbox) async throws {
        stopWatching()
        var revision: Int64 = 0
        var listed: [Object] = []
        for kind in configuration.kinds {
            var range = kind.prefix()
            while true {
                var request = RangeRequest(range, limit: 500, revision: revision)
                request.keysOnly = configuration.namesOnly.contains(kind)
                let response = try await store.range(request)
                if revision == 0 { revision = response.revision }
                listed += response.keyValues.compactMap { view.decode($0) }
                guard response.more, let last = response.keyValues.last else { break }
                range.start = last.key + [0]
            }
        }
        observe(view.reset(to: listed, revision: revision))
        for index in reconcilers.indices {
            for key in reconcilers[index].startKeys {
                queue.add(WorkKey(reconciler: index, reference: key))
            }
        }
        let stream = store.watch(
            WatchRequest(.prefix(Bytes("/registry/".utf8)), startRevision: revision + 1))
        watch = stream
        stream.next(bytesMax: 1 << 20) { mailbox.post($0) }
    }

    private func handle(_ message: Mailbox.Message, _ mailbox: Mailbox) async throws {
        switch message {
        case .lost: throw LeadershipLost()
        case .batch(.success(let batch)):
            observe(view.apply(batch))
            watch?.next(bytesMax: 1 << 20) { mailbox.post($0) }
        case .batch(.failure(let error)):
            guard error.code == .compacted else { throw error }
            try await list(mailbox)
        }
    }

    private func observe(_ changes: [Change]) {
        let now = WallTime.now()
        for change in changes {
            for index in reconcilers.indices {
                var dirty = DirtyKeys()
                reconcilers[index].observe(change, in: view, now: now, dirty: &dirty)
                for key in dirty.keys { queue.add(WorkKey(reconciler: index, reference: key)) }
            }
        }
    }

    /// Waits until the view shows everything up to `revision`.
    private func advance(to revision: Int64, _ mailbox: Mailbox) async throws {
        var pause: UInt64 = 20
        while view.revision < revision {
            try Task.checkCancellation()
            let until = MonotonicTime.now().advanced(milliseconds: pause)
            if let message = await mailbox.take(until: until) {
                try await handle(message, mailbox)
            } else if MonotonicTime.now() >= until {
                // The revision may be of a key outside of the watch.
                watch?.requestProgress()
                pause = min(pause * 2, 1000)
            }
        }
    }

    private func stopWatching() {
        watch?.cancel()
        watch = nil
    }

    /// What the reconcilers remember belongs to the view, so both go together.
    private func forget() {
        stopWatching()
        view = ClusterView(kinds: configuration.kinds, namesOnly: configuration.namesOnly)
        queue.removeAll()
        reconcilers = []
        soloPlans = 0
    }

    func log(_ text: String) {
        configuration.log("\(configuration.plugin): \(text)")
    }
}
