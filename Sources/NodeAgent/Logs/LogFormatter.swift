package import Basics

/// Turns CRI records into what a client reads, line by line as the bytes come. Pure.
package struct LogFormatter: Sendable {
    private let options: LogOptions
    private let since: String?
    private var pending = Bytes()
    private var left: Int64?
    /// Streams in the middle of a line, so that its parts get one timestamp.
    private var isInsideLine: [String: Bool] = [:]

    package init(_ options: LogOptions) {
        self.options = options
        // Both are UTC with fixed digits, so text compares as time does.
        since = options.since.map { String($0.rfc3339Micro.dropLast()) }
        left = options.limitBytes
    }

    /// Whether the client has all the bytes it wanted.
    package var isFull: Bool { left == 0 }

    /// Takes more of a log file; answers what the client gets for it.
    package mutating func take(_ bytes: some Sequence<UInt8>) -> Bytes {
        pending.append(contentsOf: bytes)
        var output = Bytes()
        var start = pending.startIndex
        while let end = pending[start...].firstIndex(of: UInt8(ascii: "\n")) {
            if let record = CRILogRecord(pending[start..<end]) { append(record, to: &output) }
            start = end + 1
        }
        pending.removeSubrange(..<start)
        guard let room = left else { return output }
        let taken = min(room, Int64(output.count))
        left = room - taken
        return Bytes(output.prefix(Int(taken)))
    }

    private mutating func append(_ record: CRILogRecord, to output: inout Bytes) {
        if let since, record.time < since { return }
        let isInside = isInsideLine[record.stream] ?? false
        if options.hasTimestamps, !isInside {
            output.append(contentsOf: record.time.utf8)
            output.append(UInt8(ascii: " "))
        }
        output.append(contentsOf: record.text)
        if !record.isPartial { output.append(UInt8(ascii: "\n")) }
        isInsideLine[record.stream] = record.isPartial
    }
}
