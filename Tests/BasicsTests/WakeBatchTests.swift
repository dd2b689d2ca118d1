import Basics
import Testing

@Suite struct WakeBatchTests {
    private final class Sleepy: Sleeper {
        let woken = Locked(0)
        func wakeUp() { woken.withLock { $0 += 1 } }
        var count: Int { woken.withLock { $0 } }
    }

    @Test func withoutABatchWakesAreAtOnce() {
        let one = Sleepy()
        WakeBatch.wake(one)
        #expect(one.count == 1)
    }

    @Test func aBatchPutsThemOffToItsEnd() {
        let (one, other) = (Sleepy(), Sleepy())
        let answer = WakeBatch.whole {
            WakeBatch.wake(one)
            WakeBatch.wake(other)
            WakeBatch.wake(one)
            #expect((one.count, other.count) == (0, 0))
            return 7
        }
        #expect(answer == 7)
        #expect((one.count, other.count) == (2, 1))
        // Nothing of it is left for the next one.
        WakeBatch.whole {}
        #expect((one.count, other.count) == (2, 1))
    }

    @Test func theOuterBatchCounts() {
        let one = Sleepy()
        WakeBatch.whole {
            WakeBatch.whole { WakeBatch.wake(one) }
            #expect(one.count == 0)
        }
        #expect(one.count == 1)
    }

    @Test func anErrorEndsItToo() {
        struct Failed: Error {}
        let one = Sleepy()
        #expect(throws: Failed.self) {
            try WakeBatch.whole { () throws(Failed) in
                WakeBatch.wake(one)
                throw Failed()
            }
        }
        #expect(one.count == 1)
    }
}
