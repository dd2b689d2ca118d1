import Basics
import Keyspace
import Simulator

/// The simulator's dumb keyspace, led through all that took effect in the order of revisions.
///
/// Every write leaves a mark, so the store's own events say at which revision it took effect, or
/// that it never did. What has no mark can only be the end of a lease. The revisions so are the
/// order of everything, and no search for one is needed.
struct Replay {
    struct Placed {
        var revision: Int64
        var operation: LoadOperation
    }

    private(set) var model = ModelKeyspace()
    /// The events that there were, as watchers must see them.
    private(set) var groups: [CommittedLog.Group] = []
    private(set) var placed: [Placed] = []
    /// Ends that deleted keys.
    private(set) var leaseEnds: [(id: Int64, revision: Int64)] = []
    /// Writes that hung a key on a lease.
    private(set) var leaseUses: [(id: Int64, operation: LoadOperation)] = []
    private var writes: [Bytes: LoadOperation] = [:]
    private var found: Set<Bytes> = []
    /// Answers to what changes no key, by revision.
    private var answers: [(revision: Int64, operation: LoadOperation)] = []
    private var nextAnswer = 0
    /// Revisions that were read later on, and what the keyspace held then.
    private var wanted: Set<Int64> = []
    private var states: [Int64: [KeyValue]] = [:]

    init(_ operations: [LoadOperation]) {
        for operation in operations {
            switch operation.call {
            case .write(_, let mark):
                writes[mark] = operation
                continue
            // When a lease without keys came and went is not seen; see `LeaseRules`.
            case .grant(let id, let seconds):
                _ = model.apply(.leaseGrant(id: id, ttlSeconds: seconds))
            case .read(let request) where request.revision > 0: wanted.insert(request.revision)
            case .read, .compact, .keepAlive, .timeToLive, .revoke, .watch: break
            }
            if let revision = operation.revision { answers.append((revision, operation)) }
        }
        answers.sort { $0.revision < $1.revision }
    }

    mutating func run(_ events: [Event]) throws(Violation) {
        try arrive()
        var start = 0
        while start < events.count {
            let revision = events[start].keyValue.modRevision
            var end = start
            while end < events.count, events[end].keyValue.modRevision == revision { end += 1 }
            try step(events[start..<end], revision)
            start = end
        }
        if nextAnswer < answers.count {
            let (revision, operation) = answers[nextAnswer]
            throw .correctness("\(operation.name) is of revision \(revision), which nobody saw")
        }
        for operation in writes.values.sorted(by: { $0.called.position < $1.called.position }) {
            guard case .write(_, let mark) = operation.call, !found.contains(mark),
                operation.revision != nil
            else { continue }
            throw .correctness("lost: \(operation.name) was acknowledged")
        }
    }

    private mutating func step(
        _ events: ArraySlice<Event>, _ revision: Int64
    ) throws(Violation) {
        if let write = try findWrite(events) {
            try apply(write, revision)
        } else {
            try endLease(events, revision)
        }
        guard model.revision == revision else {
            throw .correctness(
                "watch: there are events of revision \(revision), the model is at "
                    + "\(model.revision)")
        }
        groups.append(
            CommittedLog.Group(first: revision, last: revision, events: model.events))
        try arrive()
    }

    /// The write that left its mark among the events of a revision.
    private mutating func findWrite(
        _ events: ArraySlice<Event>
    ) throws(Violation) -> LoadOperation? {
        let prefix = Bytes("mark/".utf8)
        guard let event = events.first(where: { $0.keyValue.key.starts(with: prefix) }) else {
            return nil
        }
        let mark = event.keyValue.value
        let text = String(decoding: mark, as: UTF8.self)
        guard let write = writes[mark] else {
            throw .correctness("mark \(text) is no client's")
        }
        guard found.insert(mark).inserted else {
            throw .correctness("\(write.name) took effect twice")
        }
        if case .refused(let error) = write.answer {
            throw .correctness("\(write.name) took effect, but was refused: \(error)")
        }
        return write
    }

    private mutating func apply(
        _ write: LoadOperation, _ revision: Int64
    ) throws(Violation) {
        guard case .write(let request, _) = write.call else { return }
        let digest = ResultDigest.of(model.apply(.transaction(request)))
        guard model.revision == revision else {
            throw .correctness(
                "\(write.name) stands at revision \(revision), the model is at "
                    + "\(model.revision)")
        }
        if case .digest(let answer, _) = write.answer, answer != digest {
            throw .correctness("\(write.name) at \(revision) was answered wrongly")
        }
        placed.append(Placed(revision: revision, operation: write))
        if let lease = write.lease,
            model.events.contains(where: { $0.keyValue.lease == lease })
        {
            leaseUses.append((lease, write))
        }
    }

    /// A lease ends with all its keys on one revision; that these are the events, the watchers'
    /// oracle sees to.
    private mutating func endLease(
        _ events: ArraySlice<Event>, _ revision: Int64
    ) throws(Violation) {
        guard let event = events.first, event.kind == .delete,
            let lease = model.find(event.keyValue.key)?.lease, lease != 0
        else { throw .correctness("revision \(revision) is no client's and no lease's end") }
        _ = model.apply(.leaseRevoke(id: lease))
        leaseEnds.append((lease, revision))
    }

    // MARK: Answers

    /// The model has come to a revision: everything that was answered there.
    private mutating func arrive() throws(Violation) {
        if wanted.contains(model.revision) { states[model.revision] = model.items }
        while nextAnswer < answers.count, answers[nextAnswer].revision <= model.revision {
            let (revision, operation) = answers[nextAnswer]
            nextAnswer += 1
            guard revision == model.revision else {
                throw .correctness("\(operation.name) is of revision \(revision)")
            }
            try judge(operation)
            placed.append(Placed(revision: revision, operation: operation))
        }
    }

    private func judge(_ operation: LoadOperation) throws(Violation) {
        switch (operation.call, operation.answer) {
        case (.read(let request), .digest(let digest, _)):
            guard let response = range(request), ResultDigest.of(response) == digest else {
                throw .correctness(
                    "\(operation.name) at \(model.revision) was answered wrongly")
            }
        case (.revoke(let id), _):
            if let item = model.items.first(where: { $0.lease == id }) {
                let key = String(decoding: item.key, as: UTF8.self)
                throw .correctness(
                    "\(operation.name) at \(model.revision) was acknowledged, and left \(key)")
            }
        default: break
        }
    }

    private func range(_ request: RangeRequest) -> RangeResponse? {
        guard request.revision > 0 else { return model.range(request) }
        guard let items = states[request.revision] else { return nil }
        let found = items.filter { request.range.contains($0.key) }
        return RangeResponse(
            revision: model.revision, keyValues: found, more: false, count: Int64(found.count))
    }
}
