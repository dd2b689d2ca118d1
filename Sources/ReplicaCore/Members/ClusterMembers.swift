package import Basics
package import Raft

/// Raft's membership and the members' particulars: the keyspace's `membership` blob, which every
/// replica holds alike as of its applied entry.
package struct ClusterMembers: Sendable, Hashable {
    static let formatVersion: UInt8 = 2

    package var membership: Membership
    /// Sorted by id; everyone in `membership` and nobody else.
    package var members: [ReplicaMember]

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
    }

    package func encoded() -> Bytes {
        var writer = ByteWriter()
        writer.write(Self.formatVersion)
        membership.encode(to: &writer)
        writer.writeVarint(UInt64(members.count))
        for member in members { member.encode(to: &writer) }
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
        try reader.expectEnd("membership")
    }
}
