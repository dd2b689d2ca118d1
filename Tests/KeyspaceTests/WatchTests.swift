import Basics
import Keyspace
import TestSupport
import Testing

@Suite struct WatchTests {
    @Test func aWaitingWatcherHearsOnlyItsRange() throws {
        let fixture = try Fixture()
        let listener = Listener(fixture.keyspace.watch(WatchRequest(.prefix("a"))))
        listener.pull()
        try fixture.put("b", "1")
        #expect(listener.text == "")
        try fixture.put("a1", "1")
        #expect(listener.text == "+a1@3 |3")
        try fixture.put("a2", "1")
        try fixture.delete("a1")
        listener.pull()
        #expect(listener.text == "+a1@3 |3 +a2@4 -a1@5 |5")
    }

    @Test(arguments: [1 << 20, 1])
    func historyIsReadFromMemoryOrFromTheFile(recentEventBytesMax: Int) throws {
        let fixture = try Fixture { $0.recentEventBytesMax = recentEventBytesMax }
        try fixture.put("a", "1")
        try fixture.put("a", "2")
        _ = try fixture.commit(CommitRequest(mutations: [.put("b", "1"), .put("a", "3")]))
        try fixture.delete("a")
        var request = WatchRequest(.key("a"), startRevision: 2, wantsPrevious: true)
        let all = Listener(fixture.keyspace.watch(request))
        all.pull()
        #expect(all.text == "+a@2 +a(1)@3 +a(2)@5 -a(3)@6 |6")
        request.excludesPuts = true
        request.wantsPrevious = false
        let deletes = Listener(fixture.keyspace.watch(request))
        deletes.pull()
        #expect(deletes.text == "-a@6 |6")
        // From inside the commit, and never less than a whole one at a time.
        let inside = Listener(fixture.keyspace.watch(WatchRequest(.all, startRevision: 4)))
        inside.pull(bytesMax: 1)
        inside.pull(bytesMax: 1)
        #expect(inside.text == "+b@4 +a@5 |5 -a@6 |6")
    }

    /// Those that are alike are answered with one array, and leave the list of waiting watchers
    /// without a search: of many in turns, each hears what is its own, and who has left nothing.
    @Test func manyWatchersOfAFewKindsHearEachItsOwn() throws {
        let fixture = try Fixture()
        var requests = [WatchRequest(.prefix("a")), WatchRequest(.prefix("ab"))]
        requests.append(WatchRequest(.prefix("a"), wantsPrevious: true))
        requests.append(WatchRequest(.prefix("a"), excludesPuts: true))
        requests.append(WatchRequest(.prefix("a"), startRevision: 4))
        requests.append(WatchRequest(.key("a"), excludesDeletes: true))
        let expected = [
            "+ab@2 |2 +a@3 |3 -ab@4 |4", "+ab@2 |2 -ab@4 |4", "+ab@2 |2 +a@3 |3 -ab(1)@4 |4",
            "-ab@4 |4", "-ab@4 |4", "+a@3 |3",
        ]
        var random = SeededRandom(seed: 7)
        let watches = (0..<200).map { _ in
            let kind = random.below(requests.count)
            let watch = fixture.keyspace.watch(requests[kind])
            return (kind: kind, watch: watch, listener: Listener(watch))
        }
        for watch in watches { watch.listener.pull() }
        let leaving = (0..<200).map { _ in random.chance(3, in: 4) }
        for (watch, leaves) in zip(watches, leaving) where leaves { watch.watch.cancel() }
        var answered = watches.map { _ in 0 }
        func pull() {
            for (number, watch) in watches.enumerated() where !leaving[number] {
                guard watch.listener.results.count > answered[number] else { continue }
                answered[number] += 1
                watch.listener.pull()
            }
        }
        try fixture.put("ab", "1")
        pull()
        try fixture.put("a", "1")
        pull()
        try fixture.delete("ab")
        for (watch, leaves) in zip(watches, leaving) {
            let text = leaves ? "!\(StoreError.cancelled.message)" : expected[watch.kind]
            #expect(watch.listener.text == text)
        }
    }

