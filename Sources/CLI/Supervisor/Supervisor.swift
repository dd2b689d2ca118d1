import Basics
import CMartlet
import Glibc

/// Runs the cluster's processes: starts them, starts again what dies, stops all in order.
///
/// One thread, one `poll`: signals arrive as a descriptor, children speak on their sockets.
struct Supervisor {
    /// Everything has to be gone this long after the first signal.
    static let stopMilliseconds: UInt64 = 7_500
    /// Agents end their pods first, while the servers still take their last status.
    static let agentStopMilliseconds: UInt64 = 4_500

    let program: String
    let dataDirectory: String
    private var children: [ChildProcess]
    private let signals: Int32
    /// Called once, when every child is ready for the first time.
    private let whenReady: () throws(CommandError) -> Void
    private var hasBeenReady = false

    init(
        program: String, dataDirectory: String, children: [ChildProcess],
        whenReady: @escaping () throws(CommandError) -> Void
    ) throws(CommandError) {
        self.program = program
        self.dataDirectory = dataDirectory
        self.children = children
        self.whenReady = whenReady
        signals = martlet_signal_descriptor(true)
        guard signals >= 0 else {
            throw CommandError("cannot watch signals: \(systemMessage(errno))")
        }
        _ = fcntl(signals, F_SETFL, O_NONBLOCK)
    }

    /// Returns after a signal, when every child has ended.
    mutating func run() throws(CommandError) {
        do {
            for index in children.indices { try children[index].start(program: program) }
            while try !step() {}
        } catch {
            stopAll()
            throw error
        }
        stopAll()
    }

    /// Waits for one thing to happen and deals with it; true when it was a signal to stop.
    private mutating func step() throws(CommandError) -> Bool {
        waitForInput(milliseconds: millisecondsToNextStart())
        var shouldStop = false
        for signal in takeSignals() where signal == SIGINT || signal == SIGTERM {
            shouldStop = true
        }
        try readLinks()
        for (index, exit) in reap() { try childDied(index, exit) }
        let now = MonotonicTime.now()
        for index in children.indices {
            if case .waiting(let until) = children[index].state, until <= now {
                start(index)
            }
        }
        return shouldStop
    }

    /// Starts a child again. What stands in the way, a full disk say, may pass: so it is tried on.
    private mutating func start(_ index: Int) {
        do throws(CommandError) {
            try children[index].start(program: program)
        } catch {
            sayOnce("\(children[index].name): \(error.message)", of: index)
            guard children[index].pid == nil else { return }
            let delay = RestartPolicy.delayMillisecondsMax
            children[index].state = .waiting(until: .now().advanced(milliseconds: delay))
        }
    }

    private mutating func readLinks() throws(CommandError) {
        for index in children.indices where children[index].link >= 0 {
            hear(index)
        }
        guard !hasBeenReady, children.allSatisfy(\.isReady) else { return }
        hasBeenReady = true
        try whenReady()
    }

    /// Takes note of what a child says on its link.
    private mutating func hear(_ index: Int) {
        let name = children[index].name
        for report in children[index].readLink() {
            switch report {
            case .ready:
                if hasBeenReady { sayOnce("\(name) is back", of: index) }
            case .empty:
                sayOnce(
                    "\(name) has lost its directory and does not vote; rebuild it:"
                        + " martlet store member replace \(name.dropFirst("replica-".count))"
                        + " --data-dir \(dataDirectory)", of: index)
            case .waiting(let reason): sayOnce("\(name) waits \(reason)", of: index)
            case .failed(let reason):
                children[index].lastWords = reason
            }
        }
    }

    private mutating func sayOnce(_ text: String, of index: Int) {
        guard children[index].lastSaid != text else { return }
        children[index].lastSaid = text
        say(text)
    }

