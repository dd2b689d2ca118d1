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
    }

    @Test func previousValue() {
        var events = history.flatMap(\.events)
        events[1].previous = nil
        expectViolation("watch, previous value") {
            try take([WatchBatch(events: events, revision: 6)], wantsPrevious: true)
        }
    }

    @Test func eventThatNeverHappened() {
        var events = events
        events[5].keyValue.key = bytes("c")
        expectViolation("never happened") { try take([WatchBatch(events: events, revision: 6)]) }
    }
}
