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

/// Bytes that one receiver holds, more and less of them; given back with it. One thread at a time.
package struct BudgetCharge: ~Copyable {
    private let budget: MemoryBudget?
    private var bytes = 0

    package init(_ budget: MemoryBudget?) {
        self.budget = budget
    }

    /// False when all together hold too much already, and this would hold something.
    package mutating func hold(_ bytes: Int) -> Bool {
        guard bytes != self.bytes, let budget else { return true }
        budget.give(self.bytes)
        self.bytes = bytes
        return budget.take(bytes) || bytes == 0
    }

    deinit { budget?.give(bytes) }
}
