import Glibc

/// How many files and connections a process may have open at once.
enum DescriptorLimit {
    /// For log, keyspace, snapshots and peers, whatever clients do; etcd keeps as many back.
    static let reserved = 150

    /// Takes as many as the system lets the process have.
    static func raise() {
        var limit = rlimit()
        guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
            return
        }
        limit.rlim_cur = limit.rlim_max
        _ = unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }

    /// Connections that each of so many ports may have.
    static func connectionsMax(ports: Int) -> Int {
        var limit = rlimit()
        guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
            return .max
        }
        let all = Int(clamping: limit.rlim_cur)
        return max(all / 4, all - reserved) / ports
    }
}
