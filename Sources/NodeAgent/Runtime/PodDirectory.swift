import Documents
import Basics
import Objects

/// The files of one pod on this node. See docs/formats/pod-state.md.
struct PodDirectory: Sendable {
    let path: String

    var volumes: String { path + "/volumes" }
    var hosts: String { path + "/hosts" }

    func containerPath(_ directory: String) -> String { path + "/containers/" + directory }
    func logPath(container: String, attempt: Int) -> String {
        path + "/logs/\(container)/\(attempt).log"
    }

    static func containerDirectory(name: String, attempt: Int) -> String { "\(name)_\(attempt)" }

    func make() throws(FileError) {
        try Files.makeDirectories(path + "/containers")
        try Files.makeDirectories(path + "/logs")
        try Files.makeDirectories(volumes, mode: 0o755)
    }

    func save(_ sandbox: PodSandbox, usesHostNetwork: Bool) throws(FileError) {
        let json: JSON = [
            "format": 1, "id": .string(sandbox.id), "namespace": .string(sandbox.namespace),
            "name": .string(sandbox.name), "ip": .string(sandbox.ip),
            "hostNetwork": .bool(usesHostNetwork),
        ]
        try Files.replace(path + "/sandbox.json", with: json.bytes())
    }

    func load() -> (sandbox: PodSandbox, usesHostNetwork: Bool)? {
        guard let bytes = try? Files.read(path + "/sandbox.json"),
            let json = try? JSON.parse(bytes), json["format"]?.intValue == 1,
            let id = json["id"]?.stringValue
        else { return nil }
        let sandbox = PodSandbox(
            id: id, namespace: json["namespace"]?.stringValue ?? "",
            name: json["name"]?.stringValue ?? "", ip: json["ip"]?.stringValue ?? "",
            isReady: false)
        return (sandbox, json["hostNetwork"]?.boolValue ?? false)
    }

    var shimPID: Int32? {
        Files.readText(path + "/shim.pid").flatMap {
            Int32($0.split(separator: "\n").first ?? "")
        }
    }

    /// What was created here, by name and attempt; `isAlive` tells whether the shim is.
    func containers(isAlive: Bool) -> [RuntimeContainer] {
        var found: [RuntimeContainer] = []
        for directory in Files.list(path + "/containers") {
            guard let container = container(directory, isAlive: isAlive) else { continue }
            found.append(container)
        }
        return found.sorted { ($0.name, $0.attempt) < ($1.name, $1.attempt) }
    }

    func container(_ directory: String, isAlive: Bool) -> RuntimeContainer? {
        let base = containerPath(directory)
        guard let bytes = try? Files.read(base + "/container.json"),
            let json = try? JSON.parse(bytes), json["format"]?.intValue == 1,
            let name = json["name"]?.stringValue, let attempt = json["attempt"]?.intValue
        else { return nil }
        var container = RuntimeContainer(
            id: json["id"]?.stringValue ?? "", sandbox: json["sandbox"]?.stringValue ?? "",
            name: name, attempt: Int(attempt), image: json["image"]?.stringValue ?? "",
            state: .created, startedAt: "")
        guard let state = Files.readText(base + "/state") else { return container }
        var fields: [Substring: Substring] = [:]
        for line in state.split(separator: "\n") {
            guard let space = line.firstIndex(of: " ") else { continue }
            fields[line[..<space]] = line[line.index(after: space)...]
        }
        container.startedAt = fields["started"].map(String.init) ?? ""
        if Files.exists(base + "/stopped") {
            container.state = .lost
        } else if let code = fields["code"].flatMap({ Int32($0) }) {
            container.state = .exited(
                code: code, finishedAt: fields["finished"].map(String.init) ?? "")
            container.terminationMessage = terminationMessage(directory)
        } else {
            container.state = isAlive ? .running : .lost
        }
        return container
    }

    func save(_ container: RuntimeContainer) throws(FileError) {
        let directory = Self.containerDirectory(name: container.name, attempt: container.attempt)
        let json: JSON = [
            "format": 1, "id": .string(container.id), "sandbox": .string(container.sandbox),
            "name": .string(container.name), "attempt": .integer(Int64(container.attempt)),
            "image": .string(container.image),
        ]
        try Files.replace(containerPath(directory) + "/container.json", with: json.bytes())
    }

    /// At most 4096 bytes, as upstream.
    private func terminationMessage(_ directory: String) -> String {
        let path = containerPath(directory) + "/termination-log"
        guard let bytes = try? Files.read(path, bytesMax: 4096) else { return "" }
        return String(decoding: bytes.prefix(4096), as: UTF8.self)
    }
}
