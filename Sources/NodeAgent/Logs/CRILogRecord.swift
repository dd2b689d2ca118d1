package import Basics

/// One record of a CRI log: `TIME stdout|stderr F|P TEXT`.
package struct CRILogRecord: Sendable, Hashable {
    /// RFC 3339 with nanoseconds, as the shim wrote it.
    package var time: String
    package var stream: String
    /// The line goes on in the next record of the stream.
    package var isPartial: Bool
    package var text: Bytes

    /// Nil for a line that is no record; such lines are skipped.
    package init?(_ line: ArraySlice<UInt8>) {
        let space = UInt8(ascii: " ")
        guard let timeEnd = line.firstIndex(of: space),
            let streamEnd = line[(timeEnd + 1)...].firstIndex(of: space),
            let tagEnd = line[(streamEnd + 1)...].firstIndex(of: space)
        else { return nil }
        stream = String(decoding: line[(timeEnd + 1)..<streamEnd], as: UTF8.self)
        guard stream == "stdout" || stream == "stderr" else { return nil }
        // Tags may be followed by others after a colon.
        switch line[streamEnd + 1] {
        case UInt8(ascii: "F"): isPartial = false
        case UInt8(ascii: "P"): isPartial = true
        default: return nil
        }
        time = String(decoding: line[..<timeEnd], as: UTF8.self)
        text = Bytes(line[(tagEnd + 1)...])
    }
}

/// What `kubectl logs` asks for.
package struct LogOptions: Sendable, Hashable {
    package var isFollowing = false
    package var isPrevious = false
    package var hasTimestamps = false
    package var tailLines: Int64?
    package var limitBytes: Int64?
    /// Records before this are left out.
    package var since: WallTime?

    package init() {}

    /// Reads a query; the message of the failure is for the client.
    package init(query: String, now: WallTime) throws(RuntimeError) {
        for part in query.split(separator: "&") {
            let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let value = pair.count > 1 ? PercentDecoding.decode(pair[1]) : ""
            switch pair[0] {
            case "follow": isFollowing = value == "true" || value == "1"
            case "previous": isPrevious = value == "true" || value == "1"
            case "timestamps": hasTimestamps = value == "true" || value == "1"
            case "tailLines": tailLines = try Self.number("tailLines", value, least: 0)
            case "limitBytes": limitBytes = try Self.number("limitBytes", value, least: 1)
            case "sinceSeconds":
                let seconds = try Self.number("sinceSeconds", value, least: 1)
                since = WallTime(microseconds: now.microseconds - seconds * 1_000_000)
            case "sinceTime":
                guard let time = WallTime(rfc3339: value) else {
                    throw RuntimeError("BadRequest", "invalid sinceTime \"\(value)\"")
                }
                since = time
            default: break
            }
        }
    }

    private static func number(
        _ name: String, _ text: String, least: Int64
    ) throws(RuntimeError) -> Int64 {
        guard let number = Int64(text), number >= least, number < Int64.max / 1_000_000 else {
            throw RuntimeError("BadRequest", "invalid \(name) \"\(text)\"")
        }
        return number
    }
}

enum PercentDecoding {
    static func decode(_ text: Substring) -> String {
        var output = Bytes()
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), rest.count >= 2,
                let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
            {
                output.append(value)
                rest = rest.dropFirst(2)
            } else {
                output.append(byte == UInt8(ascii: "+") ? UInt8(ascii: " ") : byte)
            }
        }
        return String(decoding: output, as: UTF8.self)
    }
}
