import Basics
import Keyspace

/// Writes of this replica's clients that are not answered yet.
struct WaitingWrites {
    private struct Proposed {
        var term: UInt64
        var write: PendingWrite
    }

    /// No leader is known; they go to the next.
    private(set) var held: [PendingWrite] = []
    /// By the index at which they will be applied, if their term's leader stays.
    private var proposed: [UInt64: Proposed] = [:]

    var isEmpty: Bool { held.isEmpty && proposed.isEmpty }

    mutating func hold(_ writes: [PendingWrite]) {
        held += writes
    }

    mutating func takeHeld() -> [PendingWrite] {
        defer { held = [] }
        return held
    }

    mutating func proposed(_ write: PendingWrite, index: UInt64, term: UInt64) {
        let old = proposed.updateValue(Proposed(term: term, write: write), forKey: index)
        old?.write.done(.failure(.leaderChanged))
    }

    mutating func applied(_ index: UInt64, _ term: UInt64, _ result: CommandResult) {
        guard let waiter = proposed.removeValue(forKey: index) else { return }
        let isOurs = waiter.term == term || Mutant.isOn(.answersOtherTerm)
        waiter.write.done(isOurs ? .success(result) : .failure(.leaderChanged))
    }

    /// A snapshot took the place of entries up to `index`: what became of writes there is unknown.
    mutating func skipped(through index: UInt64) {
        for key in proposed.keys.sorted() where key <= index {
            proposed.removeValue(forKey: key)?.write.done(.failure(.leaderChanged))
        }
    }

    mutating func expire(_ now: MonotonicTime, _ error: StoreError) {
        for write in held where write.deadline <= now { write.done(.failure(error)) }
        held.removeAll { $0.deadline <= now }
        let late = proposed.filter { $0.value.write.deadline <= now }.keys.sorted()
        for key in late { proposed.removeValue(forKey: key)?.write.done(.failure(error)) }
    }

    mutating func failAll(_ error: StoreError) {
        for write in takeHeld() { write.done(.failure(error)) }
        for key in proposed.keys.sorted() {
            proposed.removeValue(forKey: key)?.write.done(.failure(error))
        }
    }
}
