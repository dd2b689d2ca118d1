import Basics

/// Reads a segment by sectors, through one buffer of a mebibyte.
struct SegmentReader {
    private static let chunkSectors: UInt32 = 2048

    let file: any LogFile
    let sequence: UInt32
    /// Salt of the sectors behind the header; known once the header is.
    var salt: UInt32 = 0
    /// Sectors in the file; the last may be cut short.
    let sectors: UInt32
    private var chunk: Bytes = []
    private var chunkStart: UInt32 = 0

    init(_ file: any LogFile, sequence: UInt32) throws(LogError) {
        self.file = file
        self.sequence = sequence
        sectors = UInt32(clamping: (try file.size() + 511) / UInt64(Sector.byteCount))
    }

    /// What stands in a sector; one behind the end of the file was never written.
    mutating func state(_ number: UInt32) throws(LogError) -> Sector.State {
        guard let range = try load(number) else { return .unwritten }
        let salt = number < 2 ? 0 : self.salt
        return unsafe chunk.withUnsafeBytes { raw in
            unsafe Sector.state(
                of: UnsafeRawBufferPointer(rebasing: raw[range]), number: number,
                sequence: sequence, salt: salt)
        }
    }

    /// The payload of a sector in the file.
    mutating func payload(_ number: UInt32) throws(LogError) -> ArraySlice<UInt8> {
        guard let range = try load(number) else { return [] }
        return chunk[range.lowerBound..<range.lowerBound + Sector.payloadBytes]
    }

    /// The checksum of a sector in the file.
    mutating func check(_ number: UInt32) throws(LogError) -> UInt32 {
        guard let range = try load(number) else { return 0 }
        return UInt32(littleEndianBytes: chunk[range.upperBound - 4..<range.upperBound])
    }

    private mutating func load(_ number: UInt32) throws(LogError) -> Range<Int>? {
        guard number < sectors else { return nil }
        let end = chunkStart + UInt32(chunk.count / Sector.byteCount)
        if number < chunkStart || number >= end {
            let count = min(SegmentReader.chunkSectors, sectors - number)
            chunk = try read(number, count)
            chunkStart = number
        }
        let start = Int(number - chunkStart) * Sector.byteCount
        return start..<start + Sector.byteCount
    }

    /// A sector that the disk cannot read counts as damaged: its bytes become something that no
    /// checksum matches, and its neighbours are read by themselves.
    private func read(_ number: UInt32, _ count: UInt32) throws(LogError) -> Bytes {
        let offset = UInt64(number) * UInt64(Sector.byteCount)
        let whole = Int(count) * Sector.byteCount
        do throws(LogError) {
            let bytes = try file.read(at: offset, count: whole)
            return bytes + Bytes(repeating: 0, count: whole - bytes.count)
        } catch {
            var bytes = Bytes()
            bytes.reserveCapacity(whole)
            var readable = 0
            for index in 0..<UInt64(count) {
                let place = offset + index * UInt64(Sector.byteCount)
                if let sector = try? file.read(at: place, count: Sector.byteCount) {
                    bytes += sector + Bytes(repeating: 0, count: Sector.byteCount - sector.count)
                    readable += 1
                } else {
                    bytes += Bytes(repeating: 0xff, count: Sector.byteCount)
                }
            }
            // A disk that reads nothing at all is not a damaged log.
            guard readable > 0 else { throw error }
            return bytes
        }
    }
}
