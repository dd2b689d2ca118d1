import Basics
import Glibc

/// Lines on standard error, which a supervised process has in its log file.
struct ProcessLog: Sendable {
    func line(_ text: String) {
        let bytes = Bytes("\(WallTime.now().rfc3339Micro) \(text)\n".utf8)
        _ = unsafe bytes.withUnsafeBytes { unsafe write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }
}
