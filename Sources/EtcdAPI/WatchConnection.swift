import Basics
import EtcdMessages
import HTTP
import Keyspace
import NIOCore
import Store

/// The watchers of one gRPC stream.
///
/// Each watcher is pulled: it is asked for its next events when the client has taken the ones
/// before, so a slow client holds positions in history and no events.
final class WatchConnection: GRPCMessageReceiver, @unchecked Sendable {
    // Sendable because all state belongs to the stream's event loop.
    private final class Watcher: @unchecked Sendable {
        let id: Int64
        let request: WatchCreateRequest
        /// The store as it is open to who made the watcher.
        let store: any Store
        /// Nil until the store has said where "now" is.
        var watch: (any WatchStream)?
        var isPulling = false
        var isBlocked = false
        /// Events since the last time that progress was told unasked.
        var hasSpoken = true
        var progressDue = false
        private let memory: BudgetShare?

        init(
            id: Int64, request: WatchCreateRequest, store: any Store, budget: MemoryBudget?
        ) {
            self.id = id
            self.store = store
            self.request = request
            memory = budget.map {
                BudgetShare(WatchConnection.watcherBytes + request.watch.range.bytes, of: $0)
            }
        }
    }

    /// Progress asked for the whole stream: what each watcher has still to say.
    private struct Progress {
        var waitingFor: [Int64]
        var revision: Int64
    }

    /// What the pulls of all watchers of a stream may bring together before the client has taken
    /// it. Small, because a thousand clients may stall; it costs a fast client a hop now and then.
    private static let batchBytesMax = 32 * 1024
    private static let batchBytesMin = 2 * 1024
    /// Requests while the client has not taken what was sent before.
    private static let unreadAnswersMax = 50_000
    /// About what a watcher takes beside its range.
    private static let watcherBytes = 1024

    private let access: AccessControl
    private let context: GRPCContext
    private let headers: HeaderSource
    private let stream: GRPCServerStream
    private let progressInterval: TimeAmount
    private var watchers: [Int64: Watcher] = [:]
    private var nextID: Int64 = 0
    private var progress: Progress?
    /// Watchers that go on when the client has taken what is buffered.
    private var blocked: [Watcher] = []
    private var unreadAnswers = 0
    private var isOver = false
    private var timer: RepeatedTask?

    init(
        access: AccessControl, context: GRPCContext, headers: HeaderSource,
        stream: GRPCServerStream, progressInterval: TimeAmount
    ) {
        self.progressInterval = progressInterval
        self.access = access
        self.context = context
        self.headers = headers
        self.stream = stream
    }

    func receive(_ message: Bytes) {
        guard !isOver else { return }
        // Each has an answer, which a client that takes none would pile up.
        unreadAnswers = stream.isDrained ? 0 : unreadAnswers + 1
        guard unreadAnswers <= Self.unreadAnswersMax else { return end(.tooManyRequests) }
        do throws(DecodingFailure) {
            switch try WatchStreamRequest(protobuf: message) {
            case .create(let request): create(request)
            case .cancel(let watchID): cancel(watchID)
            case .progress: askForProgress()
            // As with etcd, no reason to end the stream.
            case .other: break
            }
        } catch {
            end(GRPCStatus(error))
        }
    }

    /// Events go on, as with etcd: a client that has said all it wants may end its half.
    func receiveEnd() {}

    func cancelled() { stop() }

    private func end(_ status: GRPCStatus) {
        guard !isOver else { return }
        stop()
        stream.finish(status)
    }

    private func stop() {
        isOver = true
        timer?.cancel()
        for id in watchers.keys.sorted() { watchers[id]?.watch?.cancel() }
        watchers = [:]
        blocked = []
    }

    // MARK: Creating and cancelling

