import Synchronization

/// Memory that requests and answers of a process may take together; any thread, without a lock.
///
/// Nothing is kept from being taken: whoever takes more than there is hears so, and gives back what
/// it can do without. So what must not fail, as the answer to an applied write, never does.
package final class MemoryBudget: Sendable {
    package let limitBytes: Int
    private let used = Atomic<Int>(0)

    package init(limitBytes: Int) {
        self.limitBytes = limitBytes
    }

    package var usedBytes: Int { used.load(ordering: .relaxed) }
    package var isExhausted: Bool { usedBytes > limitBytes }

    /// False if more is taken now than there is.
    @discardableResult
    package func take(_ bytes: Int) -> Bool {
        used.wrappingAdd(bytes, ordering: .relaxed).newValue <= limitBytes
    }

    package func give(_ bytes: Int) {
        used.wrappingSubtract(bytes, ordering: .relaxed)
    }
}

/// A part of a budget that is given back with the last reference to it.
package final class BudgetShare: Sendable {
    private let budget: MemoryBudget
    private let bytes: Int

    package init(_ bytes: Int, of budget: MemoryBudget) {
        self.budget = budget
        self.bytes = bytes
        budget.take(bytes)
    }

    deinit { budget.give(bytes) }
}
