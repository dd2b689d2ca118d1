import ArgumentParser
import Backup
import Basics
import Glibc
import Keyspace

struct StoreSnapshotRestore: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore", abstract: "Lay out a new cluster from a snapshot.",
        discussion: """
            The folder is absent or empty before; `martlet up --data-dir` starts the new \
            cluster, which has an id of its own. With --to-revision, --to-time or --archive the \
            archived log behind the snapshot is applied to it.
            """)

    @Argument(help: "Snapshot file, or a folder of such files of which the best is taken.")
    var file: String
    @Option(help: "Folder of the new cluster.") var dataDir: String
    @Option(help: "Store replicas: 1, 3 or 5.") var replicas = 3
    @Option(help: "Exactly the state at this revision.") var toRevision: Int64?
    @Option(help: "Exactly the state at this time (UTC), as 2026-11-22T20:47:39.5Z.")
    var toTime: String?
    @Option(help: "Folder of the archived log; may be given more than once.")
    var archive: [String] = []
    /// etcdutl takes it only together with --mark-compacted: a watch from a revision between the
    /// two would miss what the old cluster had there, without a word.
    @Option(help: "Raise the revision by so much, so that none is used twice; marks as compacted.")
    var bumpRevision: Int64 = 0
    @Flag(help: "Compact up to the newest revision: older watches are refused.")
    var markCompacted = false

    func validate() throws {
        guard [1, 3, 5].contains(replicas) else {
            throw ValidationError("--replicas is 1, 3 or 5, not \(replicas)")
        }
        guard bumpRevision >= 0, bumpRevision <= 1 << 40 else {
            throw ValidationError("--bump-revision is 0 to \(1 << 40)")
        }
        guard toRevision == nil || toTime == nil else {
            throw ValidationError("--to-revision or --to-time, not both")
        }
        if let toRevision, toRevision < 1 { throw ValidationError("--to-revision is at least 1") }
        if let toTime, WallTime(written: toTime) == nil {
            throw ValidationError("--to-time is a time as 2026-11-22T20:47:39.5Z, not \(toTime)")
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

    private var goal: RestoreGoal {
        if let toRevision { return .revision(toRevision) }
        if let time = toTime.flatMap({ WallTime(written: $0) }) { return .time(time.milliseconds) }
        return archive.isEmpty ? .snapshot : .everything
    }

    private func restore() throws {
        var restore = Restore(source: file, archives: archiveFolders, goal: goal)
        restore.bumpRevision = bumpRevision
        restore.marksCompacted = markCompacted || bumpRevision > 0
        let place = try NewClusterPlace(dataDir)
        let prepared = try place.lay(replicas: replicas) { scratch in
            do {
                let prepared = try restore.prepare(scratch: scratch)
                return (prepared.path, prepared)
            } catch let error as BackupError {
                throw CommandError("nothing is restored: \(error)")
            }
        }
        report(prepared)
    }

    private var archiveFolders: [String] {
        if !archive.isEmpty { return archive }
        return [Files.isFolder(file) ? file : Files.folder(of: file)]
    }

    private func report(_ prepared: Restore.Prepared) {
        for note in prepared.notes { print("note: \(note)") }
        if prepared.replayed > 0 {
            let time = WallTime.text(milliseconds: prepared.milliseconds)
            print(
                "from \(prepared.base), and \(prepared.replayed) entries of the archive,"
                    + " the last of \(time)")
        }
        print(
            "restored revision \(prepared.header.revision) for \(replicas) replicas;"
                + " next: martlet up --data-dir \(dataDir) --replicas \(replicas)")
    }
}
