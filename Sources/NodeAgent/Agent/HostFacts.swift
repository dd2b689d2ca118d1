import Basics
import CMartlet
import Glibc
import Objects

/// What the node says of itself.
struct HostFacts: Sendable {
    var hostname: String
    var kernel: String
    var osImage: String
    var architecture: String
    var machineID: String
    var bootID: String
    var systemUUID: String
    var processors: Int64
    var memoryBytes: Int64
    var diskBytes: Int64
    var hostIP: String

    /// Blocking reads of /proc and /etc.
    static func read(directory: String) -> HostFacts {
        var name = utsname()
        unsafe uname(&name)
        var disk = statvfs()
        let hasDisk = unsafe statvfs(directory, &disk) == 0
        return HostFacts(
            hostname: text(name.nodename), kernel: text(name.release), osImage: osName(),
            architecture: architecture(text(name.machine)),
            machineID: line("/etc/machine-id"), bootID: line("/proc/sys/kernel/random/boot_id"),
            systemUUID: line("/sys/class/dmi/id/product_uuid"),
            processors: Int64(max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))),
            memoryBytes: memory(),
            diskBytes: hasDisk ? Int64(disk.f_blocks) * Int64(disk.f_frsize) : 0,
            hostIP: PodNetwork.text(martlet_net_host_address()))
    }

    private static func line(_ path: String) -> String {
        let text = Files.readText(path) ?? ""
        return text.split(separator: "\n").first.map(String.init) ?? ""
    }

    /// A field of `utsname` as text.
    private static func text<Field>(_ field: Field) -> String {
        unsafe withUnsafeBytes(of: field) { raw in
            unsafe String(decoding: raw.prefix { $0 != 0 }, as: UTF8.self)
        }
    }

    private static func osName() -> String {
        for line in (Files.readText("/etc/os-release") ?? "").split(separator: "\n")
        where line.hasPrefix("PRETTY_NAME=") {
            return line.dropFirst(12).filter { $0 != "\"" }
        }
        return "Linux"
    }

    /// Go's names.
    private static func architecture(_ machine: String) -> String {
        switch machine {
        case "x86_64": "amd64"
        case "aarch64": "arm64"
        default: machine
        }
    }

    private static func memory() -> Int64 {
        for line in (Files.readText("/proc/meminfo") ?? "").split(separator: "\n")
        where line.hasPrefix("MemTotal:") {
            return (line.split(separator: " ").dropFirst().first.flatMap { Int64($0) } ?? 0) * 1024
        }
        return 0
    }

    /// For downward API limits that a container does not set.
    var allocatable: [String: Int64] {
        ["cpu": processors * 1000, "memory": memoryBytes, "ephemeral-storage": diskBytes]
    }
}
