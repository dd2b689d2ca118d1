import Basics
import Keyspace
import ReplicaCore
import Testing

/// A replica that restarted is sent the answers to what its earlier process had asked, when the
/// leader was busy meanwhile. They speak of other writes, and of indexes that are too old.
@Suite struct EarlierProcessTests {
    private let start = MonotonicTime(nanoseconds: 5_000_000_000)
    private var restart: MonotonicTime { start.advanced(milliseconds: 1) }

    @Test func answersToEarlierRequestsAreNobodys() {
        var earlier = AskedRequests(start: start)
        var asked = AskedRequests(start: restart)
        for _ in 0..<1_000 {
            let old = earlier.add(.write(write), to: 1)
            let new = asked.add(.write(write), to: 1)
            #expect(asked.take(old) == nil)
            #expect(asked.take(new) != nil)
        }
    }

    @Test func indexesOfEarlierReadsAreNobodys() {
        var earlier = WaitingReads(start: start)
        var reads = WaitingReads(start: restart)
        let read = PendingRead(deadline: restart.advanced(milliseconds: 1_000)) { _ in }
        let old = earlier.ask([read])
        let new = reads.ask([read])
        reads.confirmed(old, index: 3)
        #expect(reads.takeReady(applied: 5).isEmpty)
        reads.confirmed(new, index: 4)
        #expect(reads.takeReady(applied: 5).count == 1)
    }

    private var write: PendingWrite {
        PendingWrite(payload: [1], deadline: restart.advanced(milliseconds: 1_000)) { _ in }
    }
}
