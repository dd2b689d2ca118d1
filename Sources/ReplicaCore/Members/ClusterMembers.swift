package import Basics
package import Keyspace
package import Raft

/// Raft's membership and the members' particulars: the keyspace's `membership` blob, which every
/// replica holds alike as of its applied entry.
package struct ClusterMembers: Sendable, Hashable {
    static let formatVersion: UInt8 = 3

    package var membership: Membership
    /// Sorted by id; everyone in `membership` and nobody else.
    package var members: [ReplicaMember]

    /// Sorted by member and kind.
    package private(set) var alarms: [ClusterAlarm] = []

    package init(membership: Membership, members: [ReplicaMember]) {
        self.membership = membership
        self.members = members.sorted { $0.id < $1.id }
    }

    /// A new cluster: all vote.
    package init(initial members: [ReplicaMember]) {
        self.init(membership: Membership(voters: members.map(\.id)), members: members)
    }

    package static let none = ClusterMembers(membership: Membership(voters: []), members: [])

    package func member(_ id: UInt64) -> ReplicaMember? { members.first { $0.id == id } }
    package func member(named name: String) -> ReplicaMember? { members.first { $0.name == name } }

    /// The members after a committed change. The context of a step that adds somebody, or changes
    /// what is known of a member, is that member, encoded.
    mutating func apply(
        _ change: MembershipChange, _ next: Membership
    ) throws(DecodingFailure) {
        for step in change.steps where !step.context.isEmpty {
            var reader = ByteReader(step.context)
            let member = try ReplicaMember(from: &reader)
            members.removeAll { $0.id == member.id }
            members.append(member)
        }
        members = members.filter { next.contains($0.id) }.sorted { $0.id < $1.id }
        membership = next
        alarms.removeAll { $0.memberID != 0 && !next.contains($0.memberID) }
    }

    /// Whether some member has no room for more.
    package var isOutOfSpace: Bool { alarms.contains { $0.kind == .noSpace } }

    /// Whether the replicas' states differ, and nobody can say which one is right.
    package var isCorrupt: Bool { alarms.contains { $0.kind == .corrupt } }

    /// Member 0 stands for nobody that is known.
    mutating func apply(_ change: AlarmChange) {
        let alarm = ClusterAlarm(memberID: change.memberID, kind: change.kind)
        alarms.removeAll { $0 == alarm }
        guard change.isRaised, change.memberID == 0 || membership.contains(change.memberID)
        else { return }
        alarms.append(alarm)
        alarms.sort { ($0.memberID, $0.kind.rawValue) < ($1.memberID, $1.kind.rawValue) }
    }

    package func encoded() -> Bytes {
        var writer = ByteWriter()
        writer.write(Self.formatVersion)
        membership.encode(to: &writer)
        writer.writeVarint(UInt64(members.count))
        for member in members { member.encode(to: &writer) }
        writer.writeVarint(UInt64(alarms.count))
        for alarm in alarms {
            writer.writeVarint(alarm.memberID)
            writer.write(alarm.kind.rawValue)
        }
        return writer.bytes
    }

    package init(decoding bytes: Bytes) throws(DecodingFailure) {
        var reader = ByteReader(bytes)
        let version = try reader.readByte("membership format")
        guard version == Self.formatVersion else {
            throw reader.failure("membership format", "unknown version \(version)")
        }
        membership = try Membership(from: &reader)
        let count = try reader.readVarint("members")
        guard count <= UInt64(reader.remaining) else {
            throw reader.failure("members", "input ends early")
        }
        members = []
        for _ in 0..<count { members.append(try ReplicaMember(from: &reader)) }
        for _ in 0..<(try reader.readVarint("alarms")) {
            let memberID = try reader.readVarint("alarm member")
            let raw = try reader.readByte("alarm kind")
            guard let kind = AlarmChange.Kind(rawValue: raw) else {
                throw reader.failure("alarm kind", "\(raw) is not known")
            }
            alarms.append(ClusterAlarm(memberID: memberID, kind: kind))
        }
        try reader.expectEnd("membership")
    }
}

/// An alarm that is on.
package struct ClusterAlarm: Sendable, Hashable {
    package var memberID: UInt64
    package var kind: AlarmChange.Kind

    package init(memberID: UInt64, kind: AlarmChange.Kind) {
        self.memberID = memberID
        self.kind = kind
    }
}
