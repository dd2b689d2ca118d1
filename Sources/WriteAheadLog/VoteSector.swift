import Basics

/// Term and vote, kept twice in the newest segment beside the records that hold them too.
///
/// A damaged record may cost entries, which peers have; it must not cost a vote, which nobody else
/// remembers. Both are written with every change, and the higher count is the newer.
struct VoteSector: Equatable {
    static let numbers: ClosedRange<UInt32> = 2...3

    var count: UInt64
    var term: UInt64
    var vote: UInt64

    func encoded(at number: UInt32, sequence: UInt32, salt: UInt32) -> Bytes {
        var writer = ByteWriter(reserving: 24)
        writer.writeLittleEndian(count)
        writer.writeLittleEndian(term)
        writer.writeLittleEndian(vote)
        return Sector.seal(writer.bytes, at: number, sequence: sequence, durable: 0, salt: salt)
    }

    static func decode(_ payload: ArraySlice<UInt8>) -> VoteSector {
        let start = payload.startIndex
        return VoteSector(
            count: UInt64(littleEndianBytes: payload[start..<start + 8]),
            term: UInt64(littleEndianBytes: payload[start + 8..<start + 16]),
            vote: UInt64(littleEndianBytes: payload[start + 16..<start + 24]))
    }
}
