import Basics

/// Lays out a whole new cluster, with ids of its own, from one snapshot file.
enum ClusterSeed {
    static func lay(
        snapshot: String, into directory: DataDirectory, replicas: Int
    ) throws(CommandError) {
        let layout = try directory.layout(for: ClusterShape(replicaCount: replicas))
        try lay(snapshot: snapshot, into: directory, layout: layout)
    }

    static func lay(
        snapshot: String, into directory: DataDirectory, layout: ClusterLayout
    ) throws(CommandError) {
        for replica in layout.replicas {
            let path = directory.replicaPath(replica.number)
            try Files.makeDirectory(path, mode: 0o700)
            try ReplicaSeed.lay(snapshot: snapshot, into: path, layout: layout, replica: replica)
        }
        var bootstrapped = layout
        bootstrapped.isBootstrapped = true
        try directory.write(bootstrapped)
    }
}
