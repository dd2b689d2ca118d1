package import Basics

/// Times of the log: milliseconds since 1970.
extension WallTime {
    package init(milliseconds: UInt64) {
        self.init(microseconds: Int64(clamping: milliseconds) * 1000)
    }

    package var milliseconds: UInt64 { UInt64(max(0, microseconds / 1000)) }

    package static func nowMilliseconds() -> UInt64 { now().milliseconds }

    /// `2026-11-22T20:47:39.125Z`; 0 is `unknown`.
    package static func text(milliseconds: UInt64) -> String {
        if milliseconds == 0 { return "unknown" }
        return WallTime(milliseconds: milliseconds).rfc3339Micro.dropLast(4) + "Z"
    }

    /// Reads what people write: RFC 3339, also with a space for the T and without a zone, which
    /// is UTC then; or seconds since 1970.
    package init?(written text: String) {
        if let seconds = Int64(text), seconds >= 0, seconds < 1 << 40 {
            self.init(seconds: seconds)
            return
        }
        var text = text
        if let space = text.firstIndex(of: " ") {
            text.replaceSubrange(space...space, with: "T")
        }
        guard let time = WallTime(rfc3339: text) ?? WallTime(rfc3339: text + "Z") else {
            return nil
        }
        self = time
    }
}