    private func create(_ request: WatchCreateRequest) {
        guard request.watch.startRevision >= 0 else {
            return refuse(StoreError.compacted(at: 0).message)
        }
        let store: any Store
        do throws(StoreError) { store = try open(request.watch.range) } catch {
            // As etcd, with the words of Go's client for an error.
            let status = GRPCStatus(error)
            return refuse("rpc error: code = \(status.code.goName) desc = \(status.message)")
        }
        guard !(stream.budget?.isExhausted ?? false) else {
            return refuse(GRPCStatus.tooManyRequests.message)
        }
        guard !request.watch.range.isEmpty else { return refuse("mvcc: watcher range is empty") }
        guard watchers[request.watchID] == nil || request.watchID == 0 else {
            return refuse("mvcc: duplicate watch ID provided on the WatchStream")
        }
        var id = request.watchID
        if id == 0 {
            while watchers[nextID] != nil { nextID += 1 }
            id = nextID
            nextID += 1
        }
        let watcher = Watcher(id: id, request: request, store: store, budget: stream.budget)
        watchers[id] = watcher
        if request.wantsProgress { startTimer() }
        // The answer says where "now" is: the client resumes from there if it is cut off.
        access.whole.status { result in
            self.stream.eventLoop.execute { self.created(watcher, result) }
        }
    }

    /// The store as it is open to who calls, who has to have the right to the range.
    private func open(_ range: KeyRange) throws(StoreError) -> any Store {
        guard let auth = access.auth, let permit = try access.permit(context) else {
            return access.whole
        }
        if let error = permit.refusal(reading: range) { throw error }
        return auth.store(for: permit)
    }

    /// As with etcd, no watcher has the id.
    private func refuse(_ reason: String) {
        var response = WatchStreamResponse(header: headers.header(), watchID: -1)
        response.created = true
        response.canceled = true
        response.cancelReason = reason
        stream.send(response.protobufBytes)
    }

    private func created(_ watcher: Watcher, _ result: Result<StoreStatus, StoreError>) {
        guard !isOver, watchers[watcher.id] === watcher else { return }
        let status: StoreStatus
        switch result {
        case .success(let known): status = known
        case .failure(let error): return end(GRPCStatus(error))
        }
        var watch = watcher.request.watch
        if watch.startRevision == 0 { watch.startRevision = status.revision + 1 }
        var response = WatchStreamResponse(
            header: HeaderSource.header(status), watchID: watcher.id)
        response.created = true
        stream.send(response.protobufBytes)
        watcher.watch = watcher.store.watch(watch)
        let isAwaited = progress?.waitingFor.contains(watcher.id) ?? false
        if watcher.progressDue || isAwaited { watcher.watch?.requestProgress() }
        pull(watcher)
    }

    private func cancel(_ watchID: Int64) {
        guard let watcher = watchers.removeValue(forKey: watchID) else { return }
        watcher.watch?.cancel()
        var response = WatchStreamResponse(header: headers.header(), watchID: watchID)
        response.canceled = true
        stream.send(response.protobufBytes)
        progressed(watcher, nil)
    }

    // MARK: Events

    private func pull(_ watcher: Watcher) {
        guard !watcher.isPulling, !isOver, let watch = watcher.watch else { return }
        guard stream.isDrained else { return block(watcher) }
        watcher.isPulling = true
        let bytesMax = max(Self.batchBytesMin, Self.batchBytesMax / max(1, watchers.count))
        watch.next(bytesMax: bytesMax) { result in
            self.stream.eventLoop.execute { self.deliver(watcher, result) }
        }
    }

    /// Waits until the client has taken what is buffered.
    private func block(_ watcher: Watcher) {
        guard !watcher.isBlocked else { return }
        watcher.isBlocked = true
        blocked.append(watcher)
        guard blocked.count == 1 else { return }
        stream.whenWritable {
            let waiting = self.blocked
            self.blocked = []
            for watcher in waiting {
                watcher.isBlocked = false
                if self.watchers[watcher.id] === watcher { self.pull(watcher) }
            }
        }
    }

