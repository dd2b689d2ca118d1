import Documents
import Basics

/// The folder that holds a cluster: names of what is in it, and the layout file.
struct DataDirectory: Sendable, Hashable {
    /// Absolute path without a slash at the end.
    let path: String

    init(_ path: String) {
        var path = path.hasPrefix("/") ? path : currentDirectory() + "/" + path
        while path.count > 1, path.hasSuffix("/") { path.removeLast() }
        self.path = path
    }

    var layoutPath: String { path + "/cluster.json" }
    var kubeconfigPath: String { path + "/kubeconfig" }
    var pkiPath: String { path + "/pki" }
    var lockPath: String { path + "/lock" }

    func replicaPath(_ number: Int) -> String { path + "/replica-\(number)" }
    func nodePath(_ name: String) -> String { path + "/" + name }
    func pidPath(_ name: String) -> String { path + "/\(name).pid" }

    var hasLayout: Bool { Files.exists(layoutPath) }

    func readLayout() throws(CommandError) -> ClusterLayout {
        guard hasLayout else {
            throw CommandError("\(path) holds no cluster: there is no cluster.json")
        }
        let bytes = try Files.read(layoutPath)
        let json: JSON
        do {
            json = try JSON.parse(bytes)
        } catch {
            throw CommandError("\(layoutPath): \(error)")
        }
        return try ClusterLayout(json: json, path: layoutPath)
    }

    func write(_ layout: ClusterLayout) throws(CommandError) {
        try Files.write(layoutPath, layout.json.bytes() + [0x0a], mode: 0o600)
    }

    /// The layout for a run of `martlet up`: of the cluster that is there, or of a new one.
    func layout(for shape: ClusterShape) throws(CommandError) -> ClusterLayout {
        try Files.makeDirectory(path, mode: 0o700)
        guard hasLayout else {
            if let stray = try Files.list(path).first(where: { $0.hasPrefix("replica-") }) {
                throw CommandError(
                    "\(path) has \(stray) but no cluster.json: not a directory of this cluster",
                    exitCode: FatalExit.foreignDirectory.rawValue)
            }
            var random = SystemRandomNumberGenerator()
            let layout = ClusterLayout.new(shape, random: &random)
            try write(layout)
            return layout
        }
        var layout = try readLayout()
        guard layout.replicas.count == shape.replicaCount else {
            throw CommandError(
                "\(path) holds a cluster of \(layout.replicas.count) replicas, not of"
                    + " \(shape.replicaCount): start it with --replicas \(layout.replicas.count)")
        }
        try check(layout.externalStore, against: shape.externalStore)
        layout.apply(shape)
        try write(layout)
        return layout
    }

    /// Where the state lies does not change by a flag that is forgotten, or given too many.
    func check(
        _ external: ExternalStore?, against asked: ExternalStore?
    ) throws(CommandError) {
        if let external, asked == nil {
            throw CommandError(
                "\(path) holds a cluster with its state in the etcd at \(external.text):"
                    + " start it with --store-endpoints")
        }
        if external == nil, asked != nil {
            throw CommandError(
                "\(path) holds a cluster with replicas of its own: --store-endpoints needs"
                    + " another --data-dir")
        }
    }
}
