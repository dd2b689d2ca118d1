import ArgumentParser
import Basics
import Glibc
import Keyspace

struct StoreSnapshotRestore: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore", abstract: "Lay out a new cluster from a snapshot file.",
        discussion: "The folder is absent or empty before; `martlet up --data-dir` starts it.")

    @Argument(help: "Snapshot file.") var file: String
    @Option(help: "Folder of the new cluster.") var dataDir: String
    @Option(help: "Store replicas: 1, 3 or 5.") var replicas = 3

    func validate() throws {
        guard [1, 3, 5].contains(replicas) else {
            throw ValidationError("--replicas is 1, 3 or 5, not \(replicas)")
        }
    }

    func run() throws {
        do {
            try restore()
        } catch let error as CommandError {
            reportError(error)
            throw ExitCode(error.exitCode)
        }
    }

    /// Lays the cluster out beside its place and moves it there whole, so that an error leaves
    /// nothing behind.
    private func restore() throws {
        let target = DataDirectory(dataDir)
        if Files.exists(target.path), try !Files.list(target.path).isEmpty {
            throw CommandError("\(target.path) is not empty")
        }
        let header = try verifySnapshot(file)
        let staging = DataDirectory(target.path + ".restoring")
        Files.removeTree(staging.path)
        do {
            try layOut(staging, header)
            unsafe rmdir(target.path)
            guard unsafe rename(staging.path, target.path) == 0 else {
                throw Files.failure("cannot move into place", target.path)
            }
        } catch {
            Files.removeTree(staging.path)
            throw error
        }
        print(
            "restored revision \(header.revision) for \(replicas) replicas;"
                + " next: martlet up --data-dir \(dataDir) --replicas \(replicas)")
    }

    private func layOut(_ directory: DataDirectory, _ header: SnapshotHeader) throws {
        let layout = try directory.layout(for: ClusterShape(replicaCount: replicas))
        for replica in layout.replicas {
            let path = directory.replicaPath(replica.number)
            try Files.makeDirectory(path, mode: 0o700)
            try ReplicaSeed.lay(snapshot: file, into: path, layout: layout, replica: replica)
        }
        var bootstrapped = layout
        bootstrapped.isBootstrapped = true
        try directory.write(bootstrapped)
    }
}