    private func deliver(_ watcher: Watcher, _ result: Result<WatchBatch, StoreError>) {
        watcher.isPulling = false
        guard !isOver, watchers[watcher.id] === watcher else { return }
        switch result {
        case .success(let batch):
            if !batch.events.isEmpty {
                watcher.hasSpoken = true
                send(batch, watcher)
            } else if watcher.progressDue {
                watcher.progressDue = false
                let header = headers.header(revision: batch.revision)
                stream.send(
                    WatchStreamResponse(header: header, watchID: watcher.id).protobufBytes)
            }
            progressed(watcher, batch.revision)
            pull(watcher)
        case .failure(let error):
            watchers[watcher.id] = nil
            var response = WatchStreamResponse(header: headers.header(), watchID: watcher.id)
            response.canceled = true
            if error.code == .compacted {
                response.compactRevision = error.compactRevision
            } else {
                response.cancelReason = error.message
            }
            stream.send(response.protobufBytes)
            progressed(watcher, nil)
        }
    }

    private func send(_ batch: WatchBatch, _ watcher: Watcher) {
        let header = headers.header(revision: batch.revision)
        var rest = batch.events[...]
        while !rest.isEmpty {
            var response = WatchStreamResponse(header: header, watchID: watcher.id)
            let count = watcher.request.allowsFragments ? fragment(rest) : rest.count
            response.events = Array(rest.prefix(count))
            rest = rest.dropFirst(count)
            response.isFragment = !rest.isEmpty
            stream.send(response.protobufBytes)
        }
    }

    /// How many of these events fit into one message of etcd's request limit.
    private func fragment(_ events: ArraySlice<Event>) -> Int {
        var bytes = 0
        for (count, event) in events.enumerated() {
            bytes += event.keyValue.key.count + event.keyValue.value.count + 64
            bytes += event.previous.map { $0.key.count + $0.value.count + 64 } ?? 0
            if bytes > Limits.requestBytesMax, count > 0 { return count }
        }
        return events.count
    }

    // MARK: Progress

    /// The answer comes when every watcher has told how far it is complete.
    private func askForProgress() {
        // An earlier question that is still open answers this one too.
        guard progress == nil else { return }
        let ids = watchers.keys.sorted()
        guard !ids.isEmpty else {
            access.whole.status { result in
                guard let status = try? result.get() else { return }
                self.stream.eventLoop.execute {
                    self.sendProgress(HeaderSource.header(status))
                }
            }
            return
        }
        progress = Progress(waitingFor: ids, revision: .max)
        for id in ids { watchers[id]?.watch?.requestProgress() }
    }

    private func progressed(_ watcher: Watcher, _ revision: Int64?) {
        guard var open = progress, open.waitingFor.contains(watcher.id) else { return }
        open.waitingFor.removeAll { $0 == watcher.id }
        if let revision { open.revision = min(open.revision, revision) }
        progress = open
        guard open.waitingFor.isEmpty else { return }
        progress = nil
        if open.revision != .max { sendProgress(headers.header(revision: open.revision)) }
    }

    private func sendProgress(_ header: ResponseHeader) {
        guard !isOver else { return }
        stream.send(WatchStreamResponse(header: header, watchID: -1).protobufBytes)
    }

    /// Tells quiet watchers that asked for it how far they are, now and then.
    private func startTimer() {
        guard timer == nil else { return }
        timer = stream.eventLoop.scheduleRepeatedTask(
            initialDelay: progressInterval, delay: progressInterval
        ) { _ in
            for id in self.watchers.keys.sorted() {
                guard let watcher = self.watchers[id], watcher.request.wantsProgress else {
                    continue
                }
                if !watcher.hasSpoken {
                    watcher.progressDue = true
                    watcher.watch?.requestProgress()
                }
                watcher.hasSpoken = false
            }
        }
    }
}
