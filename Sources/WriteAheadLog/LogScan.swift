import Basics
import Raft

/// Reads a log without changing it: what opening and `martlet-dump` have in common.
package struct LogScan {
    package struct Segment: Sendable {
        package var sequence: UInt32
        package var name: String
        /// Bytes in use, header included.
        package var usedBytes: UInt64
        /// Highest index of an entry that was ever written to it; 0 for none.
        package var lastEntry: UInt64
        /// The last entry before it, by its header; 0 where that is not known.
        var previousIndex: UInt64 = 0
        /// Holds damage or what stands behind it: never used again.
        var isVoid = false
    }

    package var clusterID: UInt64
    package var segments: [Segment] = []
    /// Where the newest segment ends in a torn write: the bytes of it.
    package var tornBytes: UInt64 = 0
    /// Newest file, if it was created but never got its header.
    var unbornFile: String?
    /// Files that wait to be used again, oldest first.
    var spares: [String] = []
    /// From the newest segment.
    var vote: VoteSector?
    /// Checksum of the newest segment's last sector.
    var lastCheck: UInt32 = 0
    var damage: LogDamage?
    /// A segment of which something counts has said what came before it.
    private var hasBegun = false
    /// A file follows another one than it should: whose the rest is, nobody knows.
    var isChainBroken = false
    /// Damage that cost nothing.
    var harmless: LogDamage?
    /// Every damaged place, in order.
    package private(set) var places: [DamagedPlace] = []
    /// The last entry that was read.
    private var lastEntry: UInt64 = 0
    /// The newest commit index that was read.
    private var lastCommit: UInt64 = 0

    /// Where bytes are not as they were written, and between which entries.
    package struct DamagedPlace: Sendable {
        package var error: LogError
        /// The last entry that is whole before it.
        package var after: UInt64
        /// The first one behind it; nil if there is none.
        package var until: UInt64?
        /// Where the log ended as of the first whole frame behind it; nil if there is none.
        package var resumedAt: UInt64?

        package init(error: LogError, after: UInt64) {
            self.error = error
            self.after = after
        }
    }

    /// What the walk hands out, in order.
    struct Visitor {
        /// The oldest segment says what came before it.
        var begin: (_ previousIndex: UInt64, _ previousTerm: UInt64) -> Void
        /// A text that it returns makes the record damage.
        var record: (_ record: LogRecord, _ file: String, _ offset: UInt64) -> String?
        /// Behind damage: the log is known again from the end of this frame on; its entries are
        /// not handed out. nil if damage is to be thrown.
        /// Returns whether nothing is missing all the same.
        var resume: ((Frame) -> Bool)?
        /// Whether the entries of that frame are handed out all the same.
        var takesResumed = false
        /// Whether a whole segment need not be read, by its last entry and the bytes of log behind
        /// it, those of the newest segment apart.
        var passesOver: (_ lastEntry: UInt64, _ bytesBehind: UInt64) -> Bool = { _, _ in false }
        /// An opening that met damage has let go of the entries behind this one.
        var cut: (_ lastEntry: UInt64) -> Void = { _ in }
    }

    /// Calls `visit` with every record in order, with the file and the offset of its frame;
    /// a text that it returns makes the record damage. Damage is thrown.
    ///
    /// - Parameters:
    ///   - clusterID: the cluster that the log must belong to; nil takes any.
    ///   - index: segments that end at this entry or before are not read.
    package static func scan(
        _ files: any LogFiles, clusterID: UInt64?, behind index: UInt64 = 0,
        begin: @escaping (_ previousIndex: UInt64, _ previousTerm: UInt64) -> Void = { _, _ in },
        cut: @escaping (_ lastEntry: UInt64) -> Void = { _ in },
        visit: @escaping (_ record: LogRecord, _ file: String, _ offset: UInt64) -> String?
    ) throws(LogError) -> LogScan {
        try walk(
            files, clusterID: clusterID,
            Visitor(
                begin: begin, record: visit, resume: nil,
                passesOver: { last, _ in last > 0 && last <= index }, cut: cut))
    }

    /// As `scan`, but goes on behind damage: `places` then names all of it, and `visit` gets every
    /// record that can still be read.
    package static func survey(
        _ files: any LogFiles, clusterID: UInt64?,
        cut: @escaping (_ lastEntry: UInt64) -> Void = { _ in },
        visit: @escaping (_ record: LogRecord) -> Void
    ) throws(LogError) -> LogScan {
        try walk(
            files, clusterID: clusterID,
            Visitor(
                begin: { _, _ in },
                record: { record, _, _ in
                    visit(record)
                    return nil
                }, resume: { _ in false }, takesResumed: true, cut: cut))
    }

    /// Of a survey: whether all that damage hit is entries that the state machine has, which stands
    /// at this one. An opening then goes on with nothing lost, and leaves the log as it is.
    package func isMissingNothing(ifApplied index: UInt64) -> Bool {
        places.allSatisfy { place in
            guard let resumedAt = place.resumedAt else { return false }
            return resumedAt <= index
        }
    }

    static func walk(
        _ files: any LogFiles, clusterID: UInt64?, _ visitor: Visitor
    ) throws(LogError) -> LogScan {
        var scan = LogScan(clusterID: clusterID ?? 0)
        var found: [FoundSegment] = []
        defer { for segment in found { segment.file.close() } }
        for name in try files.names() {
            if SegmentHeader.sequence(ofFile: name, isSpare: true) != nil {
                scan.spares.append(name)
            }
            guard let sequence = SegmentHeader.sequence(ofFile: name) else { continue }
            found.append(try FoundSegment(files, name, sequence, clusterID: clusterID))
        }
        if let newest = found.last, case .unborn = newest.preamble {
            scan.unbornFile = newest.name
            newest.file.close()
            found.removeLast()
        }
        scan.clusterID = found.lazy.compactMap(\.header).last?.clusterID ?? scan.clusterID
        let salt = Sector.salt(clusterID: scan.clusterID)
        for position in found.indices { found[position].reader.salt = salt }
        scan.markVoid(&found)
        for position in found.indices {
            if scan.passesOver(found[position...], visitor) { continue }
            try scan.take(
                &found[position], after: position == 0 ? nil : found[position - 1],
                before: position + 1 < found.count ? found[position + 1] : nil, visitor)
        }
        if let newest = found.indices.last {
            scan.vote = try SegmentPreamble.vote(&found[newest].reader)
            let used = scan.segments[newest].usedBytes / UInt64(Sector.byteCount)
            scan.lastCheck =
                used == 0 ? 0 : try found[newest].reader.check(UInt32(clamping: used - 1))
        }
        return scan
    }

    /// A newer segment may say that others, or the end of one, do not count any more.
    private func markVoid(_ found: inout [FoundSegment]) {
        for position in found.indices {
            guard let void = found[position].header?.void else { continue }
            for earlier in found[..<position].indices where found[earlier].sequence >= void.sequence
            {
                let isWhole = found[earlier].sequence > void.sequence || void.offset == 0
                found[earlier].voidFrom = isWhole ? 0 : void.offset
            }
        }
    }

    private mutating func take(
        _ segment: inout FoundSegment, after before: FoundSegment?, before next: FoundSegment?,
        _ visitor: Visitor
    ) throws(LogError) {
        var own = Segment(
            sequence: segment.sequence, name: segment.name, usedBytes: 0, lastEntry: 0)
        own.previousIndex = segment.header?.previousIndex ?? 0
        own.isVoid = segment.voidFrom != nil
        defer { segments.append(own) }
        if segment.voidFrom == 0 || isChainBroken { return }
        if let error = segment.misplaced(after: before) {
            try note(error, segment.sequence, visitor)
        }
        if !hasBegun, segments.allSatisfy(\.isVoid), damage == nil, let header = segment.header {
            hasBegun = true
            visitor.begin(header.previousIndex, header.previousTerm)
            lastEntry = header.previousIndex
        }
        // Only the very next file says anything about the end of this one, if that still counts.
        let successor = next.flatMap { next in
            segment.voidFrom == nil && next.sequence == segment.sequence + 1
                && next.header?.void == nil ? next.header : nil
        }
        var limit: UInt32?
        if let voidFrom = segment.voidFrom {
            limit = UInt32(clamping: voidFrom / UInt64(Sector.byteCount))
        } else if let successor {
            limit = UInt32(clamping: successor.previousBytes / UInt64(Sector.byteCount))
        }
        if let header = segment.header, header.void != nil {
            visitor.cut(header.previousIndex)
            lastEntry = min(lastEntry, header.previousIndex)
        }
        var scan = SegmentScan(place: segment.place, reader: segment.reader, limit: limit)
        try walk(&scan, &own, isNewest: next == nil, visitor)
        if let check = successor?.previousCheck, damage == nil,
            try scan.reader.check(UInt32(clamping: own.usedBytes / 512) - 1) != check
        {
            try note(
                LogError(
                    .corrupt, file: segment.place, offset: own.usedBytes,
                    "the next file follows another one than this"),
                segment.sequence, visitor)
            isChainBroken = true
        }
        segment.reader = scan.reader
    }

    /// A restart must not take the longer the more log there is: of segments that hold only what
    /// the state machine has, the header of the next one says all that counts, and its first frame
    /// repeats what is not an entry. The scrubber reads them.
    private mutating func passesOver(
        _ rest: ArraySlice<FoundSegment>, _ visitor: Visitor
    ) -> Bool {
        guard let segment = rest.first, let next = rest.dropFirst().first,
            segment.voidFrom == nil, damage == nil, !isChainBroken, next.voidFrom == nil,
            next.sequence == segment.sequence + 1, let header = next.header, header.void == nil
        else { return false }
        // What a header says of its bytes is not checked yet, and may be no size of a file.
        let bytesBehind = rest.dropFirst(2).reduce(0) { $0 &+ ($1.header?.previousBytes ?? 0) }
        guard visitor.passesOver(header.previousIndex, bytesBehind) else { return false }
        hasBegun = true
        lastEntry = header.previousIndex
        segments.append(
            Segment(
                sequence: segment.sequence, name: segment.name, usedBytes: header.previousBytes,
                lastEntry: header.previousIndex,
                previousIndex: segment.header?.previousIndex ?? 0))
        visitor.begin(header.previousIndex, header.previousTerm)
        return true
    }

    private mutating func walk(
        _ scan: inout SegmentScan, _ own: inout Segment, isNewest: Bool, _ visitor: Visitor
    ) throws(LogError) {
        var sector = SegmentHeader.preambleSectors
        var isBroken = damage != nil && damage?.end == nil
        walk: while true {
            own.usedBytes = UInt64(sector) * UInt64(Sector.byteCount)
            switch try scan.step(at: sector) {
            case .frame(let frame, let end, let body):
                try take(body, of: scan.place, isResuming: isBroken, &own, visitor)
                if isBroken, visitor.resume?(frame) == true {
                    harmless = harmless ?? damage
                    damage = nil
                }
                isBroken = false
                for damaged in places.indices where places[damaged].resumedAt == nil {
                    places[damaged].resumedAt = frame.lastIndex
                }
                if damage != nil { damage?.end = (frame.lastIndex, frame.lastTerm) }
                sector = end
            case .end:
                break walk
            case .torn(let end):
                guard isNewest else { fallthrough }
                tornBytes = UInt64(end - sector) * UInt64(Sector.byteCount)
                break walk
            case .damaged:
                let place = own.usedBytes
                var reason = "the file ends in a write that was synced"
                if case .damaged(let text) = try scan.step(at: sector) { reason = text }
                try note(
                    LogError(.corrupt, file: scan.place, offset: place, reason), own.sequence,
                    visitor)
                isBroken = true
                guard let next = try scan.resume(after: sector) else {
                    if let limit = scan.limit { own.usedBytes = UInt64(limit) * 512 }
                    break walk
                }
                sector = next
            }
        }
    }

    /// Visits the records of a frame. What its checksums prove whole and what makes no sense all
    /// the same is not damage of a disk, so it is thrown whatever the policy.
    private mutating func take(
        _ body: Bytes, of place: String, isResuming: Bool, _ own: inout Segment,
        _ visitor: Visitor
    ) throws(LogError) {
        var reader = ByteReader(body)
        while !reader.isAtEnd {
            let record: LogRecord
            do throws(DecodingFailure) {
                record = try LogRecord(from: &reader)
            } catch {
                throw LogError(.corrupt, file: place, offset: own.usedBytes, "\(error)")
            }
            if case .hardState(let state) = record { lastCommit = state.commit }
            if case .entry(let entry) = record {
                own.lastEntry = max(own.lastEntry, entry.index)
                lastEntry = entry.index
                for damaged in places.indices where places[damaged].until == nil {
                    places[damaged].until = entry.index
                }
                if isResuming, !visitor.takesResumed { continue }
            }
            if let reason = visitor.record(record, own.name, own.usedBytes) {
                throw LogError(.corrupt, file: place, offset: own.usedBytes, reason)
            }
        }
    }

    /// Damage: thrown, or noted if it is the first.
    private mutating func note(
        _ error: LogError, _ sequence: UInt32, _ visitor: Visitor
    ) throws(LogError) {
        guard visitor.resume != nil else { throw error }
        places.append(DamagedPlace(error: error, after: lastEntry))
        if damage == nil {
            damage = LogDamage(
                error, sequence: sequence, wholeBytes: error.offset, commit: lastCommit)
        }
        damage?.end = nil
    }
}

