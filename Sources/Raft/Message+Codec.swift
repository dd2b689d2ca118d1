package import Basics

/// Bytes of a message: docs/formats/raft-messages.md.
extension Message {
    /// Raised when a field changes its meaning. A receiver refuses other versions.
    package static let formatVersion: UInt8 = 2

    private enum Tag: UInt8 {
        case preVote = 1
        case preVoteResponse = 2
        case vote = 3
        case voteResponse = 4
        case append = 5
        case appended = 6
        case appendRejected = 7
        case heartbeat = 8
        case heartbeatResponse = 9
        case readIndex = 10
        case readIndexResponse = 11
        case installSnapshot = 12
        case timeoutNow = 13
    }

    package func encoded() -> Bytes {
        var writer = ByteWriter(reserving: 64)
        encode(to: &writer)
        return writer.bytes
    }

    package func encode(to writer: inout ByteWriter) {
        writer.write(Self.formatVersion)
        writer.write(tag.rawValue)
        writer.writeVarint(from)
        writer.writeVarint(to)
        writer.writeVarint(term)
        switch body {
        case .preVote(let lastIndex, let lastTerm):
            writer.writeVarints(lastIndex, lastTerm)
        case .vote(let lastIndex, let lastTerm, let isTransfer):
            writer.writeVarints(lastIndex, lastTerm)
            writer.write(isTransfer)
        case .preVoteResponse(let isGranted), .voteResponse(let isGranted):
            writer.write(isGranted)
        case .append(let prevIndex, let prevTerm, let entries, let commit):
            writer.writeVarints(prevIndex, prevTerm, commit, UInt64(entries.count))
            for entry in entries { entry.encode(to: &writer) }
        case .appended(let index):
            writer.writeVarint(index)
        case .appendRejected(let index, let hintIndex, let hintTerm):
            writer.writeVarints(index, hintIndex, hintTerm)
        case .heartbeat(let commit, let read):
            writer.writeVarints(commit, read)
        case .heartbeatResponse(let read):
            writer.writeVarint(read)
        case .readIndex(let tokens):
            writer.writeVarint(UInt64(tokens.count))
            for token in tokens { writer.writeVarint(token) }
        case .readIndexResponse(let index, let tokens):
            writer.writeVarints(index, UInt64(tokens.count))
            for token in tokens { writer.writeVarint(token) }
        case .installSnapshot(let meta):
            writer.writeVarints(meta.index, meta.term)
            meta.membership.encode(to: &writer)
        case .timeoutNow:
            break
        }
    }

    package init(decoding bytes: Bytes) throws(DecodingFailure) {
        var reader = ByteReader(bytes)
        let version = try reader.readByte("message version")
        guard version == Self.formatVersion else {
            throw reader.failure("message version", "\(version) is not \(Self.formatVersion)")
        }
        let raw = try reader.readByte("message kind")
        guard let tag = Tag(rawValue: raw) else {
            throw reader.failure("message kind", "unknown kind \(raw)")
        }
        from = try reader.readMember("from")
        to = try reader.readMember("to")
        term = try reader.readVarint("term")
        body = try Self.readBody(tag, from: &reader)
        try reader.expectEnd("message")
    }

