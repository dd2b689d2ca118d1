import Documents
import Basics
import CMartlet
import Objects

/// Lays volumes out as directories. Blocking.
struct VolumeDirectory: Sendable {
    /// The sandbox's volume directory; each volume is a directory of its own name in it.
    let root: String
    /// Whether mounts may be made.
    let canMount: Bool
    /// What no hostPath may reach.
    let hiddenPaths: [String]

    private static let memoryBytesMax: UInt64 = 1 << 30

    private static func failure(_ volume: String, _ text: String) -> RuntimeError {
        RuntimeError("FailedMount", "MountVolume.SetUp failed for volume \"\(volume)\" : \(text)")
    }

    /// Where the volume's content stands on the host.
    func path(_ volume: JSON) -> String {
        if let host = volume.path("hostPath", "path")?.stringValue {
            return Files.resolved(host) ?? host
        }
        return root + "/" + (volume["name"]?.stringValue ?? "")
    }

    /// Makes or updates every volume of the pod.
    func prepare(
        _ pod: Object, facts: PodFacts, sources: ConfigSources
    ) throws(RuntimeError) {
        let group = pod.spec.path("securityContext", "fsGroup")?.intValue
        for volume in pod.spec["volumes"]?.elements ?? [] {
            let name = volume["name"]?.stringValue ?? ""
            do {
                if let files = try VolumeFiles.make(volume, facts: facts, sources: sources) {
                    try write(files, to: root + "/" + name)
                } else if let source = volume["emptyDir"] {
                    try makeEmpty(name, source, group: group)
                } else if let source = volume["hostPath"] {
                    try check(source)
                } else {
                    let kind = volume.objectValue?.keys.first { $0 != "name" } ?? "?"
                    throw RuntimeError("FailedMount", "volumes of kind \(kind) are not supported")
                }
            } catch let error as RuntimeError {
                throw Self.failure(name, error.message)
            } catch {
                throw Self.failure(name, "\(error)")
            }
        }
    }

    private func makeEmpty(_ name: String, _ source: JSON, group: Int64?) throws {
        let path = root + "/" + name
        guard !Files.isDirectory(path) else { return }
        try Files.makeDirectories(path, mode: 0o755)
        if source["medium"]?.stringValue == "Memory", canMount {
            var bytes = Self.memoryBytesMax
            if let limit = source["sizeLimit"]?.stringValue,
                let quantity = Quantity(limit)
            {
                bytes = UInt64(max(4096, quantity.value))
            }
            let error = unsafe martlet_mount_tmpfs(path, bytes)
            guard error == 0 else {
                throw RuntimeError("FailedMount", "mounting tmpfs: \(errnoText(error))")
            }
        }
        if let group {
            Files.setGroup(path, UInt32(truncatingIfNeeded: group))
            Files.setMode(path, 0o2775)
        } else {
            Files.setMode(path, 0o777)
        }
    }

    private func check(_ source: JSON) throws {
        let path = source["path"]?.stringValue ?? ""
        let type = source["type"]?.stringValue ?? ""
        guard path.hasPrefix("/"), !path.split(separator: "/").contains("..") else {
            throw RuntimeError("FailedMount", "hostPath \(path) must be absolute, without '..'")
        }
        let exists = Files.exists(path)
        let isDirectory = Files.isDirectory(path)
        switch type {
        case "DirectoryOrCreate" where !exists: try Files.makeDirectories(path, mode: 0o755)
        case "FileOrCreate" where !exists: try Files.write([], to: path, mode: 0o644)
        case "Directory" where !isDirectory, "DirectoryOrCreate" where !isDirectory:
            throw RuntimeError(
                "FailedMount", "hostPath type check failed: \(path) is not a directory")
        case "File" where !exists || isDirectory, "FileOrCreate" where isDirectory:
            throw RuntimeError("FailedMount", "hostPath type check failed: \(path) is not a file")
        default:
            if !exists { throw RuntimeError("FailedMount", "hostPath \(path) does not exist") }
        }
        let real = Files.resolved(path) ?? path
        for hidden in hiddenPaths {
            guard !Self.isBelow(real, hidden), !Self.isBelow(hidden, real) else {
                throw RuntimeError(
                    "FailedMount", "hostPath \(path) would show the cluster's data directory")
            }
        }
    }

    static func isBelow(_ path: String, _ parent: String) -> Bool {
        path == parent || parent == "/" || path.hasPrefix(parent + "/")
    }

    /// Replaces the volume's files at once: they stand in a directory to which `..data` points.
    func write(_ files: [VolumeFile], to path: String) throws(FileError) {
        let current = Files.linkTarget(path + "/..data")
        if let current, isUnchanged(files, in: path + "/" + current) { return }
        try Files.makeDirectories(path, mode: 0o755)
        Files.setMode(path, 0o755)
        let fresh = current == "..a" ? "..b" : "..a"
        Files.remove(path + "/" + fresh)
        try Files.makeDirectories(path + "/" + fresh, mode: 0o755)
        Files.setMode(path + "/" + fresh, 0o755)
        for file in files {
            let target = path + "/" + fresh + "/" + file.path
            if let slash = target.lastIndex(of: "/") {
                try Files.makeDirectories(String(target[..<slash]), mode: 0o755)
            }
            try Files.write(file.content, to: target, mode: file.mode)
        }
        Files.remove(path + "/..data_tmp")
        try Files.symbolicLink(path + "/..data_tmp", to: fresh)
        try Files.rename(path + "/..data_tmp", to: path + "/..data")
        var names: [String] = []
        for file in files {
            let name = String(file.path.prefix { $0 != "/" })
            if !names.contains(name) { names.append(name) }
        }
        for name in names where Files.linkTarget(path + "/" + name) == nil {
            try Files.symbolicLink(path + "/" + name, to: "..data/" + name)
        }
        for name in Files.list(path) where !name.hasPrefix("..") && !names.contains(name) {
            Files.remove(path + "/" + name)
        }
        if let current { Files.remove(path + "/" + current) }
    }

    private func isUnchanged(_ files: [VolumeFile], in directory: String) -> Bool {
        var present = 0
        for name in allFiles(directory) {
            guard let file = files.first(where: { $0.path == name }),
                let bytes = try? Files.read(directory + "/" + name), bytes == file.content
            else { return false }
            present += 1
        }
        return present == files.count
    }

    private func allFiles(_ directory: String, prefix: String = "") -> [String] {
        Files.list(directory).flatMap { name in
            Files.isDirectory(directory + "/" + name)
                ? allFiles(directory + "/" + name, prefix: prefix + name + "/") : [prefix + name]
        }
    }
}
