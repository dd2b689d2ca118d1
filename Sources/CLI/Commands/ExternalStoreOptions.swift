import ArgumentParser

/// Where the state lies, if not in replicas of this cluster's own; for `martlet up` and
/// `martlet server`. In brackets what kube-apiserver calls the same.
struct ExternalStoreOptions: ParsableArguments {
    @Option(
        help: """
            Keep the state in this etcd cluster, and run no replicas: comma-separated, for example \
            https://10.0.0.1:2379 [--etcd-servers].
            """)
    var storeEndpoints: String?

    @Option(help: "Authority of the etcd servers' certificates, a PEM file [--etcd-cafile].")
    var storeCacert: String?

    @Option(help: "Client certificate for etcd, a PEM file [--etcd-certfile].")
    var storeCert: String?

    @Option(help: "Key of that client certificate, a PEM file [--etcd-keyfile].")
    var storeKey: String?

    @Option(
        help: """
            Compact etcd so often, as kube-apiserver does: 30s, 5m; 0: never \
            [--etcd-compaction-interval].
            """)
    var storeCompactionInterval = "5m"

    var compactionSeconds: UInt64 { SnapshotOptions.seconds(storeCompactionInterval) ?? 0 }

    /// The same flags for a child; where etcd is, the cluster's folder tells it.
    var arguments: [String] { ["--store-compaction-interval", storeCompactionInterval] }

    func validate() throws {
        guard storeCompactionInterval == "0" || compactionSeconds > 0 else {
            throw ValidationError("--store-compaction-interval is a time as 30s or 5m, or 0")
        }
        guard let storeEndpoints else {
            for (name, value) in [
                ("--store-cacert", storeCacert), ("--store-cert", storeCert),
                ("--store-key", storeKey),
            ] where value != nil {
                throw ValidationError("\(name) needs --store-endpoints")
            }
            return
        }
        if storeEndpoints.split(separator: ",").isEmpty {
            throw ValidationError("--store-endpoints is empty")
        }
        guard (storeCert == nil) == (storeKey == nil) else {
            throw ValidationError("--store-cert and --store-key go together")
        }
    }

    var store: ExternalStore? {
        guard let storeEndpoints else { return nil }
        return ExternalStore(
            endpoints: storeEndpoints.split(separator: ",").map(String.init),
            authorityPath: storeCacert.map(absolute), certificatePath: storeCert.map(absolute),
            keyPath: storeKey.map(absolute))
    }

    private func absolute(_ path: String) -> String {
        path.hasPrefix("/") ? path : currentDirectory() + "/" + path
    }
}