    @Test func aWatchFromTheFutureWaitsForIt() throws {
        let fixture = try Fixture()
        let listener = Listener(fixture.keyspace.watch(WatchRequest(.all, startRevision: 4)))
        listener.pull()
        try fixture.put("a", "1")
        try fixture.put("a", "2")
        #expect(listener.text == "")
        try fixture.put("a", "3")
        #expect(listener.text == "+a@4 |4")
    }

    @Test func compactionEndsAWatchThatIsBehindIt() throws {
        let fixture = try Fixture()
        let early = Listener(fixture.keyspace.watch(WatchRequest(.all, startRevision: 2)))
        for value in 1...4 { try fixture.put("a", "\(value)") }
        _ = try fixture.compact(4)
        early.pull()
        guard case .failure(let error) = early.results.first else {
            Issue.record("no error")
            return
        }
        #expect(error == .compacted(at: 4))
        let late = Listener(fixture.keyspace.watch(WatchRequest(.all, startRevision: 3)))
        late.pull()
        #expect(late.text == "!" + StoreError.compacted(at: 4).message)
        // The compact revision itself can be watched from.
        let exact = Listener(fixture.keyspace.watch(WatchRequest(.all, startRevision: 4)))
        exact.pull()
        #expect(exact.text == "+a@4 +a@5 |5")
    }

    @Test func progressSaysUpToWhereTheWatcherIsComplete() throws {
        let fixture = try Fixture()
        let listener = Listener(fixture.keyspace.watch(WatchRequest(.prefix("a"))))
        listener.pull()
        try fixture.put("b", "1")
        listener.watch.requestProgress()
        #expect(listener.text == "|2")
        listener.watch.requestProgress()
        try fixture.put("a", "1")
        listener.pull()
        listener.pull()
        #expect(listener.text == "|2 +a@3 |3 |3")
    }

    @Test func cancelAndStopAnswerThePendingCall() throws {
        let fixture = try Fixture()
        let first = Listener(fixture.keyspace.watch(WatchRequest(.key("a"))))
        let second = Listener(fixture.keyspace.watch(WatchRequest(.all)))
        first.pull()
        second.pull()
        first.watch.cancel()
        #expect(first.text == "!" + StoreError.cancelled.message)
        fixture.keyspace.stop()
        #expect(second.text == "!" + StoreError.stopped.message)
        second.pull()
        #expect(second.results.count == 2)
        #expect(fixture.keyspace.range(RangeRequest(.all)) == .failure(.stopped))
    }

    /// One that was busy with what it had got asks for more when nobody is there any more.
    @Test func whoComesAfterTheStopIsTold() throws {
        let fixture = try Fixture()
        let waiting = Listener(fixture.keyspace.watch(WatchRequest(.all, startRevision: 1)))
        let behind = Listener(fixture.keyspace.watch(WatchRequest(.all, startRevision: 1)))
        try fixture.put("a", "1")
        waiting.pull()
        fixture.keyspace.stopWatches()
        waiting.pull()
        behind.pull()
        let told = "!" + StoreError.stopped.message
        #expect(waiting.text == "+a@2 |2 \(told)")
        #expect(behind.text == told)
    }

    @Test func theHistoryThreadServesWatchersThatAreBehind() async throws {
        let fixture = try Fixture {
            $0.servesHistoryOnCaller = false
            $0.recentEventBytesMax = 1
        }
        for value in 0..<100 { try fixture.put("a", "\(value)") }
        let watchers = (0..<20).map { _ in
            fixture.keyspace.watch(WatchRequest(.all, startRevision: 2))
        }
        for watch in watchers {
            var seen: [Int64] = []
            while seen.count < 100 {
                let result = await withCheckedContinuation { continuation in
                    watch.next(bytesMax: 500) { continuation.resume(returning: $0) }
                }
                seen += try result.get().events.map(\.keyValue.modRevision)
            }
            #expect(seen == Array(2...101))
        }
    }
}
