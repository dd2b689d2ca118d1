package import Basics

/// A change of the members that somebody asks for: docs/formats/peer-protocol.md.
package enum MemberRequest: Sendable, Hashable {
    /// Takes a new member in, as a learner. It becomes a voter by itself once it has caught up,
    /// unless it is to stay a learner. The id in it is chosen by the leader.
    case add(ReplicaMember, staysLearner: Bool)
    case remove(UInt64)
    /// Makes a learner that keeps up a voter.
    case promote(UInt64)
    /// Changes the peer address of a member.
    case update(UInt64, host: String, port: Int)
    /// Makes these the members, all of them voters and nobody else: newcomers catch up as learners
    /// first, then one change does the rest. Names of members need no address.
    case set([ReplicaMember])
    /// Gives the member of this name, which lost its directory, a new id.
    case replace(name: String)
}

extension MemberRequest {
    private enum Tag: UInt8 {
        case add = 1
        case addLearner = 2
        case remove = 3
        case promote = 4
        case update = 5
        case set = 6
        case replace = 7
    }

    func encode(to writer: inout ByteWriter) {
        switch self {
        case .add(let member, let staysLearner):
            writer.write((staysLearner ? Tag.addLearner : .add).rawValue)
            member.encode(to: &writer)
        case .remove(let id):
            writer.write(Tag.remove.rawValue)
            writer.writeVarint(id)
        case .promote(let id):
            writer.write(Tag.promote.rawValue)
            writer.writeVarint(id)
        case .update(let id, let host, let port):
            writer.write(Tag.update.rawValue)
            ReplicaMember(id: id, name: "", peerHost: host, peerPort: port).encode(to: &writer)
        case .set(let members):
            writer.write(Tag.set.rawValue)
            writer.writeVarint(UInt64(members.count))
            for member in members { member.encode(to: &writer) }
        case .replace(let name):
            writer.write(Tag.replace.rawValue)
            writer.writeCounted(Array(name.utf8))
        }
    }

    init(from reader: inout ByteReader) throws(DecodingFailure) {
        let raw = try reader.readByte("member request kind")
        switch Tag(rawValue: raw) {
        case .add: self = .add(try ReplicaMember(from: &reader), staysLearner: false)
        case .addLearner: self = .add(try ReplicaMember(from: &reader), staysLearner: true)
        case .remove: self = .remove(try reader.readVarint("member id"))
        case .promote: self = .promote(try reader.readVarint("member id"))
        case .update:
            let member = try ReplicaMember(from: &reader)
            self = .update(member.id, host: member.peerHost, port: member.peerPort)
        case .set:
            let count = try reader.readVarint("members")
            guard count <= UInt64(reader.remaining) else {
                throw reader.failure("members", "input ends early")
            }
            var members: [ReplicaMember] = []
            for _ in 0..<count { members.append(try ReplicaMember(from: &reader)) }
            self = .set(members)
        case .replace: self = .replace(name: try reader.readText("member name"))
        case nil: throw reader.failure("member request kind", "unknown kind \(raw)")
        }
    }

    package func encoded() -> Bytes {
        var writer = ByteWriter()
        encode(to: &writer)
        return writer.bytes
    }

    package init(decoding bytes: Bytes) throws(DecodingFailure) {
        var reader = ByteReader(bytes)
        try self.init(from: &reader)
        try reader.expectEnd("member request")
    }
}