    private mutating func childDied(_ index: Int, _ exit: Exit) throws(CommandError) {
        // Its last words may have come after the links were read.
        if children[index].link >= 0 { hear(index) }
        children[index].closeLink()
        var what = "\(children[index].name) \(exit.words)"
        if let reason = children[index].lastWords { what += ": \(reason)" }
        let log = children[index].logPath
        let now = MonotonicTime.now()
        switch children[index].restarts.died(exitCode: exit.code, now: now) {
        case .restart(let delay):
            sayOnce("\(what); starts again; its log: \(log)", of: index)
            children[index].state = .waiting(until: now.advanced(milliseconds: delay))
        case .leaveDead(let final):
            children[index].state = .final(final)
            sayOnce("\(what); stays stopped; its log: \(log)", of: index)
        }
        let anyAlive = children.contains { child in
            if case .final = child.state { false } else { true }
        }
        guard anyAlive else {
            throw CommandError("every process has stopped for good", exitCode: exit.code ?? 1)
        }
    }

    /// How a process ended.
    private struct Exit {
        var code: Int32?
        var signal: Int32

        var words: String {
            if let code { "ended with exit code \(code)" } else { "was killed by signal \(signal)" }
        }
    }

    private mutating func reap() -> [(Int, Exit)] {
        var ended: [(Int, Exit)] = []
        for index in children.indices {
            guard let pid = children[index].pid else { continue }
            var status: Int32 = 0
            guard unsafe waitpid(pid, &status, WNOHANG) == pid else { continue }
            let signal = status & 0x7f
            let code = signal == 0 ? (status >> 8) & 0xff : nil
            children[index].state = .stopped
            unsafe unlink(children[index].pidPath)
            ended.append((index, Exit(code: code, signal: signal)))
        }
        return ended
    }

    private func millisecondsToNextStart() -> Int32 {
        let now = MonotonicTime.now()
        var least: UInt64?
        for child in children {
            guard case .waiting(let until) = child.state else { continue }
            let left = until.milliseconds(since: now) + 1
            least = min(least ?? left, left)
        }
        guard let least else { return -1 }
        return Int32(min(least, 60_000))
    }

    private func takeSignals() -> [Int32] {
        var bytes = Bytes(repeating: 0, count: 64)
        let count = unsafe bytes.withUnsafeMutableBytes { buffer in
            unsafe read(signals, buffer.baseAddress, buffer.count)
        }
        return bytes.prefix(max(0, count)).map { Int32($0) }
    }

    private func waitForInput(milliseconds: Int32) {
        var descriptors = [pollfd(fd: signals, events: Int16(POLLIN), revents: 0)]
        for child in children where child.link >= 0 {
            descriptors.append(pollfd(fd: child.link, events: Int16(POLLIN), revents: 0))
        }
        _ = unsafe poll(&descriptors, nfds_t(descriptors.count), milliseconds)
    }

    // MARK: Stopping

    private mutating func stopAll() {
        let start = MonotonicTime.now()
        for child in children where child.role == .agent { child.send(SIGTERM) }
        wait(until: start.advanced(milliseconds: Self.agentStopMilliseconds)) {
            $0.role == .agent
        }
        for child in children where child.role != .agent { child.send(SIGTERM) }
        wait(until: start.advanced(milliseconds: Self.stopMilliseconds)) { _ in true }
        for child in children where child.pid != nil {
            say("\(child.name) did not stop in time: killed")
            child.send(SIGKILL)
        }
        wait(until: MonotonicTime.now().advanced(milliseconds: 500)) { _ in true }
    }

    /// Reaps until every child that counts has ended, or the time is over.
    private mutating func wait(until end: MonotonicTime, for counts: (ChildProcess) -> Bool) {
        while true {
            for (index, _) in reap() { children[index].closeLink() }
            let left = end.milliseconds(since: .now())
            guard left > 0, children.contains(where: { counts($0) && $0.pid != nil }) else {
                return
            }
            waitForInput(milliseconds: Int32(min(left, 1_000)))
            _ = takeSignals()
        }
    }
}

/// A line for the person at the terminal, at once.
func say(_ text: String) {
    let line = Bytes((text + "\n").utf8)
    _ = unsafe line.withUnsafeBytes { unsafe Glibc.write(STDOUT_FILENO, $0.baseAddress, $0.count) }
}
