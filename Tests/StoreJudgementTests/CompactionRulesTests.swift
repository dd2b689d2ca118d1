import Keyspace
import Simulator
import StoreJudgement
import Testing

@Suite struct CompactionRulesTests {
    /// Revisions 2 to 4, of which 2 is compacted.
    private func make() -> MadeHistory {
        var made = MadeHistory()
        made.write(put("a", "1"))
        let second = made.model.items
        made.write(put("a", "2"))
        made.read(second, at: 2)
        made.write(put("b", "3"))
        made.compact(3)
        return made
    }

    private var compacted: LoadOperation.Answer { .refused(.compacted(at: 3)) }

    @Test func right() throws {
        var made = make()
        made.add(.read(RangeRequest(.all, revision: 2)), compacted)
        made.add(.compact(3), compacted)
        made.add(.compact(2), compacted)
        made.add(.watch(from: 2), compacted)
        #expect(try made.check().compacted == 4)
    }

    @Test func wrongAnswerAtAnOlderRevision() {
        var made = make()
        made.read([], at: 3)
        made.expectViolation("was answered wrongly")
    }

    @Test func answerBelowTheCompactRevision() throws {
        var made = MadeHistory()
        made.write(put("a", "1"))
        let second = made.model.items
        made.write(put("a", "2"))
        made.compact(3)
        made.read(second, at: 2)
        made.expectViolation("had been acknowledged before")
        // If nobody knows whether it was compacted, it need not be.
        made.operations[2].answer = .unknown
        made.operations[2].returned = .never
        try made.check()
    }

    @Test func toldOfACompactionThatWasNot() {
        var made = make()
        made.add(.read(RangeRequest(.all, revision: 3)), compacted)
        made.expectViolation("was told of a compaction that was not")
    }

    @Test func compactedTwice() {
        var made = make()
        made.add(.compact(3), .revision(made.model.revision))
        made.expectViolation("had been acknowledged before")
    }

    @Test func refusedThoughNothingWasCompacted() {
        var made = make()
        made.add(.compact(4), compacted)
        made.expectViolation("was told of a compaction that was not")
    }

    @Test func seenRevisionIsSaidToBeToCome() {
        var made = make()
        made.add(.read(RangeRequest(.all, revision: 4)), .refused(.futureRevision))
        made.expectViolation("is said to be to come")
    }

    @Test func watcherIsToldTheWrongCompactRevision() {
        for revision in [0, 2, 4] as [Int64] {
            var made = make()
            made.add(.watch(from: 1), .refused(.compacted(at: revision)))
            made.expectViolation("was told of a compaction at \(revision)")
        }
        // It began at the compact revision, of which nothing is missing.
        var made = make()
        made.add(.watch(from: 3), compacted)
        made.expectViolation("was told of a compaction at 3")
    }

    @Test func watcherFromAnOlderRevision() throws {
        var made = make()
        let events = made.sightings[1...].flatMap { $0.batch.events }
        func sighting(_ events: [Event]) -> LoadOperation.Answer {
            .watched(
                WatchSighting(
                    WatchBatch(events: events, revision: 4), microseconds: 0, compactRevision: 0,
                    isFirst: true))
        }
        made.add(.watch(from: 3), sighting(events))
        try made.check()
        made.operations[made.operations.count - 1].answer = sighting(Array(events.dropFirst()))
        made.expectViolation("watch, reliable")
    }
}
