import Basics
package import Keyspace

/// One operation of a client on the whole keyspace, as the client saw it.
package struct HistoryOperation: Sendable {
    package enum Action: Sendable {
        case command(Command)
        /// A linearizable read.
        case range(RangeRequest)
    }

    package enum Outcome: Sendable, Hashable {
        /// The client heard nothing of use: the operation took effect at some time after the
        /// call, before `returned`, but nobody knows with which answer.
        case unknown
        /// A digest of the answer (`ResultDigest`).
        case answer(UInt64)
    }

    private let makeName: @Sendable () -> String
    package var name: String { makeName() }
    package var action: Action
    package var outcome: Outcome
    /// Positions in the order of events.
    package var called: Int
    package var returned: Int

    package init(
        _ name: String, _ action: Action, _ outcome: Outcome, called: Int,
        returned: Int = Int.max
    ) {
        self.init(named: { name }, action, outcome, called: called, returned: returned)
    }

    /// - Parameter makeName: called where an explanation needs the name.
    init(
        named makeName: @escaping @Sendable () -> String, _ action: Action, _ outcome: Outcome,
        called: Int, returned: Int
    ) {
        self.makeName = makeName
        self.action = action
        self.outcome = outcome
        self.called = called
        self.returned = returned
    }

    /// Changes the model as the operation would; false if the answer does not fit.
    func apply(to model: inout ModelKeyspace) -> Bool {
        let digest: UInt64
        switch action {
        case .command(let command): digest = ResultDigest.of(model.apply(command))
        case .range(let request): digest = ResultDigest.of(model.range(request))
        }
        return outcome == .unknown || outcome == .answer(digest)
    }
}
