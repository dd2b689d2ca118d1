import Basics
import CMartlet
import Glibc

/// One supervised process, and the socket that ties it to its supervisor.
///
/// The child writes one line on the socket when it serves, or why it ends; the socket's end tells
/// the child that the supervisor is gone.
struct ChildProcess {
    enum Role: Equatable {
        case server(replica: Int)
        case agent
    }

    enum State: Equatable {
        case stopped
        case waiting(until: MonotonicTime)
        case starting(pid: pid_t)
        case ready(pid: pid_t)
        case final(FatalExit)
    }

    let name: String
    let role: Role
    let arguments: [String]
    let logPath: String
    let pidPath: String
    var state = State.stopped
    var restarts = RestartPolicy()
    /// The supervisor's end of the socket; -1 without a running child.
    var link: Int32 = -1
    /// Why it ends, in its own words.
    var lastWords: String?
    /// What was last said of it, so that a death that repeats itself is told once.
    var lastSaid = ""
    /// The part of a line that has come so far.
    private var unread = Bytes()

    init(name: String, role: Role, arguments: [String], logPath: String, pidPath: String) {
        self.name = name
        self.role = role
        self.arguments = arguments
        self.logPath = logPath
        self.pidPath = pidPath
    }

    var pid: pid_t? {
        switch state {
        case .starting(let pid), .ready(let pid): pid
        case .stopped, .waiting, .final: nil
        }
    }

    var isReady: Bool {
        if case .ready = state { true } else { false }
    }

    /// Forks and executes `program`; the caller has no other threads.
    mutating func start(program: String) throws(CommandError) {
        var ends: [Int32] = [-1, -1]
        let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        guard unsafe socketpair(AF_UNIX, type, 0, &ends) == 0 else {
            throw CommandError("cannot make a socket pair: \(systemMessage(errno))")
        }
        defer { close(ends[1]) }
        // The folder may have been removed since: its replica comes back as one that lost it.
        let folder = logPath.prefix(upTo: logPath.lastIndex(of: "/") ?? logPath.startIndex)
        if !folder.isEmpty { try Files.makeDirectory(String(folder), mode: 0o700) }
        let log = unsafe open(logPath, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard log >= 0 else {
            close(ends[0])
            throw Files.failure("cannot open log", logPath)
        }
        defer { close(log) }
        let child = unsafe withCStrings(
            [program] + arguments
        ) { argv in
            unsafe martlet_spawn(program, argv, environ, ends[1], log)
        }
        guard child > 0 else {
            close(ends[0])
            throw CommandError("cannot start \(name): \(systemMessage(errno))")
        }
        link = ends[0]
        unread = []
        lastWords = nil
        state = .starting(pid: child)
        try Files.write(pidPath, text: "\(child)\n", mode: 0o644)
    }

    /// Reads what the child has said, without waiting.
    mutating func readLink() -> [SupervisorLink.Report] {
        var buffer = Bytes(repeating: 0, count: 4_096)
        let count = unsafe buffer.withUnsafeMutableBytes { raw in
            unsafe recv(link, raw.baseAddress, raw.count, Int32(truncatingIfNeeded: MSG_DONTWAIT))
        }
        guard count > 0 else {
            if count == 0 { closeLink() }
            return []
        }
        unread += buffer[..<count]
        guard let end = unread.lastIndex(of: UInt8(ascii: "\n")) else { return [] }
        let lines = String(decoding: unread[..<end], as: UTF8.self).split(separator: "\n")
        unread.removeSubrange(...end)
        let reports = lines.compactMap(SupervisorLink.Report.init(line:))
        if case .starting(let pid) = state,
            reports.contains(where: { $0 == .ready || $0 == .empty })
        {
            state = .ready(pid: pid)
        }
        return reports
    }

    mutating func closeLink() {
        if link >= 0 { close(link) }
        link = -1
    }

    func send(_ signal: Int32) {
        if let pid { kill(pid, signal) }
    }
}

/// Calls `body` with a null-ended array of C strings.
func withCStrings<Result>(
    _ strings: [String],
    _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Result
) -> Result {
    var pointers = unsafe strings.map { unsafe strdup($0) } + [nil]
    defer { unsafe pointers.forEach { unsafe free($0) } }
    return unsafe pointers.withUnsafeMutableBufferPointer { buffer in
        guard let base = buffer.baseAddress else { preconditionFailure("empty argument list") }
        return unsafe body(UnsafePointer(base))
    }
}
