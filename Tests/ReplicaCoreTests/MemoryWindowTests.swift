import Basics
import Raft
import ReplicaCore
import Testing

/// Which entries stay in memory for followers behind: docs/ARCHITECTURE.md, "What is bounded".
struct MemoryWindowTests {
    /// Applies entries one by one, as a replica does; the first that is kept at the end, and the
    /// most bytes that were kept at a time.
    private func run(
        _ window: MemoryWindow, entries: Int, bytes: Int, needed: (Int) -> Int
    ) -> (first: Int, bytesMax: Int) {
        var window = window
        var first = 1
        var most = 0
        for index in 1...entries {
            let entry = Entry(
                term: 1, index: UInt64(index), payload: Bytes(repeating: 0, count: bytes))
            if window.applied([entry]), let gone = window.trim(needed: UInt64(needed(index))) {
                #expect(Int(gone) >= first && Int(gone) < index)
                first = Int(gone) + 1
            }
            most = max(most, (index - first + 1) * (bytes + MemoryWindow.entryBytes))
        }
        return (first, most)
    }

    @Test func betweenOneAndTwoGenerationsStayWhenNobodyIsBehind() {
        let window = MemoryWindow(bytesMax: 1 << 30, entriesMax: 100)
        for entries in 50...400 {
            let first = run(window, entries: entries, bytes: 10) { $0 + 1 }.first
            #expect(entries < 100 ? first == 1 : (50...99).contains(entries - first + 1))
        }
    }

    @Test func aFollowerBehindKeepsWhatItNeeds() {
        let window = MemoryWindow(bytesMax: 1 << 30, entriesMax: 100)
        for behind in [0, 70, 500, 1_000] {
            let first = run(window, entries: 2_000, bytes: 10) { max(1, $0 - behind) }.first
            #expect(first <= 2_000 - behind || behind == 0)
            #expect(2_000 - first < behind + 150)
        }
    }

    @Test func entriesTakeNoMoreThanTheyMay() {
        // Nobody answers, as while a snapshot is on its way, and entries are large.
        let generation = MemoryWindow.generationBytesMax
        for generations in [0, 1, 4] {
            let window = MemoryWindow(bytesMax: generations * generation, entriesMax: 10_000)
            let most = run(window, entries: 1_200, bytes: 200_000) { _ in 1 }.bytesMax
            #expect(most <= (max(generations, 1) + 2) * generation)
            #expect(most > (generations - 1) * generation)
        }
    }

    @Test func smallEntriesAreBoundedByTheirNumber() {
        let window = MemoryWindow(bytesMax: 1 << 30, entriesMax: 100)
        let (first, _) = run(window, entries: 10_000, bytes: 0) { _ in 1 }
        #expect(10_000 - first + 1 <= (MemoryWindow.generationsMax + 1) * 50)
    }

    @Test func whatIsHeldGoesWhenTheFollowerHasCaughtUp() {
        var window = MemoryWindow(bytesMax: 1 << 30, entriesMax: 100)
        for index in 1...500 {
            let entry = Entry(term: 1, index: UInt64(index), payload: [])
            if window.applied([entry]) { #expect(window.trim(needed: 1) == nil) }
        }
        #expect(window.trim(needed: 121) == 100)
        #expect(window.trim(needed: 121) == nil)
        #expect(window.trim(needed: .max) == 450)
    }
}
