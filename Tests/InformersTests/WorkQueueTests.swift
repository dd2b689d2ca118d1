import Basics
import Informers
import Testing

struct WorkQueueTests {
    private func time(_ milliseconds: UInt64) -> MonotonicTime {
        MonotonicTime(nanoseconds: milliseconds * 1_000_000)
    }

    @Test func keysComeOnceAndInOrder() {
        var queue = WorkQueue<String>()
        for key in ["b", "a", "b", "c", "a"] { queue.add(key) }
        #expect([queue.take(), queue.take(), queue.take(), queue.take()] == ["b", "a", "c", nil])
        queue.add("b")
        #expect(queue.take() == "b")
    }

    @Test func aKeyPutBackComesFirst() {
        var queue = WorkQueue<String>()
        queue.add("a")
        queue.add("b")
        let first = queue.take()
        #expect(first == "a")
        queue.putBack("a")
        #expect(queue.readyCount == 2)
        #expect(queue.take() == "a")
        #expect(queue.take() == "b")
        queue.putBack("b")
        #expect(queue.take() == "b")
        #expect(queue.isEmpty)
    }

    @Test func timersComeInOrderOfTime() {
        var queue = WorkQueue<String>()
        queue.add("late", at: time(30))
        queue.add("early", at: time(10))
        queue.add("middle", at: time(20))
        #expect(queue.nextTime() == time(10))
        queue.advance(to: time(9))
        #expect(queue.isEmpty)
        queue.advance(to: time(25))
        #expect([queue.take(), queue.take(), queue.take()] == ["early", "middle", nil])
        #expect(queue.nextTime() == time(30))
    }

    @Test func theEarlierAppointmentWins() {
        var queue = WorkQueue<String>()
        queue.add("a", at: time(30))
        queue.add("a", at: time(10))
        queue.add("a", at: time(20))
        #expect(queue.timerCount == 1)
        queue.advance(to: time(10))
        #expect(queue.take() == "a")
        queue.advance(to: time(100))
        #expect(queue.take() == nil)
        #expect(queue.nextTime() == nil)
    }

    @Test func backOffDoublesAndEndsWithSuccess() {
        var queue = WorkQueue<String>()
        var delays: [UInt64] = []
        for _ in 0..<14 {
            queue.addAfterFailure("a", now: time(0))
            delays.append((queue.nextTime()?.nanoseconds ?? 0) / 1_000_000)
            queue.advance(to: time(1_000_000))
            _ = queue.take()
        }
        #expect(delays.prefix(5) == [10, 20, 40, 80, 160])
        #expect(delays.suffix(2) == [30_000, 30_000])
        queue.succeeded("a")
        queue.addAfterFailure("a", now: time(0))
        #expect(queue.nextTime() == time(10))
    }

    @Test func aHeapOfManyTimersIsSorted() {
        var queue = WorkQueue<Int>()
        var random = SeededRandom(seed: 3)
        var times: [Int: UInt64] = [:]
        for key in 0..<500 {
            let at = UInt64(random.below(10_000))
            times[key] = at
            queue.add(key, at: time(at))
        }
        var last: UInt64 = 0
        var taken = 0
        while let next = queue.nextTime() {
            queue.advance(to: next)
            while let key = queue.take() {
                #expect((times[key] ?? 0) >= last)
                last = times[key] ?? 0
                taken += 1
            }
        }
        #expect(taken == 500)
    }
}
