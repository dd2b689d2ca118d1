import Basics
import Raft

extension WriteAheadLog {
    /// Removes the oldest segments that hold no entry from `index` on; some become spares.
    package func release(before index: UInt64) throws(LogError) {
        while segments.count > 1, segments[0].lastEntry < index {
            let old = segments[0]
            if old.isVoid || spares.count >= options.sparesMax {
                try files.remove(old.name)
            } else {
                let spare = SegmentHeader.fileName(sequence: old.sequence, isSpare: true)
                try files.rename(old.name, to: spare)
                spares.append(spare)
            }
            // One by one: a gap in the numbers would be taken for a lost file.
            try files.syncDirectory()
            segments.removeFirst()
        }
    }

    /// Gives back the space of the spares, on a device that has little left.
    package func removeSpares() throws(LogError) {
        guard !spares.isEmpty else { return }
        for spare in spares { try files.remove(spare) }
        spares = []
        try files.syncDirectory()
    }

    /// Gives back what is held in reserve, and closes the current segment, so that a snapshot taken
    /// from now on lets all of it go.
    package func shrink() throws(LogError) {
        try removeSpares()
        try sync()
        let newest = segments[segments.count - 1]
        if newest.lastEntry > 0, newest.usedBytes > options.firstReserveBytes {
            try rotate(void: nil)
        }
    }

    /// Gives up all entries, and goes on behind one that the state machine holds; 0 for none. What
    /// the log held may have been acknowledged.
    package func restart(
        behind index: UInt64, term: UInt64, _ recovered: inout RecoveredLog
    ) throws(LogError) {
        lost = .unknown
        lastIndex = index
        lastTerm = term
        snapshot = SnapshotMark(index: 0, term: 0)
        recovered.lost = lost
        recovered.entries = []
        recovered.previousIndex = index
        recovered.previousTerm = term
        recovered.snapshot = snapshot
        try rotate(void: VoidRange(sequence: segments[0].sequence, offset: 0))
    }

    /// Closes the current segment and begins the next.
    func rotate(void: VoidRange?) throws(LogError) {
        if void == nil { try sync() }
        let old = segments[segments.count - 1]
        // Reserved and never used: of no use in a closed segment but to a spare.
        if reserved < options.segmentBytes { try file.truncate(old.usedBytes) }
        file.close()
        let sequence = old.sequence + 1
        let name = SegmentHeader.fileName(sequence: sequence)
        if let spare = spares.popLast() {
            // What stands in it has lower sequences, and so passes for sectors never written.
            try files.rename(spare, to: name)
            file = try files.open(name)
            reserved = try file.size()
        } else {
            file = try files.create(name)
            reserved = 0
        }
        durable = 0
        segments.append(
            LogScan.Segment(
                sequence: sequence, name: name, usedBytes: 0, lastEntry: 0,
                previousIndex: lastIndex))
        if let void { markVoid(void) }
        try beginSegment(previousBytes: old.usedBytes, void: void)
    }

    private func markVoid(_ void: VoidRange) {
        for position in segments.indices.dropLast()
        where segments[position].sequence >= void.sequence {
            segments[position].isVoid = true
            if segments[position].sequence > void.sequence || void.offset == 0 {
                segments[position].lastEntry = 0
            }
        }
    }

    /// Writes header, votes, hard state, snapshot mark and what is lost, so that the segments
    /// before can go. It is one write: in a file that was used before, all of it must replace
    /// what an interrupted beginning of the same segment left.
    func beginSegment(previousBytes: UInt64, void: VoidRange?) throws(LogError) {
        let newest = segments.count - 1
        let sequence = segments[newest].sequence
        let header = SegmentHeader(
            clusterID: clusterID, sequence: sequence, previousIndex: lastIndex,
            previousTerm: lastTerm, previousBytes: previousBytes, previousCheck: lastCheck,
            void: void)
        var bytes = header.encoded(at: 0) + header.encoded(at: 1)
        voteCount += 1
        for number in VoteSector.numbers {
            bytes += vote.encoded(at: number, sequence: sequence, salt: salt)
        }
        let first = SegmentHeader.preambleSectors
        bytes += Bytes(repeating: 0, count: Int(first) * Sector.byteCount - bytes.count)
        var writer = Frame.begin(reserving: 96)
        LogRecord.hardState(hardState).write(to: &writer)
        if snapshot.index > 0 {
            // Not the installed flag: the entries since then must stay.
            let mark = SnapshotMark(index: snapshot.index, term: snapshot.term)
            LogRecord.snapshot(mark).write(to: &writer)
        }
        if let lost { LogRecord.lost(lost).write(to: &writer) }
        let payload = Frame.seal(writer, lastIndex: lastIndex, lastTerm: lastTerm)
        bytes += Sector.seal(payload, at: first, sequence: sequence, durable: 0, salt: salt)
        precondition(bytes.count == (Int(first) + 1) * Sector.byteCount)
        try reserve(UInt64(bytes.count))
        try write(bytes, at: 0)
        lastCheck = UInt32(littleEndianBytes: bytes[(bytes.count - 4)...])
        isVoteWritten = true
        segments[newest].usedBytes = UInt64(bytes.count)
        try file.sync()
        try files.syncDirectory()
        durable = segments[newest].usedBytes
    }

    private var vote: VoteSector {
        VoteSector(count: voteCount, term: hardState.term, vote: hardState.vote)
    }

    /// Both copies, each whole by itself: a crash leaves this vote or the one before.
    func writeVote() throws(LogError) {
        voteCount += 1
        var bytes = Bytes()
        for number in VoteSector.numbers {
            bytes += vote.encoded(
                at: number, sequence: segments[segments.count - 1].sequence, salt: salt)
        }
        try file.write(bytes, at: UInt64(VoteSector.numbers.lowerBound) * UInt64(Sector.byteCount))
        isVoteWritten = true
    }
}