/// A segment file and what its first sectors say.
private struct FoundSegment {
    let files: any LogFiles
    let file: any LogFile
    let name: String
    let sequence: UInt32
    var reader: SegmentReader
    let preamble: SegmentPreamble
    /// Offset from which on it does not count; nil if all of it does.
    var voidFrom: UInt64?

    init(
        _ files: any LogFiles, _ name: String, _ sequence: UInt32, clusterID: UInt64?
    ) throws(LogError) {
        self.files = files
        self.name = name
        self.sequence = sequence
        file = try files.open(name)
        reader = try SegmentReader(file, sequence: sequence)
        preamble = try SegmentPreamble.read(
            &reader, place: files.place(of: name), clusterID: clusterID)
    }

    var place: String { files.place(of: name) }

    var header: SegmentHeader? {
        if case .header(let header) = preamble { header } else { nil }
    }

    /// What is wrong with this file in this place.
    func misplaced(after before: FoundSegment?) -> LogError? {
        guard let header else {
            return LogError(.corrupt, file: place, "neither copy of the header is whole")
        }
        guard header.sequence == sequence else {
            return LogError(.corrupt, file: place, "the header has number \(header.sequence)")
        }
        guard let before, header.void == nil, before.sequence + 1 != sequence else { return nil }
        let missing = files.place(of: SegmentHeader.fileName(sequence: before.sequence + 1))
        return LogError(.corrupt, file: missing, "the file is missing from the log")
    }
}
