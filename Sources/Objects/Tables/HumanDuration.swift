package import Basics

/// Durations as kubectl shows ages: `17s`, `5m30s`, `3h`, `2d4h`, `1y20d`.
package enum HumanDuration {
    package static func text(seconds: Int64) -> String {
        if seconds < -1 { return "<invalid>" }
        if seconds < 0 { return "0s" }
        if seconds < 120 { return "\(seconds)s" }
        let minutes = seconds / 60
        if minutes < 10 { return pair(minutes, "m", seconds % 60, "s") }
        if minutes < 180 { return "\(minutes)m" }
        let hours = minutes / 60
        if hours < 8 { return pair(hours, "h", minutes % 60, "m") }
        if hours < 48 { return "\(hours)h" }
        let days = hours / 24
        if days < 8 { return pair(days, "d", hours % 24, "h") }
        if days < 730 { return "\(days)d" }
        if days < 365 * 8 { return pair(days / 365, "y", days % 365, "d") }
        return "\(days / 365)y"
    }

    private static func pair(_ major: Int64, _ m: String, _ minor: Int64, _ n: String) -> String {
        minor == 0 ? "\(major)\(m)" : "\(major)\(m)\(minor)\(n)"
    }

    /// The age of a timestamp of the API, `<unknown>` when there is none.
    package static func since(_ timestamp: String?, now: WallTime) -> String {
        guard let timestamp, let time = WallTime(rfc3339: timestamp) else { return "<unknown>" }
        return text(seconds: now.seconds - time.seconds)
    }
}
