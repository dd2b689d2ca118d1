import Basics

/// Writes the NUL-terminated records that the shim reads. See docs/formats/pod-state.md.
struct ShimRecords {
    private(set) var bytes = Bytes()
    /// Set when a value holds a NUL, which no record and no process argument can carry.
    private(set) var isMalformed = false

    mutating func add(_ key: String, _ value: String) {
        if value.utf8.contains(0) { isMalformed = true }
        bytes.append(contentsOf: key.utf8)
        bytes.append(UInt8(ascii: " "))
        bytes.append(contentsOf: value.utf8)
        bytes.append(0)
    }
}

/// The names of `capabilities(7)`, by number.
enum Capabilities {
    private static let names = [
        "CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID",
        "SETPCAP", "LINUX_IMMUTABLE", "NET_BIND_SERVICE", "NET_BROADCAST", "NET_ADMIN", "NET_RAW",
        "IPC_LOCK", "IPC_OWNER", "SYS_MODULE", "SYS_RAWIO", "SYS_CHROOT", "SYS_PTRACE",
        "SYS_PACCT", "SYS_ADMIN", "SYS_BOOT", "SYS_NICE", "SYS_RESOURCE", "SYS_TIME",
        "SYS_TTY_CONFIG", "MKNOD", "LEASE", "AUDIT_WRITE", "AUDIT_CONTROL", "SETFCAP",
        "MAC_OVERRIDE", "MAC_ADMIN", "SYSLOG", "WAKE_ALARM", "BLOCK_SUSPEND", "AUDIT_READ",
        "PERFMON", "BPF", "CHECKPOINT_RESTORE",
    ]

    /// What container engines leave by default, without MKNOD: nothing else would keep a
    /// container from the host's disks.
    static let standard: UInt64 = set([
        "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID", "SETPCAP",
        "NET_BIND_SERVICE", "NET_RAW", "SYS_CHROOT", "AUDIT_WRITE", "SETFCAP",
    ])

    /// What would let a container out of its mount namespace or at the host's memory and disks.
    private static let refused: UInt64 = set([
        "SYS_ADMIN", "SYS_MODULE", "SYS_RAWIO", "SYS_PTRACE", "SYS_BOOT", "MKNOD",
        "DAC_READ_SEARCH", "MAC_ADMIN", "MAC_OVERRIDE", "BPF", "PERFMON", "CHECKPOINT_RESTORE",
    ])

    static func mask(added: [String], dropped: [String]) throws(RuntimeError) -> UInt64 {
        var mask = standard
        for name in dropped {
            if name.uppercased() == "ALL" {
                mask = 0
            } else {
                mask &= ~(try bit(name))
            }
        }
        for name in added {
            let bit = name.uppercased() == "ALL" ? UInt64.max : try bit(name)
            guard bit & refused == 0 else {
                throw RuntimeError(
                    "CreateContainerError",
                    "capability \(name) is refused: it would open the host to the container")
            }
            mask |= bit
        }
        return mask
    }

    private static func bit(_ name: String) throws(RuntimeError) -> UInt64 {
        let plain = name.uppercased().hasPrefix("CAP_") ? String(name.dropFirst(4)) : name
        guard let number = names.firstIndex(of: plain.uppercased()) else {
            throw RuntimeError("CreateContainerError", "unknown capability \"\(name)\"")
        }
        return 1 << UInt64(number)
    }

    private static func set(_ wanted: [String]) -> UInt64 {
        wanted.reduce(0) { mask, name in
            mask | (names.firstIndex(of: name).map { 1 << UInt64($0) } ?? 0)
        }
    }
}
