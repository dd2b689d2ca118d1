import Basics
import Glibc

/// One line on the terminal that says how far a transfer is; nothing where standard error is not
/// a terminal.
struct ProgressBar {
    private static let width = 30
    private let isShown: Bool
    private let start = MonotonicTime.now()
    private var lastDrawn = MonotonicTime(nanoseconds: 0)
    private var isDrawn = false

    init() {
        isShown = isatty(STDERR_FILENO) == 1
    }

    /// Before the length is known.
    mutating func say(_ text: String) {
        draw(text)
    }

    mutating func update(done: UInt64, of total: UInt64) {
        let now = MonotonicTime.now()
        guard isShown, done == total || now.milliseconds(since: lastDrawn) >= 100 else { return }
        lastDrawn = now
        let full = total == 0 ? Self.width : Int(done * UInt64(Self.width) / total)
        let percent = total == 0 ? 100 : done * 100 / total
        let milliseconds = max(1, now.milliseconds(since: start))
        draw(
            "[" + String(repeating: "#", count: full)
                + String(repeating: ".", count: Self.width - full)
                + "] \(percent)%  \(byteText(done)) of \(byteText(total)),"
                + " \(byteText(done * 1000 / milliseconds))/s")
    }

    /// Ends the line.
    mutating func finish() {
        if isDrawn { write("\n") }
        isDrawn = false
    }

    private mutating func draw(_ text: String) {
        guard isShown else { return }
        isDrawn = true
        // To the line's beginning, and clear it.
        write("\r\u{1b}[K" + text)
    }

    private func write(_ text: String) {
        let bytes = Bytes(text.utf8)
        _ = unsafe bytes.withUnsafeBytes {
            unsafe Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count)
        }
    }
}
