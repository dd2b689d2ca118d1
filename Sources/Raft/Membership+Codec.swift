package import Basics

/// Bytes of a membership: docs/formats/raft-messages.md.
extension Membership {
    package func encode(to writer: inout ByteWriter) {
        for list in [voters, outgoing, learners, joining] {
            writer.writeVarint(UInt64(list.count))
            for id in list { writer.writeVarint(id) }
        }
    }

    package init(from reader: inout ByteReader) throws(DecodingFailure) {
        voters = try Self.readIDs("voters", from: &reader)
        outgoing = try Self.readIDs("outgoing voters", from: &reader)
        learners = try Self.readIDs("learners", from: &reader)
        joining = try Self.readIDs("joining", from: &reader)
        for id in learners where voters.contains(id) {
            throw reader.failure("learners", "member \(id) is voter and learner")
        }
        for id in joining where !learners.contains(id) {
            throw reader.failure("joining", "member \(id) is no learner")
        }
        guard !voters.isEmpty || outgoing.isEmpty else {
            throw reader.failure("outgoing voters", "without voters")
        }
    }

    private static func readIDs(
        _ field: String, from reader: inout ByteReader
    ) throws(DecodingFailure) -> [UInt64] {
        let count = try reader.readVarint(field)
        guard count <= UInt64(reader.remaining) else {
            throw reader.failure(field, "input ends early")
        }
        var ids: [UInt64] = []
        for _ in 0..<count {
            let id = try reader.readVarint(field)
            guard id > ids.last ?? 0 else { throw reader.failure(field, "not in rising order") }
            ids.append(id)
        }
        return ids
    }

    package func encoded() -> Bytes {
        var writer = ByteWriter()
        encode(to: &writer)
        return writer.bytes
    }

    package init(decoding bytes: Bytes) throws(DecodingFailure) {
        var reader = ByteReader(bytes)
        try self.init(from: &reader)
        try reader.expectEnd("membership")
    }
}
