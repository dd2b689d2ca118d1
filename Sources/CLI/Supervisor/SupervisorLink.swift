import Basics
import Glibc

/// The child's end of the socket to the supervisor, descriptor 3 of a supervised process.
struct SupervisorLink: Sendable {
    static let descriptor: Int32 = 3

    /// Nil when the process was started by hand.
    init?() {
        var type: Int32 = 0
        var size = socklen_t(MemoryLayout<Int32>.size)
        let found = unsafe getsockopt(Self.descriptor, SOL_SOCKET, SO_TYPE, &type, &size) == 0
        guard found, unsafe getenv("MARTLET_UNSUPERVISED") == nil else { return nil }
        _ = fcntl(Self.descriptor, F_SETFD, FD_CLOEXEC)
    }

    /// What a child says of itself, one line each.
    enum Report: Equatable {
        case ready
        /// It runs, but its directory was lost: it waits to be rebuilt.
        case empty
        /// It runs, but what it needs is not there.
        case waiting(String)
        /// It ends, and why. The log file says so too, but may lie on the very disk that is full.
        case failed(String)

        init?(line: Substring) {
            switch line {
            case "ready": self = .ready
            case "empty": self = .empty
            case _ where line.hasPrefix("waiting "):
                self = .waiting(String(line.dropFirst("waiting ".count)))
            case _ where line.hasPrefix("failed "):
                self = .failed(String(line.dropFirst("failed ".count)))
            default: return nil
            }
        }

        var line: String {
            switch self {
            case .ready: "ready"
            case .empty: "empty"
            case .waiting(let reason): "waiting " + Self.oneLine(reason)
            case .failed(let reason): "failed " + Self.oneLine(reason)
            }
        }

        private static func oneLine(_ text: String) -> String {
            String(text.prefix(1_000)).split(separator: "\n").joined(separator: "; ")
        }
    }

    func send(_ report: Report) {
        let line = Bytes((report.line + "\n").utf8)
        _ = unsafe line.withUnsafeBytes {
            unsafe Glibc.send(
                Self.descriptor, $0.baseAddress, $0.count, Int32(truncatingIfNeeded: MSG_NOSIGNAL))
        }
    }

    /// Calls `action` once the supervisor is gone, on a thread of its own.
    func whenSupervisorEnds(_ action: @escaping @Sendable () -> Void) {
        startThread("supervisor") {
            var byte: UInt8 = 0
            while true {
                let count = unsafe recv(Self.descriptor, &byte, 1, 0)
                if count == 0 || (count < 0 && errno != EINTR) { break }
            }
            action()
        }
    }
}
