import ArgumentParser
import Backup
import Basics
import EtcdAPI
import Keyspace

struct StoreImport: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Lay out a new cluster from a snapshot of etcd.",
        discussion: """
            FILE is what `etcdctl snapshot save` makes of an etcd 3.x. Revisions, versions, \
            leases, users, roles and all history that the file retains stay as they are. The \
            folder is absent or empty before; `martlet up --data-dir` starts the new cluster, \
            which has an id of its own.
            """)

    @Argument(help: "Snapshot file of etcd.") var file: String
    @Option(help: "Folder of the new cluster.") var dataDir: String
    @Option(help: "Store replicas: 1, 3 or 5.") var replicas = 3
    @Option(help: "Raise the revision by so much, so that none is used twice; marks as compacted.")
    var bumpRevision: Int64 = 0
    @Flag(help: "Compact up to the newest revision: older watches are refused.")
    var markCompacted = false
    @Flag(help: "Take a file without a hash, as a stopped member has it in member/snap/db.")
    var skipHashCheck = false

    func validate() throws {
        guard [1, 3, 5].contains(replicas) else {
            throw ValidationError("--replicas is 1, 3 or 5, not \(replicas)")
        }
        guard bumpRevision >= 0, bumpRevision <= 1 << 40 else {
            throw ValidationError("--bump-revision is 0 to \(1 << 40)")
        }
    }

    func run() throws {
        do {
            try importFile()
        } catch let error as CommandError {
            reportError(error)
            throw ExitCode(error.exitCode)
        }
    }

    private func importFile() throws {
        let place = try NewClusterPlace(dataDir)
        let (imported, header) = try place.lay(replicas: replicas) { scratch in
            do {
                return try prepare(scratch)
            } catch {
                throw CommandError("nothing is imported: \(error)")
            }
        }
        for note in imported.notes { print("note: \(note)") }
        let history =
            imported.compactRevision > 0 ? ", compacted up to \(imported.compactRevision)" : ""
        print(
            "imported revision \(header.revision)\(history): \(header.keys)"
                + " keys, \(imported.changes) changes and \(imported.leases) leases for"
                + " \(replicas) replicas;"
                + " next: martlet up --data-dir \(dataDir) --replicas \(replicas)")
    }

    /// A keyspace of the file's content, and a snapshot of that for the replicas to begin with.
    private func prepare(
        _ scratch: String
    ) throws -> (path: String, (EtcdDatabase.Imported, SnapshotHeader)) {
        let folder = scratch + "/import"
        try Files.makeDirectory(folder, mode: 0o700)
        let keyspace = try Keyspace.open(directory: folder)
        defer { keyspace.stop() }
        let imported = try EtcdDatabase.read(file, into: keyspace, checksHash: !skipHashCheck)
        let path = scratch + "/imported.snapshot"
        let marks = markCompacted || bumpRevision > 0
        if marks { try keyspace.bumpRevision(by: bumpRevision, markCompacted: true) }
        let header = try SnapshotFile.save(
            keyspace.snapshot(clusterID: 0, createdMilliseconds: WallTime.nowMilliseconds()),
            to: path)
        return (path, (imported, header))
    }
}
