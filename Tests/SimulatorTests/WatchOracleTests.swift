import Basics
import Keyspace
import Simulator
import Testing

/// The nine guarantees, each broken once.
@Suite struct WatchOracleTests {
    private let history: [CommittedLog.Group]

    init() {
        var model = ModelKeyspace()
        var groups: [CommittedLog.Group] = []
        let commands: [Command] = [
            transaction(put("a", "1")), transaction(put("a", "2"), put("b", "2")),
            transaction(.deleteRange(DeleteRangeRequest(.key(bytes("a"))))),
            .commit(
                CommitRequest(mutations: [
                    .put(key: bytes("a"), value: bytes("3"), lease: 0),
                    .put(key: bytes("b"), value: bytes("3"), lease: 0),
                ])),
        ]
        for command in commands {
            let first = model.revision + 1
            _ = model.apply(command)
            groups.append(
                CommittedLog.Group(first: first, last: model.revision, events: model.events))
        }
        history = groups
    }

    /// Every event, without previous values: revisions 2, 3, 3, 4, 5, 6.
    private var events: [Event] {
        history.flatMap(\.events).map { event in
            var event = event
            event.previous = nil
            return event
        }
    }

    private func take(
        _ batches: [WatchBatch], _ range: KeyRange = .all, wantsPrevious: Bool = false
    ) throws {
        var oracle = WatchOracle(
            WatchRequest(range, startRevision: 2, wantsPrevious: wantsPrevious), position: 2)
        for batch in batches { try oracle.take(batch, history, compactRevision: 0) }
    }

    @Test func right() throws {
        try take([WatchBatch(events: events, revision: 6)])
        try take([
            WatchBatch(events: Array(events[..<3]), revision: 3),
            WatchBatch(events: Array(events[3...]), revision: 6),
        ])
        try take([WatchBatch(events: history.flatMap(\.events), revision: 6)], wantsPrevious: true)
    }

    @Test func filter() {
        expectViolation("watch, filter") {
            try take([WatchBatch(events: events, revision: 6)], .key(bytes("a")))
        }
    }

    @Test func ordered() {
        var events = events
        events.swapAt(0, 3)
        expectViolation("watch, ordered") { try take([WatchBatch(events: events, revision: 6)]) }
    }

    @Test func unique() {
        var events = events
        events.insert(events[1], at: 2)
        expectViolation("watch, unique") { try take([WatchBatch(events: events, revision: 6)]) }
    }

    @Test func atomic() {
        // A revision in two batches, and a commit in two batches.
        expectViolation("watch, reliable") {
            try take([WatchBatch(events: Array(events[..<2]), revision: 3)])
        }
        expectViolation("watch, atomic") {
            try take([WatchBatch(events: Array(events[..<5]), revision: 5)])
        }
    }

    @Test func bookmarkable() {
        expectViolation("watch, bookmarkable") {
            try take([WatchBatch(events: events, revision: 4)])
        }
        expectViolation("watch, bookmarkable") {
            try take([
                WatchBatch(events: events, revision: 6), WatchBatch(events: [], revision: 5),
            ])
        }
    }

    @Test func resumable() {
        expectViolation("watch, resumable") {
            try take([
                WatchBatch(events: Array(events[..<3]), revision: 3),
                WatchBatch(events: Array(events[2...]), revision: 6),
            ])
        }
    }

    @Test func reliable() {
        for missing in events.indices {
            var events = events
            events.remove(at: missing)
            expectViolation("watch, reliable") {
                try take([WatchBatch(events: events, revision: 6)])
            }
        }
    }

    @Test func isCreate() {
        var events = events
        events[1].keyValue.createRevision = events[1].keyValue.modRevision
        expectViolation("watch, is-create") {
            try take([WatchBatch(events: events, revision: 6)])
        }
        // It says of itself that it is the first, and is not.
        events[1].keyValue.version = 1
        expectViolation("watch, is-create") {
            try take([WatchBatch(events: events, revision: 6)])
        }
    }

    @Test func previousValue() {
        var events = history.flatMap(\.events)
        events[1].previous = nil
        expectViolation("watch, previous value") {
            try take([WatchBatch(events: events, revision: 6)], wantsPrevious: true)
        }
    }

    /// What was before a compacted revision need not be told.
    @Test func previousValueThatIsCompacted() throws {
        var events = history.flatMap(\.events)
        events[1].previous = nil
        let batch = WatchBatch(events: events, revision: 6)
        var oracle = WatchOracle(WatchRequest(.all, wantsPrevious: true), position: 2)
        var other = oracle
        try oracle.take(batch, history, compactRevision: 2)
        expectViolation("watch, previous value: of put of a at 3") {
            try other.take(batch, history, compactRevision: 1)
        }
    }

    @Test func kindsThatWereNotAskedFor() throws {
        for kind in [Event.Kind.put, .delete] {
            var oracle = WatchOracle(
                WatchRequest(
                    .all, excludesPuts: kind == .put, excludesDeletes: kind == .delete),
                position: 2)
            let wanted = events.filter { $0.kind != kind }
            let unwanted = events.filter { $0.kind == kind }
            expectViolation("watch, filter: \(kind) of") {
                try oracle.take(
                    WatchBatch(events: unwanted, revision: 6), history, compactRevision: 0)
            }
            try oracle.take(WatchBatch(events: wanted, revision: 6), history, compactRevision: 0)
        }
    }

    @Test func wrongKind() {
        var events = events
        events[3].kind = .put
        expectViolation("watch: put of a at 4 is of the wrong kind") {
            try take([WatchBatch(events: events, revision: 6)])
        }
    }

    @Test func wrongValue() {
        var events = events
        events[1].keyValue.value = bytes("1")
        expectViolation("watch: put of a at 3 has not the value that was put") {
            try take([WatchBatch(events: events, revision: 6)])
        }
    }

    /// Progress may come before the first revision that was asked for, which stays to come.
    @Test func streamThatBeginsInTheFuture() throws {
        var oracle = WatchOracle(WatchRequest(.all), position: 6)
        try oracle.take(WatchBatch(events: [], revision: 4), history, compactRevision: 0)
        #expect(oracle.position == 6)
        expectViolation("watch, reliable: put of b at 6 did not come") {
            try oracle.take(WatchBatch(events: [], revision: 6), history, compactRevision: 0)
        }
    }

    /// A replica that is behind may tell an older revision first, but no event twice.
    @Test func anotherStream() throws {
        var oracle = WatchOracle(WatchRequest(.all), position: 2)
        try oracle.take(WatchBatch(events: events, revision: 6), history, compactRevision: 0)
        oracle.reopened()
        try oracle.take(WatchBatch(events: [], revision: 5), history, compactRevision: 0)
        expectViolation("watch, resumable: put of b at 6 again, the position is 7") {
            try oracle.take(
                WatchBatch(events: [events[5]], revision: 6), history, compactRevision: 0)
        }
    }

    @Test func compactionThatWasNot() throws {
        let oracle = WatchOracle(WatchRequest(.all), position: 3)
        try oracle.checkCompacted(.compacted(at: 4), compactRevision: 4)
        // At the compact revision nothing is missing.
        expectViolation("watch, reliable: told of a compaction at 4 that was not") {
            try oracle.checkCompacted(.compacted(at: 4), compactRevision: 3)
        }
    }

    @Test func eventThatNeverHappened() {
        var events = events
        events[5].keyValue.key = bytes("c")
        expectViolation("never happened") { try take([WatchBatch(events: events, revision: 6)]) }
    }
}
