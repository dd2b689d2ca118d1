import Basics
import Raft

/// Reads a log without changing it: what opening and `martlet-dump` have in common.
package struct LogScan {
    package struct Segment: Sendable {
        package var sequence: UInt64
        package var name: String
        /// Bytes in use, header included.
        package var usedBytes: UInt64
        /// Highest index of an entry that was ever written to it; 0 for none.
        package var lastEntry: UInt64
    }

    package var clusterID: UInt64
    package var segments: [Segment]
    /// Where the newest segment ends in a torn append: its length up to the end of the file.
    package var tornBytes: UInt64
    /// Newest file, if it was created but never got its header.
    var unbornFile: String?

    /// Calls `visit` with every record in order, with the file and the offset of its frame;
    /// a text that it returns makes the record damage.
    ///
    /// - Parameter clusterID: the cluster that the log must belong to; nil takes any.
    package static func scan(
        _ files: any LogFiles, clusterID: UInt64?,
        begin: (_ previousIndex: UInt64, _ previousTerm: UInt64) -> Void = { _, _ in },
        visit: (_ record: LogRecord, _ file: String, _ offset: UInt64) -> String?
    ) throws(LogError) -> LogScan {
        var sequences: [UInt64] = []
        for name in try files.names() {
            if let sequence = SegmentHeader.sequence(ofFile: name) { sequences.append(sequence) }
        }
        var result = LogScan(clusterID: clusterID ?? 0, segments: [], tornBytes: 0)
        for (position, sequence) in sequences.enumerated() {
            let name = SegmentHeader.fileName(sequence: sequence)
            let isNewest = position == sequences.count - 1
            if let before = result.segments.last, before.sequence + 1 != sequence {
                let missing = SegmentHeader.fileName(sequence: before.sequence + 1)
                throw LogError(.corrupt, file: missing, "the file is missing from the log")
            }
            let file = try files.open(name)
            defer { file.close() }
            var scan = SegmentScan(
                name: name, sequence: sequence, reader: try SegmentReader(file))
            guard let header = try scan.header(isNewest: isNewest) else {
                result.unbornFile = name
                break
            }
            if let clusterID, header.clusterID != clusterID {
                throw LogError(
                    .foreign, file: name,
                    "belongs to cluster \(String(header.clusterID, radix: 16)), not to "
                        + String(clusterID, radix: 16))
            }
            result.clusterID = header.clusterID
            if let before = result.segments.last, before.usedBytes != header.previousBytes {
                throw LogError(
                    .corrupt, file: before.name, offset: before.usedBytes,
                    "the file should hold \(header.previousBytes) bytes")
            }
            if result.segments.isEmpty { begin(header.previousIndex, header.previousTerm) }
            try result.take(&scan, isNewest: isNewest, visit)
        }
        return result
    }

    private mutating func take(
        _ scan: inout SegmentScan, isNewest: Bool,
        _ visit: (_ record: LogRecord, _ file: String, _ offset: UInt64) -> String?
    ) throws(LogError) {
        var segment = Segment(
            sequence: scan.sequence, name: scan.name, usedBytes: 0, lastEntry: 0)
        var offset = UInt64(SegmentHeader.byteCount)
        walk: while true {
            switch try scan.step(at: offset) {
            case .frame(let end, let body):
                segment.lastEntry = max(
                    segment.lastEntry, try records(of: body, scan.name, offset, visit))
                offset = end
            case .end:
                break walk
            case .bad(let reason, let isTorn):
                guard isNewest, isTorn, try !scan.isProvenDurable(offset) else {
                    throw LogError(.corrupt, file: scan.name, offset: offset, reason)
                }
                tornBytes = scan.reader.size - offset
                break walk
            }
        }
        segment.usedBytes = offset
        segments.append(segment)
    }

    /// Visits the records of a frame; returns the highest index of an entry in it.
    private func records(
        of body: ArraySlice<UInt8>, _ name: String, _ offset: UInt64,
        _ visit: (_ record: LogRecord, _ file: String, _ offset: UInt64) -> String?
    ) throws(LogError) -> UInt64 {
        var reader = ByteReader(Bytes(body))
        var last: UInt64 = 0
        while !reader.isAtEnd {
            let record: LogRecord
            do throws(DecodingFailure) {
                record = try LogRecord(from: &reader)
            } catch {
                throw LogError(.corrupt, file: name, offset: offset, "\(error)")
            }
            if case .entry(let entry) = record { last = max(last, entry.index) }
            if let reason = visit(record, name, offset) {
                throw LogError(.corrupt, file: name, offset: offset, reason)
            }
        }
        return last
    }
}

extension SegmentScan {
    /// The header; nil if this is the newest file and a crash came before its first sync.
    fileprivate mutating func header(isNewest: Bool) throws(LogError) -> SegmentHeader? {
        let size = min(reader.size, UInt64(SegmentHeader.byteCount))
        let bytes = try reader.bytes(at: 0, count: Int(size)) ?? []
        if isNewest, bytes.allSatisfy({ $0 == 0 }) {
            guard try !isProvenDurable(0) else {
                throw LogError(.corrupt, file: name, "the header is gone")
            }
            return nil
        }
        let header = try SegmentHeader.decode(Bytes(bytes), file: name)
        guard header.sequence == sequence else {
            throw LogError(
                .corrupt, file: name, offset: 24, "the header has number \(header.sequence)")
        }
        return header
    }
}
