import Keyspace
import Simulator
import StoreJudgement
import Testing

/// Writes, reads and watchers in the order of revisions.
@Suite struct ReplayTests {
    private func make() -> MadeHistory {
        var made = MadeHistory()
        made.write(put("a", "1"))
        made.read()
        made.write(
            put("a", "2"), .deleteRange(DeleteRangeRequest(.key(bytes("b")), wantsPrevious: true)),
            .range(RangeRequest(.all)),
            compares: [
                Compare(.key(bytes("a")), .equal, .version(1)),
                Compare(.key(bytes("b")), .equal, .lease(0)),
            ])
        made.read(.key(bytes("a")))
        return made
    }

    @Test func right() throws {
        let counts = try make().check()
        #expect(counts.operations == 4)
        #expect(counts.events == 4)
    }

    @Test func wrongAnswers() {
        for index in make().operations.indices {
            var made = make()
            guard let revision = made.operations[index].revision else {
                Issue.record("operation \(index) names no revision")
                continue
            }
            made.operations[index].answer = .digest(1, revision: revision)
            made.expectViolation("was answered wrongly")
        }
    }

    @Test func acknowledgedWriteIsLost() {
        var made = make()
        made.sightings.removeLast()
        made.operations.removeLast()
        made.expectViolation("lost:")
    }

    @Test func writeThatNobodyHeardOf() throws {
        // It took effect, or never did.
        var made = make()
        made.operations[2].answer = .unknown
        made.operations[2].returned = .never
        try made.check()
        made.operations.removeLast()
        made.sightings.removeLast()
        var before = MadeHistory()
        before.write(put("a", "1"))
        try made.check(final: before.model.items)
    }

    @Test func writeTakesEffectTwice() {
        var made = make()
        var again = made.sightings[1]
        again.batch.revision = 4
        for index in again.batch.events.indices {
            again.batch.events[index].keyValue.modRevision = 4
        }
        made.sightings.append(again)
        made.expectViolation("took effect twice")
    }

    @Test func markOfNobody() {
        var made = make()
        let last = made.sightings[1].batch.events.count - 1
        made.sightings[1].batch.events[last].keyValue.value = bytes("9")
        made.expectViolation("mark 9 is no client's")
    }

    /// The events say another revision than the writes before them leave.
    @Test func revisionsWithAGap() {
        var made = make()
        for index in made.sightings[1].batch.events.indices {
            made.sightings[1].batch.events[index].keyValue.modRevision = 5
        }
        made.expectViolation("stands at revision 5, the model is at 3")
    }

    @Test func answersAtRevisionsThatNobodySaw() {
        for (revision, text) in [(9, "of revision 9, which nobody saw"), (0, "is of revision 0")] {
            var made = make()
            made.operations[3].answer = .digest(1, revision: Int64(revision))
            made.expectViolation(text)
        }
    }

    @Test func refusedWriteTakesEffect() {
        var made = make()
        made.operations[2].answer = .refused(.leaseNotFound)
        made.expectViolation("took effect, but was refused")
    }

    @Test func staleRead() {
        var made = MadeHistory()
        made.write(put("a", "1"))
        made.read()
        made.write(put("a", "2"))
        // It was called after the second write had been answered.
        let called = made.moment()
        let returned = made.moment()
        made.operations[1].called = called
        made.operations[1].returned = returned
        made.expectViolation("had been answered before")
    }

    /// It took effect before a write that had been answered when it was called.
    @Test func writeIntoThePast() {
        var made = MadeHistory()
        made.write(put("a", "1"))
        made.write(put("b", "1"))
        let called = made.moment()
        let returned = made.moment()
        made.operations[0].called = called
        made.operations[0].returned = returned
        made.expectViolation("is of revision 2, but")
    }

    @Test func deletionThatNobodyAskedFor() {
        var made = make()
        var event = Event(
            kind: .delete,
            keyValue: KeyValue(
                key: bytes("a"), value: [], createRevision: 0, modRevision: 4, version: 0))
        event.previous = made.model.find(bytes("a"))
        let batch = WatchBatch(events: [event], revision: 4)
        made.sightings.append(
            WatchSighting(batch, microseconds: 0, compactRevision: 0, isFirst: false))
        made.expectViolation("revision 4 is no client's and no lease's end")
    }

    @Test func watcherThatMissesWhatAnotherGot() {
        let made = make()
        var history = made.history
        history.watchers.append(Array(made.sightings.dropLast()))
        made.expectViolation("watcher 2 has nothing from 3 on, the store is at 3", of: history)
        // An event out of the middle.
        history.watchers[1] = made.sightings
        history.watchers[1][1].batch.events.removeFirst()
        made.expectViolation("watcher 2: watch, reliable", of: history)
        history.watchers = []
        made.expectViolation("nobody watched", of: history)
    }

    @Test func keysAtTheEnd() {
        make().expectViolation("the keys at the end", final: [])
    }
}
