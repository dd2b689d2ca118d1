import Basics
package import Raft

/// The Raft log on disk: entries, hard state and snapshot marks in segment files.
///
/// One thread at a time. Nothing is durable before `sync` returned; after any error but a
/// refused opening the log must not be used again. The first append of a log, and the rotation to
/// a new segment, sync by themselves.
package final class WriteAheadLog {
    package struct Options: Sendable {
        /// A segment is closed when it would pass this size; one larger append goes alone.
        package var segmentBytes: UInt64 = 64 << 20
        /// Space reserved at first; doubled as needed up to `segmentBytes`, so that a small
        /// log stays small on disk.
        package var firstReserveBytes: UInt64 = 1 << 20

        package init() {}
    }

    private let files: any LogFiles
    private let clusterID: UInt64
    private let options: Options
    private var segments: [LogScan.Segment]
    private var file: any LogFile
    /// Space of the current file that is reserved.
    private var reserved: UInt64
    /// Offset in the current file up to which everything is synced.
    private var durable: UInt64
    private var hardState: HardState
    private var snapshot: SnapshotMark
    package private(set) var lastIndex: UInt64
    private var lastTerm: UInt64

    /// Opens the log of `files`, or begins one if there is none. An append that a crash tore is
    /// cut off the end; anything else that is not as it was written is refused.
    ///
    /// - Parameter skipping: entries up to this index are checked but not kept in memory.
    package static func open(
        _ files: any LogFiles, clusterID: UInt64, options: Options = Options(),
        skipping: UInt64 = 0
    ) throws(LogError) -> (log: WriteAheadLog, recovered: RecoveredLog) {
        var recovered = RecoveredLog()
        recovered.skipping = skipping
        let scan = try LogScan.scan(files, clusterID: clusterID) { index, term in
            recovered.begin(previousIndex: index, previousTerm: term)
        } visit: { record, _, _ in
            recovered.take(record)
        }
        if let unborn = scan.unbornFile {
            try files.remove(unborn)
            try files.syncDirectory()
        }
        recovered.cutBytes = scan.tornBytes
        recovered.isNew = scan.segments.isEmpty
        let log = try WriteAheadLog(files, clusterID, options, scan, recovered)
        return (log, recovered)
    }

    private init(
        _ files: any LogFiles, _ clusterID: UInt64, _ options: Options, _ scan: LogScan,
        _ recovered: RecoveredLog
    ) throws(LogError) {
        self.files = files
        self.clusterID = clusterID
        self.options = options
        segments = scan.segments
        hardState = recovered.hardState
        snapshot = recovered.snapshot
        lastIndex = recovered.lastIndex
        lastTerm = recovered.lastTerm
        if let newest = scan.segments.last {
            file = try files.open(newest.name)
            // What a crash left behind the end must not be taken for a later append.
            if scan.tornBytes > 0 { try file.truncate(newest.usedBytes) }
            reserved = try file.size()
            // Read back is not yet durable: a killed process may have left it in the page cache.
            try file.sync()
            try files.syncDirectory()
            durable = newest.usedBytes
        } else {
            file = try files.create(SegmentHeader.fileName(sequence: 1))
            reserved = 0
            durable = 0
            segments = [
                LogScan.Segment(
                    sequence: 1, name: SegmentHeader.fileName(sequence: 1), usedBytes: 0,
                    lastEntry: 0)
            ]
            try beginSegment(previousBytes: 0)
        }
    }

    /// Bytes of all segments that are in use.
    package var usedBytes: UInt64 { segments.reduce(0) { $0 + $1.usedBytes } }

    /// Writes hard state and entries as one frame. Entries are contiguous and begin at most one
    /// behind the last; an index that the log has already replaces that entry and all behind it.
    package func append(hardState: HardState? = nil, entries: [Entry]) throws(LogError) {
        let recordBytes = entries.reduce(32) { $0 + LogRecord.entryHeaderBytes + $1.payload.count }
        try rotateIfFull(recordBytes)
        var writer = Frame.begin(reserving: recordBytes)
        if let hardState, hardState != self.hardState {
            LogRecord.hardState(hardState).write(to: &writer)
            self.hardState = hardState
        }
        for entry in entries {
            precondition(
                entry.index <= lastIndex + 1 && entry.index > 0,
                "entry \(entry.index) after \(lastIndex)")
            LogRecord.write(entry, to: &writer)
            lastIndex = entry.index
            lastTerm = entry.term
        }
        guard writer.count > Frame.headerBytes else { return }
        try put(writer)
        if let last = entries.last {
            segments[segments.count - 1].lastEntry = max(
                segments[segments.count - 1].lastEntry, last.index)
        }
    }

    /// Notes that a synced snapshot file covers the log up to the mark; an installed one empties
    /// the log, which goes on behind it.
    package func mark(_ mark: SnapshotMark) throws(LogError) {
        try rotateIfFull(32)
        var writer = Frame.begin(reserving: 32)
        LogRecord.snapshot(mark).write(to: &writer)
        try put(writer)
        snapshot = mark
        guard mark.isInstalled else { return }
        lastIndex = mark.index
        lastTerm = mark.term
    }

    /// Makes everything appended so far durable. A failure is final (exit 70).
    package func sync() throws(LogError) {
        let end = segments[segments.count - 1].usedBytes
        guard durable < end else { return }
        try file.sync()
        durable = end
    }

    /// Removes the oldest segments that hold no entry from `index` on.
    package func release(before index: UInt64) throws(LogError) {
        while segments.count > 1, segments[0].lastEntry < index {
            try files.remove(segments[0].name)
            // One by one: a gap in the numbers would be taken for a lost file.
            try files.syncDirectory()
            segments.removeFirst()
        }
    }

    /// Closes the file; does not sync.
    package func close() {
        file.close()
    }

    /// Comes before anything of the append is noted: the new segment begins with what was.
    private func rotateIfFull(_ recordBytes: Int) throws(LogError) {
        let newest = segments[segments.count - 1]
        let end = newest.usedBytes + UInt64(Frame.paddedBytes(recordBytes))
        if end > options.segmentBytes, newest.lastEntry > 0 { try rotate() }
    }

    private func put(_ writer: consuming ByteWriter) throws(LogError) {
        let bytes = UInt64(Frame.paddedBytes(writer.count - Frame.headerBytes))
        let newest = segments.count - 1
        let offset = segments[newest].usedBytes
        try reserve(offset + bytes)
        let frame = Frame.seal(
            writer, sequence: segments[newest].sequence, offset: offset, durable: durable)
        try file.write(frame, at: offset)
        segments[newest].usedBytes = offset + bytes
    }

    private func reserve(_ size: UInt64) throws(LogError) {
        guard size > reserved else { return }
        var next = max(reserved, options.firstReserveBytes)
        while next < size { next *= 2 }
        if next > options.segmentBytes { next = max(options.segmentBytes, size) }
        try file.reserve(next)
        reserved = next
    }

    /// Closes the current segment and begins the next.
    private func rotate() throws(LogError) {
        try sync()
        let old = segments[segments.count - 1]
        try file.truncate(old.usedBytes)
        file.close()
        let name = SegmentHeader.fileName(sequence: old.sequence + 1)
        file = try files.create(name)
        reserved = 0
        durable = 0
        segments.append(
            LogScan.Segment(sequence: old.sequence + 1, name: name, usedBytes: 0, lastEntry: 0))
        try beginSegment(previousBytes: old.usedBytes)
    }

    /// Writes header, hard state and snapshot mark, so that the segments before can go.
    private func beginSegment(previousBytes: UInt64) throws(LogError) {
        let newest = segments.count - 1
        let header = SegmentHeader(
            clusterID: clusterID, sequence: segments[newest].sequence, previousIndex: lastIndex,
            previousTerm: lastTerm, previousBytes: previousBytes)
        try reserve(UInt64(SegmentHeader.byteCount))
        try file.write(header.encoded(), at: 0)
        segments[newest].usedBytes = UInt64(SegmentHeader.byteCount)
        var writer = Frame.begin(reserving: 64)
        LogRecord.hardState(hardState).write(to: &writer)
        if snapshot.index > 0 {
            // Not the installed flag: the entries since then must stay.
            let mark = SnapshotMark(index: snapshot.index, term: snapshot.term)
            LogRecord.snapshot(mark).write(to: &writer)
        }
        try put(writer)
        try file.sync()
        try files.syncDirectory()
        durable = segments[newest].usedBytes
    }
}
