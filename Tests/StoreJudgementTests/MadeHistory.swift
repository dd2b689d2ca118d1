import Basics
import Keyspace
import Simulator
import StoreJudgement
import Testing

func bytes(_ text: String) -> Bytes { Array(text.utf8) }

func put(_ key: String, _ value: String, lease: Int64 = 0) -> Operation {
    .put(PutRequest(key: bytes(key), value: bytes(value), lease: lease))
}

/// A history made by hand: what a right store answers to one client after another, with one
/// watcher. Tests change one thing in it.
struct MadeHistory {
    private(set) var model = ModelKeyspace()
    var operations: [LoadOperation] = []
    var sightings: [WatchSighting] = []
    /// Seconds since the start.
    var now: UInt64 = 0
    private var position = 0
    private var marks = 0
    private var compactRevision: Int64 = 0

    mutating func moment() -> LoadOperation.Moment {
        position += 1
        return LoadOperation.Moment(position: position, microseconds: now * 1_000_000)
    }

    /// A call whose answer comes at once.
    mutating func add(_ call: LoadOperation.Call, _ answer: LoadOperation.Answer) {
        let called = moment()
        operations.append(
            LoadOperation("\(call)", call, answer, called: called, returned: moment()))
    }

    mutating func write(_ operations: Operation..., compares: [Compare] = []) {
        marks += 1
        let mark = put("mark/0", "\(marks)")
        let request = TransactionRequest(
            compares: compares, success: operations + [mark], failure: [mark])
        let result = model.apply(.transaction(request))
        add(
            .write(request, mark: bytes("\(marks)")),
            .digest(ResultDigest.of(result), revision: model.revision))
        see()
    }

    mutating func read(_ range: KeyRange = .all) {
        let response = model.range(RangeRequest(range))
        add(
            .read(RangeRequest(range)),
            .digest(ResultDigest.of(response), revision: model.revision))
    }

    /// A read at an older revision, at which there was `items`.
    mutating func read(_ items: [KeyValue], at revision: Int64) {
        let response = RangeResponse(
            revision: model.revision, keyValues: items, more: false, count: Int64(items.count))
        add(
            .read(RangeRequest(.all, revision: revision)),
            .digest(ResultDigest.of(response), revision: model.revision))
    }

    mutating func compact(_ revision: Int64) {
        _ = model.apply(.compact(revision))
        compactRevision = max(compactRevision, revision)
        add(.compact(revision), .revision(model.revision))
    }

    mutating func grant(_ id: Int64, seconds: Int64) {
        _ = model.apply(.leaseGrant(id: id, ttlSeconds: seconds))
        add(.grant(id, seconds: seconds), .lease(status(id, seconds)))
    }

    mutating func keepAlive(_ id: Int64, seconds: Int64) {
        add(.keepAlive(id), .lease(status(id, seconds)))
    }

    /// By itself.
    mutating func end(_ id: Int64) {
        _ = model.apply(.leaseRevoke(id: id))
        if !model.events.isEmpty { see() }
    }

    mutating func revoke(_ id: Int64) {
        _ = model.apply(.leaseRevoke(id: id))
        let isSeen = !model.events.isEmpty
        add(.revoke(id), .revision(model.revision))
        if isSeen { see() }
    }

    func status(_ id: Int64, _ seconds: Int64, remaining: Int64? = nil) -> LeaseStatus {
        LeaseStatus(
            id: id, grantedTTLSeconds: seconds, remainingTTLSeconds: remaining ?? seconds)
    }

    /// The watcher gets what the last command changed.
    private mutating func see() {
        let batch = WatchBatch(events: model.events, revision: model.revision)
        sightings.append(
            WatchSighting(
                batch, microseconds: now * 1_000_000, compactRevision: compactRevision,
                isFirst: sightings.isEmpty))
    }

    var history: StoreHistory { StoreHistory(operations: operations, watchers: [sightings]) }

    @discardableResult
    func check(final: [KeyValue]? = nil) throws(Violation) -> HistoryJudgement.Counts {
        try check(history, final: final)
    }

    private func check(
        _ history: StoreHistory, final: [KeyValue]?
    ) throws(Violation) -> HistoryJudgement.Counts {
        try HistoryJudgement(history).check(final: final ?? model.items)
    }

    /// That the history, or one made of it, is found to be wrong, and for which reason.
    func expectViolation(
        _ reason: String, of other: StoreHistory? = nil, final: [KeyValue]? = nil,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        do throws(Violation) {
            _ = try check(other ?? history, final: final)
            Issue.record("nothing was found", sourceLocation: sourceLocation)
        } catch {
            #expect(error.message.contains(reason), sourceLocation: sourceLocation)
        }
    }
}
