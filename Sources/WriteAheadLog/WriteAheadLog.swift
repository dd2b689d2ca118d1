import Basics
package import Raft

/// The Raft log on disk: entries, hard state and snapshot marks in segment files.
///
/// One thread at a time. What is appended gathers in memory; `sync` writes it as one frame and
/// makes it durable. Nothing is durable before `sync` returned; after any error but a refused
/// opening the log must not be used again. The first append of a log, and the rotation to a new
/// segment, sync by themselves.
package final class WriteAheadLog {
    package struct Options: Sendable {
        /// A segment is closed when it would pass this size; one larger frame goes alone.
        package var segmentBytes: UInt64 = 64 << 20
        /// Space reserved at first; doubled as needed up to `segmentBytes`, so that a small
        /// log stays small on disk.
        package var firstReserveBytes: UInt64 = 1 << 20
        /// Files kept to be used again: their blocks are allocated, so that a sync into them has
        /// no change of the file system to write.
        package var sparesMax = 2
        /// What gathers is written once it is this large, though it is not synced.
        package var frameBytesMax = 4 << 20

        package init() {}
    }

    let files: any LogFiles
    let clusterID: UInt64
    let salt: UInt32
    let options: Options
    var segments: [LogScan.Segment]
    var spares: [String]
    var file: any LogFile
    /// Space of the current file that is reserved.
    var reserved: UInt64
    /// Offset in the current file up to which everything is synced.
    var durable: UInt64
    /// Checksum of the last sector written.
    var lastCheck: UInt32
    var hardState: HardState
    var voteCount: UInt64
    var isVoteWritten = true
    var snapshot: SnapshotMark
    var lost: LostTail?
    package internal(set) var lastIndex: UInt64
    var lastTerm: UInt64
    /// Records that wait for the next write.
    private var pending = Frame.begin(reserving: 0)

    /// Opens the log of `files`, or begins one if there is none. A write that a crash tore is
    /// cut off the end; anything else that is not as it was written is damage.
    ///
    /// - Parameters:
    ///   - skipping: entries up to this index are not needed: segments that hold no others are not
    ///     read.
    ///   - keeping: how many of them are kept in memory all the same.
    package static func open(
        _ files: any LogFiles, clusterID: UInt64, options: Options = Options(),
        skipping: UInt64 = 0, keeping: KeptEntries = .none, damage policy: DamagePolicy = .refuse
    ) throws(LogError) -> (log: WriteAheadLog, recovered: RecoveredLog) {
        var recovered = RecoveredLog(skipping: skipping, keeping: keeping)
        let scan = try LogScan.walk(files, clusterID: clusterID, into: &recovered, policy)
        if let unborn = scan.unbornFile {
            try files.remove(unborn)
            try files.syncDirectory()
        }
        recovered.cutBytes = scan.tornBytes
        recovered.isNew = scan.segments.isEmpty
        let void = try recovered.settle(scan, policy)
        let log = try WriteAheadLog(files, clusterID, options, scan, recovered, void)
        return (log, recovered)
    }

    private init(
        _ files: any LogFiles, _ clusterID: UInt64, _ options: Options, _ scan: LogScan,
        _ recovered: RecoveredLog, _ void: VoidRange?
    ) throws(LogError) {
        self.files = files
        self.clusterID = clusterID
        self.options = options
        salt = Sector.salt(clusterID: clusterID)
        segments = scan.segments
        spares = scan.spares
        hardState = recovered.hardState
        voteCount = scan.vote?.count ?? 0
        snapshot = recovered.snapshot
        lost = recovered.lost
        lastIndex = recovered.lastIndex
        lastTerm = recovered.lastTerm
        lastCheck = scan.lastCheck
        reserved = 0
        durable = 0
        guard let newest = scan.segments.last else {
            file = try files.create(SegmentHeader.fileName(sequence: 1))
            segments = [
                LogScan.Segment(
                    sequence: 1, name: SegmentHeader.fileName(sequence: 1), usedBytes: 0,
                    lastEntry: 0)
            ]
            try beginSegment(previousBytes: 0, void: nil)
            return
        }
        file = try files.open(newest.name)
        reserved = try file.size()
        if let void {
            try rotate(void: void)
        } else {
            // What a crash left behind the end must not be taken for a part of a later write.
            if scan.tornBytes > 0 {
                let zeros = Bytes(repeating: 0, count: Int(scan.tornBytes))
                try file.write(zeros, at: newest.usedBytes)
            }
            // Read back is not yet durable: a killed process may have left it in the page cache.
            try file.sync()
            try files.syncDirectory()
            durable = newest.usedBytes
        }
    }

    /// Bytes of all segments that are in use.
    package var usedBytes: UInt64 { segments.reduce(0) { $0 + $1.usedBytes } }

    /// The entry before the first that the oldest segment may hold: what comes before is released.
    package var releasedIndex: UInt64 { segments[0].previousIndex }

    /// Adds hard state and entries. Entries are contiguous and begin at most one behind the last;
    /// an index that the log has already replaces that entry and all behind it.
    package func append(hardState: HardState? = nil, entries: [Entry]) throws(LogError) {
        let recordBytes = entries.reduce(32) { $0 + LogRecord.entryHeaderBytes + $1.payload.count }
        try makeRoom(recordBytes)
        if let hardState, hardState != self.hardState {
            LogRecord.hardState(hardState).write(to: &pending)
            if (hardState.term, hardState.vote) != (self.hardState.term, self.hardState.vote) {
                isVoteWritten = false
            }
            self.hardState = hardState
        }
        for entry in entries {
            precondition(
                entry.index <= lastIndex + 1 && entry.index > 0,
                "entry \(entry.index) after \(lastIndex)")
            LogRecord.write(entry, to: &pending)
            lastIndex = entry.index
            lastTerm = entry.term
        }
        if let last = entries.last {
            segments[segments.count - 1].lastEntry = max(
                segments[segments.count - 1].lastEntry, last.index)
        }
    }

    /// Notes that a synced snapshot file covers the log up to the mark; an installed one empties
    /// the log, which goes on behind it.
    package func mark(_ mark: SnapshotMark) throws(LogError) {
        try makeRoom(32)
        LogRecord.snapshot(mark).write(to: &pending)
        snapshot = mark
        guard mark.isInstalled else { return }
        lastIndex = mark.index
        lastTerm = mark.term
    }

    /// Notes that everything that damage cost is there again.
    package func markHealed() throws(LogError) {
        try makeRoom(32)
        LogRecord.lost(nil).write(to: &pending)
        lost = nil
    }

    /// Makes everything appended so far durable; false if it was already. A failure is final (exit
    /// 70).
    @discardableResult
    package func sync() throws(LogError) -> Bool {
        try flush()
        let end = segments[segments.count - 1].usedBytes
        guard durable < end else { return false }
        if !Mutant.isOn(.logUnsynced) { try file.sync() }
        durable = end
        return true
    }

    /// Closes the file; what is not synced is gone.
    package func close() {
        file.close()
    }

    /// Comes before anything of the append is noted: a new segment begins with what was.
    private func makeRoom(_ recordBytes: Int) throws(LogError) {
        if pending.count > options.frameBytesMax { try flush() }
        let newest = segments[segments.count - 1]
        let payload = pending.count + recordBytes
        let end =
            newest.usedBytes + UInt64(Sector.count(ofPayload: payload) * Sector.byteCount)
        if end > options.segmentBytes, newest.lastEntry > 0 { try rotate(void: nil) }
    }

    /// Writes what waits as one frame.
    package func flush() throws(LogError) {
        guard pending.count > Frame.headerBytes else { return }
        let payload = Frame.seal(pending, lastIndex: lastIndex, lastTerm: lastTerm)
        pending = Frame.begin(reserving: 4096)
        let newest = segments.count - 1
        let offset = segments[newest].usedBytes
        let bytes = Sector.seal(
            payload, at: UInt32(clamping: offset / 512), sequence: segments[newest].sequence,
            durable: UInt32(clamping: durable / 512), salt: salt)
        try reserve(offset + UInt64(bytes.count))
        if !isVoteWritten { try writeVote() }
        try write(bytes, at: offset)
        lastCheck = UInt32(littleEndianBytes: bytes[(bytes.count - 4)...])
        segments[newest].usedBytes = offset + UInt64(bytes.count)
    }

    /// Writes a frame and, where space is reserved, zeros in the sector behind it: the next frame
    /// begins there, and what the disk did to bytes that nobody reads must not pass for damage of
    /// a frame.
    func write(_ frame: Bytes, at offset: UInt64) throws(LogError) {
        let end = offset + UInt64(frame.count) + UInt64(Sector.byteCount)
        let clears = end <= reserved
        try file.write(
            clears ? frame + Bytes(repeating: 0, count: Sector.byteCount) : frame, at: offset)
    }

    func reserve(_ size: UInt64) throws(LogError) {
        guard size > reserved else { return }
        var next = max(reserved, options.firstReserveBytes)
        while next < size { next *= 2 }
        if next > options.segmentBytes { next = max(options.segmentBytes, size) }
        do throws(LogError) {
            try file.reserve(next)
            reserved = next
        } catch {
            // On a device that is nearly full, what is needed now may still fit.
            guard error.kind == .full, next > size else { throw error }
            try file.reserve(size)
            reserved = size
        }
    }
}
