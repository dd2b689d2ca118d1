package import Basics

/// One entry of the replicated log.
package struct Entry: Sendable, Hashable {
    package enum Kind: UInt8, Sendable, Hashable {
        /// A command of the state machine. An empty payload is the no-op of a new leader.
        case normal = 0
        /// An encoded `MembershipChange`.
        case membership = 1
    }

    package var term: UInt64
    package var index: UInt64
    package var kind: Kind
    package var payload: Bytes

    package init(term: UInt64, index: UInt64, kind: Kind = .normal, payload: Bytes) {
        self.term = term
        self.index = index
        self.kind = kind
        self.payload = payload
    }

    /// What the entry counts against every byte limit: the payload and a flat charge, so that
    /// empty entries are not free.
    var cost: Int { payload.count + 32 }
}
