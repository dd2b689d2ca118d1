package import Basics

/// A change of any number of members: the payload of an entry of kind `.membership`.
///
/// A change without steps ends a joint membership; the leader appends it by itself.
package struct MembershipChange: Sendable, Hashable {
    package enum Action: UInt8, Sendable, Hashable {
        /// Adds a voter, or makes a learner one.
        case addVoter = 0
        /// Adds a learner, or makes a voter one.
        case addLearner = 1
        case remove = 2
        /// Adds a learner that becomes a voter by itself as soon as it has caught up. Changes
        /// nothing for a voter.
        case join = 3
    }

    /// What becomes of one member.
    package struct Step: Sendable, Hashable {
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
    }

    /// At most one for each member, sorted by member.
    package let steps: [Step]

    package init(_ steps: [Step]) {
        self.steps = steps.sorted { $0.id < $1.id }
        for (left, right) in zip(self.steps, self.steps.dropFirst()) {
            precondition(left.id < right.id, "member \(left.id) twice in a change")
        }
    }

    package static let leaveJoint = MembershipChange([])
    package var isLeavingJoint: Bool { steps.isEmpty }

    package static func addVoter(_ id: UInt64, context: Bytes = []) -> MembershipChange {
        MembershipChange([Step(.addVoter, id, context: context)])
    }

    package static func addLearner(_ id: UInt64, context: Bytes = []) -> MembershipChange {
        MembershipChange([Step(.addLearner, id, context: context)])
    }

    package static func remove(_ id: UInt64) -> MembershipChange {
        MembershipChange([Step(.remove, id)])
    }

    package static func join(_ id: UInt64, context: Bytes = []) -> MembershipChange {
        MembershipChange([Step(.join, id, context: context)])
    }
}

/// Bytes of a change: docs/formats/raft-messages.md.
extension MembershipChange {
    /// Above the actions, which format 1 began with.
    package static let formatVersion: UInt8 = 16

    package func encoded() -> Bytes {
        var writer = ByteWriter()
        writer.write(Self.formatVersion)
        writer.writeVarint(UInt64(steps.count))
        for step in steps {
            writer.write(step.action.rawValue)
            writer.writeVarint(step.id)
            writer.writeCounted(step.context)
        }
        return writer.bytes
    }

    package init(decoding bytes: Bytes) throws(DecodingFailure) {
        var reader = ByteReader(bytes)
        let version = try reader.readByte("membership change version")
        guard version == Self.formatVersion else {
            throw reader.failure(
                "membership change version", "\(version) is not \(Self.formatVersion)")
        }
        let count = try reader.readVarint("membership steps")
        guard count <= UInt64(reader.remaining) else {
            throw reader.failure("membership steps", "input ends early")
        }
        var steps: [Step] = []
        for _ in 0..<count {
            let raw = try reader.readByte("membership action")
            guard let action = Action(rawValue: raw) else {
                throw reader.failure("membership action", "unknown action \(raw)")
            }
            let id = try reader.readVarint("member id")
            guard id > steps.last?.id ?? 0 else {
                throw reader.failure("member id", "not in rising order")
            }
            steps.append(Step(action, id, context: try reader.readCounted("membership context")))
        }
        try reader.expectEnd("membership change")
        self.init(steps)
    }
}
