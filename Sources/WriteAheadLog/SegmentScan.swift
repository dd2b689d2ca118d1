import Basics

/// Walks the frames of one segment and tells a torn tail from damage.
///
/// A power cut leaves each sector that was not synced as it was before or as it was to be. So a
/// write that it stopped lacks at least one sector, which still holds zeros or bytes of the file's
/// life before; and no sector behind it can say that it was synced. Everything else is damage,
/// and may have hit what was acknowledged.
struct SegmentScan {
    /// What errors call the file.
    let place: String
    var reader: SegmentReader
    /// Sectors in use, as the next segment says; nil for the newest.
    let limit: UInt32?

    enum Step {
        case frame(Frame, end: UInt32, body: Bytes)
        case end
        /// Sectors from here to `end` belong to a write that a crash stopped.
        case torn(end: UInt32)
        case damaged(reason: String)
    }

    private var end: UInt32 { min(limit ?? .max, reader.sectors) }

    /// What stands where the next frame would begin.
    mutating func step(at sector: UInt32) throws(LogError) -> Step {
        if sector == limit { return .end }
        switch try reader.state(sector) {
        case .damaged:
            return .damaged(reason: "the checksum of a sector does not match")
        case .unwritten:
            return try neverWritten(at: sector)
        case .current(let trailer) where trailer.frame != sector:
            return .damaged(reason: "a frame lacks its beginning")
        case .current:
            guard let frame = Frame.decode(try reader.payload(sector)) else {
                return .damaged(reason: "a frame has no length")
            }
            return try whole(frame, at: sector)
        }
    }

    /// The first sector behind `sector` at which an intact frame begins.
    mutating func resume(after sector: UInt32) throws(LogError) -> UInt32? {
        var next = sector + 1
        while next < end {
            if case .current(let trailer) = try reader.state(next), trailer.frame == next,
                case .frame = try step(at: next)
            {
                return next
            }
            next += 1
        }
        return nil
    }

    private mutating func neverWritten(at sector: UInt32) throws(LogError) -> Step {
        guard limit == nil else {
            return .damaged(
                reason: sector < reader.sectors
                    ? "a sector that was synced was never written" : "the file ends early")
        }
        let rest = try rest(after: sector)
        if rest.durable > sector {
            return .damaged(reason: "a sector that was synced was never written")
        }
        return rest.end > sector ? .torn(end: rest.end) : .end
    }

    private mutating func whole(_ frame: Frame, at sector: UInt32) throws(LogError) -> Step {
        let end = UInt64(sector) + UInt64(frame.sectors)
        if let limit, end > limit {
            return .damaged(reason: "a frame is longer than its segment")
        }
        var body = Bytes()
        // The length may be anything until all its sectors are read.
        body.reserveCapacity(min(frame.sectors, Int(reader.sectors)) * Sector.payloadBytes)
        var bad: String?
        var isStopped = false
        for number in UInt64(sector)..<end {
            let number = UInt32(clamping: number)
            switch try reader.state(number) {
            case .current(let trailer) where trailer.frame == sector:
                if bad == nil && !isStopped { body += try reader.payload(number) }
            case .current:
                bad = bad ?? "a sector of a frame belongs to another one"
            case .damaged:
                bad = bad ?? "the checksum of a sector does not match"
            case .unwritten:
                isStopped = true
            }
        }
        guard isStopped || bad != nil else {
            body.removeFirst(Frame.headerBytes)
            body.removeLast(body.count - frame.length)
            return .frame(frame, end: UInt32(clamping: end), body: body)
        }
        let rest = try rest(after: sector)
        if limit == nil, isStopped, rest.durable <= sector { return .torn(end: rest.end) }
        return .damaged(reason: bad ?? "a part of a frame that was synced was never written")
    }

    /// Behind a sector: the end of what this log wrote, and how far it says it was synced.
    private mutating func rest(
        after sector: UInt32
    ) throws(LogError) -> (end: UInt32, durable: UInt32) {
        var result: (end: UInt32, durable: UInt32) = (sector, 0)
        var next = sector
        while next < reader.sectors {
            if case .current(let trailer) = try reader.state(next) {
                result = (next + 1, max(result.durable, trailer.durable))
            }
            next += 1
        }
        return result
    }
}
