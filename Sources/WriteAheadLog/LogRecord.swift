import Basics
package import Raft

/// What one record of the log says. The bytes are in docs/formats/write-ahead-log.md.
package enum LogRecord: Sendable, Equatable {
    /// An entry; one whose index is in the log already replaces it and everything behind it.
    case entry(Entry)
    case hardState(HardState)
    case snapshot(SnapshotMark)
    /// What damage may have cost this log; nil once the replica has it again.
    case lost(LostTail?)
}

/// A point of the log that a synced snapshot file covers.
package struct SnapshotMark: Sendable, Hashable {
    package var index: UInt64
    package var term: UInt64
    /// The snapshot came from another replica: the entries before the mark are gone, and the log
    /// goes on behind it.
    package var isInstalled: Bool

    package init(index: UInt64, term: UInt64, isInstalled: Bool = false) {
        self.index = index
        self.term = term
        self.isInstalled = isInstalled
    }
}

extension LogRecord {
    private static let entryType: UInt8 = 1
    private static let hardStateType: UInt8 = 2
    private static let snapshotType: UInt8 = 3
    private static let lostType: UInt8 = 4
    /// Bytes of an entry's record before its payload.
    static let entryHeaderBytes = 24

    /// Writes an entry without wrapping it in a record first: the path of every write.
    static func write(_ entry: Entry, to writer: inout ByteWriter) {
        writer.write(entryType)
        writer.write(entry.kind.rawValue)
        writer.writeLittleEndian(UInt16(0))
        writer.writeLittleEndian(UInt32(entry.payload.count))
        writer.writeLittleEndian(entry.index)
        writer.writeLittleEndian(entry.term)
        writer.write(entry.payload)
    }

    func write(to writer: inout ByteWriter) {
        switch self {
        case .entry(let entry):
            LogRecord.write(entry, to: &writer)
        case .hardState(let state):
            writer.writeLittleEndian(UInt64(LogRecord.hardStateType))
            writer.writeLittleEndian(state.term)
            writer.writeLittleEndian(state.vote)
            writer.writeLittleEndian(state.commit)
        case .snapshot(let mark):
            writer.write(LogRecord.snapshotType)
            writer.write(mark.isInstalled)
            writer.write(Bytes(repeating: 0, count: 6))
            writer.writeLittleEndian(mark.index)
            writer.writeLittleEndian(mark.term)
        case .lost(let lost):
            writer.write(LogRecord.lostType)
            let (state, index, term): (UInt8, UInt64, UInt64) =
                switch lost {
                case nil: (0, 0, 0)
                case .upTo(let term, let index): (1, index, term)
                case .unknown: (2, 0, 0)
                }
            writer.write(state)
            writer.write(Bytes(repeating: 0, count: 6))
            writer.writeLittleEndian(index)
            writer.writeLittleEndian(term)
        }
    }

    init(from reader: inout ByteReader) throws(DecodingFailure) {
        switch try reader.readByte("record type") {
        case LogRecord.entryType:
            let rawKind = try reader.readByte("entry kind")
            guard let kind = Entry.Kind(rawValue: rawKind) else {
                throw reader.failure("entry kind", "unknown kind \(rawKind)")
            }
            try reader.skip("entry", count: 2)
            let count: UInt32 = try reader.readLittleEndian("entry payload length")
            let index: UInt64 = try reader.readLittleEndian("entry index")
            let term: UInt64 = try reader.readLittleEndian("entry term")
            let payload = try reader.read("entry payload", count: Int(count))
            self = .entry(Entry(term: term, index: index, kind: kind, payload: payload))
        case LogRecord.hardStateType:
            try reader.skip("hard state", count: 7)
            let term: UInt64 = try reader.readLittleEndian("hard state term")
            let vote: UInt64 = try reader.readLittleEndian("hard state vote")
            let commit: UInt64 = try reader.readLittleEndian("hard state commit")
            self = .hardState(HardState(term: term, vote: vote, commit: commit))
        case LogRecord.snapshotType:
            let isInstalled = try reader.readBool("snapshot mark flag")
            try reader.skip("snapshot mark", count: 6)
            let index: UInt64 = try reader.readLittleEndian("snapshot mark index")
            let term: UInt64 = try reader.readLittleEndian("snapshot mark term")
            self = .snapshot(SnapshotMark(index: index, term: term, isInstalled: isInstalled))
        case LogRecord.lostType:
            let state = try reader.readByte("lost tail state")
            try reader.skip("lost tail", count: 6)
            let index: UInt64 = try reader.readLittleEndian("lost tail index")
            let term: UInt64 = try reader.readLittleEndian("lost tail term")
            switch state {
            case 0: self = .lost(nil)
            case 1: self = .lost(.upTo(term: term, index: index))
            case 2: self = .lost(.unknown)
            default: throw reader.failure("lost tail state", "unknown state \(state)")
            }
        case let type:
            throw reader.failure("record type", "unknown type \(type)")
        }
    }
}