    private static func readBody(
        _ tag: Tag, from reader: inout ByteReader
    ) throws(DecodingFailure) -> Body {
        switch tag {
        case .preVote:
            return .preVote(
                lastIndex: try reader.readVarint("last index"),
                lastTerm: try reader.readVarint("last term"))
        case .vote:
            return .vote(
                lastIndex: try reader.readVarint("last index"),
                lastTerm: try reader.readVarint("last term"),
                isTransfer: try reader.readBool("transfer"))
        case .preVoteResponse: return .preVoteResponse(granted: try reader.readBool("granted"))
        case .voteResponse: return .voteResponse(granted: try reader.readBool("granted"))
        case .append: return try readAppend(from: &reader)
        case .appended: return .appended(index: try reader.readVarint("index"))
        case .appendRejected:
            return .appendRejected(
                index: try reader.readVarint("index"),
                hintIndex: try reader.readVarint("hint index"),
                hintTerm: try reader.readVarint("hint term"))
        case .heartbeat:
            return .heartbeat(
                commit: try reader.readVarint("commit"), read: try reader.readVarint("read"))
        case .heartbeatResponse: return .heartbeatResponse(read: try reader.readVarint("read"))
        case .readIndex: return .readIndex(tokens: try reader.readTokens())
        case .readIndexResponse:
            return .readIndexResponse(
                index: try reader.readVarint("index"), tokens: try reader.readTokens())
        case .installSnapshot:
            return .installSnapshot(
                SnapshotMeta(
                    index: try reader.readVarint("snapshot index"),
                    term: try reader.readVarint("snapshot term"),
                    membership: try Membership(from: &reader)))
        case .timeoutNow: return .timeoutNow
        }
    }

    /// Entries must follow each other: the receiver's log relies on it.
    private static func readAppend(from reader: inout ByteReader) throws(DecodingFailure) -> Body {
        let prevIndex = try reader.readVarint("previous index")
        let prevTerm = try reader.readVarint("previous term")
        let commit = try reader.readVarint("commit")
        let count = try reader.readCount("entry count")
        var entries: [Entry] = []
        entries.reserveCapacity(count)
        var last = (index: prevIndex, term: prevTerm)
        for _ in 0..<count {
            let entry = try Entry(from: &reader)
            guard last.index < UInt64.max, entry.index == last.index + 1, entry.term >= last.term
            else { throw reader.failure("entry", "does not follow entry \(last.index)") }
            last = (entry.index, entry.term)
            entries.append(entry)
        }
        return .append(prevIndex: prevIndex, prevTerm: prevTerm, entries: entries, commit: commit)
    }

    private var tag: Tag {
        switch body {
        case .preVote: .preVote
        case .preVoteResponse: .preVoteResponse
        case .vote: .vote
        case .voteResponse: .voteResponse
        case .append: .append
        case .appended: .appended
        case .appendRejected: .appendRejected
        case .heartbeat: .heartbeat
        case .heartbeatResponse: .heartbeatResponse
        case .readIndex: .readIndex
        case .readIndexResponse: .readIndexResponse
        case .installSnapshot: .installSnapshot
        case .timeoutNow: .timeoutNow
        }
    }
}

extension Entry {
    package func encode(to writer: inout ByteWriter) {
        writer.writeVarints(term, index)
        writer.write(kind.rawValue)
        writer.writeCounted(payload)
    }

    package init(from reader: inout ByteReader) throws(DecodingFailure) {
        term = try reader.readVarint("entry term")
        index = try reader.readVarint("entry index")
        let raw = try reader.readByte("entry kind")
        guard let kind = Kind(rawValue: raw) else {
            throw reader.failure("entry kind", "unknown kind \(raw)")
        }
        self.kind = kind
        payload = try reader.readCounted("entry payload")
    }
}

extension ByteWriter {
    fileprivate mutating func writeVarints(_ values: UInt64...) {
        for value in values { writeVarint(value) }
    }
}

extension ByteReader {
    fileprivate mutating func readMember(_ field: String) throws(DecodingFailure) -> UInt64 {
        let id = try readVarint(field)
        guard id != 0 else { throw failure(field, "0 is not a member id") }
        return id
    }

    /// A count of things of one byte at least each.
    fileprivate mutating func readCount(_ field: String) throws(DecodingFailure) -> Int {
        let count = try readVarint(field)
        guard count <= UInt64(remaining) else { throw failure(field, "input ends early") }
        return Int(count)
    }

    fileprivate mutating func readTokens() throws(DecodingFailure) -> [UInt64] {
        let count = try readCount("token count")
        var tokens: [UInt64] = []
        for _ in 0..<count { tokens.append(try readVarint("token")) }
        return tokens
    }
}
