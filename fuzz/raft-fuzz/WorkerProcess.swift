import Glibc
import Simulator

/// A running worker and what it printed.
final class WorkerProcess {
    private let process: pid_t
    let output: Int32
    private(set) var text: [UInt8] = []
    private let echoes: Bool

    /// Starts this program again for some seeds; nil if the system refuses.
    init?(first: UInt64, count: UInt64, arguments: [String], echoes: Bool) {
        var pipe: [Int32] = [0, 0]
        guard unsafe Glibc.pipe(&pipe) == 0 else { return nil }
        for end in pipe { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        unsafe posix_spawn_file_actions_adddup2(&actions, pipe[1], 1)
        let words =
            ["raft-fuzz", "--worker", "--first-seed", "\(first)", "--seeds", "\(count)"]
            + arguments
        var vector: [UnsafeMutablePointer<CChar>?] = unsafe words.map { unsafe strdup($0) }
        unsafe vector.append(nil)
        defer { unsafe vector.forEach { unsafe free($0) } }
        var process: pid_t = 0
        let code = unsafe posix_spawn(
            &process, "/proc/self/exe", &actions, nil, vector, environ)
        Glibc.close(pipe[1])
        guard code == 0 else {
            Glibc.close(pipe[0])
            return nil
        }
        self.process = process
        self.echoes = echoes
        output = pipe[0]
    }

    /// Takes what there is to read. Returns false at the end.
    func read() -> Bool {
        var buffer = [UInt8](repeating: 0, count: 65536)
        let count = unsafe Glibc.read(output, &buffer, buffer.count)
        guard count > 0 else { return false }
        if echoes {
            _ = unsafe Glibc.write(1, buffer, count)
            // Only the first line and the last are of interest here.
            if text.count > 1 << 20 { text = Array(text.prefix(64) + text.suffix(4096)) }
        }
        text += buffer[..<count]
        return true
    }

    /// Waits for the end. Returns the exit code, or 127 if a signal ended the process.
    func wait() -> Int32 {
        Glibc.close(output)
        var status: Int32 = 0
        while unsafe waitpid(process, &status, 0) < 0, errno == EINTR {}
        ScratchDirectory.remove("/dev/shm/" + Worker.scratchName(process))
        return status & 0x7f == 0 ? status >> 8 & 0xff : ExitCode.crash.rawValue
    }

    /// What was said of each seed that began; empty for one that did not end.
    var results: [(seed: UInt64, text: Substring)] {
        var results: [(seed: UInt64, text: Substring)] = []
        for line in Substring(decoding: text, as: UTF8.self).split(separator: "\n") {
            if line.hasPrefix(Worker.seedPrefix),
                let seed = UInt64(line.dropFirst(Worker.seedPrefix.count))
            {
                results.append((seed, ""))
            } else if line.hasPrefix(Worker.resultPrefix), !results.isEmpty {
                results[results.count - 1].text = line.dropFirst(Worker.resultPrefix.count)
            }
        }
        return results
    }
}
