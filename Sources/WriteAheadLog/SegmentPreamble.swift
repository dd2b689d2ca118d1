import Basics

/// What the first sectors of a segment say.
enum SegmentPreamble {
    case header(SegmentHeader)
    /// The header was never synced: nothing in the file counts.
    case unborn
    case damaged

    /// - Parameter clusterID: the cluster that the log must belong to; nil takes any.
    static func read(
        _ reader: inout SegmentReader, place: String, clusterID: UInt64?
    ) throws(LogError) -> SegmentPreamble {
        var isDamaged = false
        var header: SegmentHeader?
        for number in [0, 1] as [UInt32] where header == nil {
            switch try reader.state(number) {
            case .current: header = SegmentHeader.decode(try reader.payload(number))
            case .unwritten: break
            case .damaged: isDamaged = true
            }
        }
        if let header {
            if let clusterID, header.clusterID != clusterID {
                throw LogError(
                    .foreign, file: place,
                    "belongs to cluster \(String(header.clusterID, radix: 16)), not to "
                        + String(clusterID, radix: 16))
            }
            return .header(header)
        }
        for number in [0, 1] as [UInt32] {
            if let version = SegmentHeader.version(of: try reader.payload(number)),
                version != SegmentHeader.formatVersion, version <= UInt16.max
            {
                throw LogError(
                    .foreign, file: place,
                    "format version \(version) is not the \(SegmentHeader.formatVersion) that this"
                        + " program reads")
            }
        }
        // Both were written at once: before that was synced each is as before or as it was to be.
        return isDamaged ? .damaged : .unborn
    }

    /// The newest vote that the segment holds; nil if both places are damaged or were never
    /// written.
    static func vote(_ reader: inout SegmentReader) throws(LogError) -> VoteSector? {
        var newest: VoteSector?
        for number in VoteSector.numbers {
            guard case .current = try reader.state(number) else { continue }
            let found = VoteSector.decode(try reader.payload(number))
            if found.count >= newest?.count ?? 0 { newest = found }
        }
        return newest
    }
}
