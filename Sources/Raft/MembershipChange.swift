package import Basics

/// A change of one member: the payload of an entry of kind `.membership`.
///
/// One at a time: two memberships that differ in one voter always have a common quorum member, so
/// no joint configuration is needed as long as changes do not overlap.
package struct MembershipChange: Sendable, Hashable {
    package enum Action: UInt8, Sendable, Hashable {
        /// Adds a voter, or makes a learner one.
        case addVoter = 0
        /// Adds a learner, or makes a voter one.
        case addLearner = 1
        case remove = 2
    }

    package var action: Action
    package var id: UInt64
    /// Carried for the shell, for example the member's address. Raft does not read it.
    package var context: Bytes

    package init(_ action: Action, _ id: UInt64, context: Bytes = []) {
        precondition(id != 0, "0 is not a member id")
        self.action = action
        self.id = id
        self.context = context
    }

    package static func addVoter(_ id: UInt64, context: Bytes = []) -> MembershipChange {
        MembershipChange(.addVoter, id, context: context)
    }

    package static func addLearner(_ id: UInt64, context: Bytes = []) -> MembershipChange {
        MembershipChange(.addLearner, id, context: context)
    }

    package static func remove(_ id: UInt64, context: Bytes = []) -> MembershipChange {
        MembershipChange(.remove, id, context: context)
    }

    package func encoded() -> Bytes {
        var writer = ByteWriter()
        writer.write(action.rawValue)
        writer.writeVarint(id)
        writer.writeCounted(context)
        return writer.bytes
    }

    package init(decoding bytes: Bytes) throws(DecodingFailure) {
        var reader = ByteReader(bytes)
        let raw = try reader.readByte("membership action")
        guard let action = Action(rawValue: raw) else {
            throw reader.failure("membership action", "unknown action \(raw)")
        }
        let id = try reader.readVarint("member id")
        guard id != 0 else { throw reader.failure("member id", "0 is not a member id") }
        let context = try reader.readCounted("membership context")
        try reader.expectEnd("membership change")
        self.init(action, id, context: context)
    }
}
