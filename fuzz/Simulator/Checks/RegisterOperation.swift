/// One client operation on one key, which is taken for a register. Value 0 is an absent key.
package struct RegisterOperation: Sendable, Hashable {
    package enum Action: Sendable, Hashable {
        case read
        /// A put, or with value 0 a delete.
        case write(Int)
        case compareAndSet(expected: Int, new: Int)
    }

    package enum Outcome: Sendable, Hashable {
        /// The client heard nothing: the operation took effect at some time after the call, or
        /// never.
        case unknown
        case read(Int)
        /// The value before, if the client was told.
        case written(previous: Int?)
        case compared(succeeded: Bool)
    }

    package var client: Int
    package var action: Action
    package var outcome: Outcome
    /// Positions in the order of events; no two of a history are the same. `returned` counts only
    /// for known outcomes.
    package var called: Int
    package var returned: Int

    package init(
        client: Int, _ action: Action, _ outcome: Outcome, called: Int, returned: Int = Int.max
    ) {
        self.client = client
        self.action = action
        self.outcome = outcome
        self.called = called
        self.returned = outcome == .unknown ? Int.max : returned
    }

    /// The register after the operation; nil if the outcome does not fit the value before.
    func applied(to value: Int) -> Int? {
        switch (action, outcome) {
        case (.read, .read(let seen)): seen == value ? value : nil
        case (.write(let new), .written(let previous)):
            previous == nil || previous == value ? new : nil
        case (.write(let new), .unknown): new
        case (.compareAndSet(let expected, let new), .compared(let succeeded)):
            succeeded == (expected == value) ? (succeeded ? new : value) : nil
        case (.compareAndSet(let expected, let new), .unknown): expected == value ? new : value
        case (.read, .unknown): value
        default: nil
        }
    }
}
