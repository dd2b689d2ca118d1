import Glibc

/// What every Prometheus client says of its process, read from /proc when asked.
package struct ProcessMetrics: MetricSource {
    package init() {}

    package func write(to text: inout MetricsText) {
        writeUsage(to: &text)
        let open = openFiles()
        var files = rlimit()
        unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &files)
        text.gauge("process_open_fds", "Open file descriptors.", open)
        text.gauge("process_max_fds", "File descriptors that may be open.", files.rlim_cur)
        text.gauge("os_fd_used", "Open file descriptors.", open)
        text.gauge("os_fd_limit", "File descriptors that may be open.", files.rlim_cur)
    }

    /// The fields of /proc/self/stat behind the name, which may hold anything: 3 is the first.
    private func writeUsage(to text: inout MetricsText) {
        let stat = read("/proc/self/stat")
        guard let name = stat.lastIndex(of: ")") else { return }
        let fields = stat[stat.index(after: name)...].split(separator: " ")
        guard fields.count > 21, let user = Double(fields[11]), let system = Double(fields[12]),
            let started = Double(fields[19]), let virtual = UInt64(fields[20]),
            let resident = UInt64(fields[21])
        else { return }
        let ticks = Double(sysconf(Int32(_SC_CLK_TCK)))
        text.sample(
            "process_cpu_seconds_total", .counter, "Processor time used, in seconds.",
            value: MetricsText.number((user + system) / ticks))
        text.gauge("process_virtual_memory_bytes", "Address space.", virtual)
        text.gauge(
            "process_resident_memory_bytes", "Memory in use, mapped files included.",
            resident * UInt64(sysconf(Int32(_SC_PAGESIZE))))
        if let boot = bootSeconds() {
            text.sample(
                "process_start_time_seconds", .gauge, "When the process began, since 1970.",
                value: MetricsText.number(boot + started / ticks))
        }
    }

    private func bootSeconds() -> Double? {
        let line = read("/proc/stat").split(separator: "\n").first { $0.hasPrefix("btime ") }
        return line.flatMap { Double($0.dropFirst(6)) }
    }

    private func openFiles() -> Int {
        guard let folder = unsafe opendir("/proc/self/fd") else { return 0 }
        defer { unsafe closedir(folder) }
        var count = 0
        while unsafe readdir(folder) != nil { count += 1 }
        // ".", ".." and the folder itself.
        return max(0, count - 3)
    }

    private func read(_ path: String) -> String {
        let file = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return "" }
        defer { close(file) }
        var bytes = Bytes()
        var buffer = Bytes(repeating: 0, count: 16 * 1024)
        while true {
            let count = unsafe Glibc.read(file, &buffer, buffer.count)
            guard count > 0 else { break }
            bytes += buffer[..<count]
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
