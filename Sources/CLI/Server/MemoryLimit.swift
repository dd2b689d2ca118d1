import Glibc

/// How much memory this process may have: the machine's, or less if a control group says so.
enum MemoryLimit {
    /// What requests and answers may take of it together; the rest is for the log's and the
    /// keyspace's own, and for everybody else.
    static var budgetBytes: Int { Int(min(bytes / 4, 2 << 30)) }

    /// What entries may take that followers behind need.
    static var entryBytes: Int { Int(min(bytes / 8, 256 << 20)) }

    static var bytes: UInt64 {
        let pages = UInt64(max(1, sysconf(Int32(_SC_PHYS_PAGES))))
        let machine = pages * UInt64(max(1, sysconf(Int32(_SC_PAGESIZE))))
        return controlGroups().reduce(machine, min)
    }

    /// Limits of the groups that this process is in, and of those round them.
    private static func controlGroups() -> [UInt64] {
        guard let text = try? Files.readText("/proc/self/cgroup") else { return [] }
        var limits: [UInt64] = []
        for line in text.split(separator: "\n") {
            let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard parts.count == 3 else { continue }
            if parts[1] == "memory" {
                limits += limitsUpwards(
                    "/sys/fs/cgroup/memory", parts[2], "memory.limit_in_bytes")
            } else if parts[1].isEmpty {
                limits += limitsUpwards("/sys/fs/cgroup", parts[2], "memory.max")
            }
        }
        return limits
    }

    private static func limitsUpwards(
        _ root: String, _ path: Substring, _ file: String
    ) -> [UInt64] {
        var limits: [UInt64] = []
        var names = path.split(separator: "/")
        while true {
            let folder = ([Substring(root)] + names).joined(separator: "/")
            // "max" is no number, and no limit.
            if let text = try? Files.readText("\(folder)/\(file)"),
                let limit = UInt64(text.filter { !$0.isWhitespace }), limit > 0
            {
                limits.append(limit)
            }
            if names.popLast() == nil { return limits }
        }
    }
}
