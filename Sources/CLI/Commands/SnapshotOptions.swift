import ArgumentParser

/// Snapshots by the clock, for `martlet up` and `martlet server`.
struct SnapshotOptions: ParsableArguments {
    @Option(help: "Take a snapshot so often: 30s, 10m, 6h, 1d.")
    var snapshotEvery: String?

    @Option(help: "Snapshots to keep.")
    var snapshotKeep = 10

    @Option(help: "Folder for snapshots and archives; by default DATA-DIR/snapshots.")
    var snapshotDir: String?

    @Flag(help: "Archive the log beside the snapshots, for restores to a revision or a time.")
    var archive = false

    func validate() throws {
        if let snapshotEvery, Self.seconds(snapshotEvery) == nil {
            throw ValidationError("--snapshot-every is a time as 30s, 10m, 6h or 1d")
        }
        guard snapshotKeep >= 1 else { throw ValidationError("--snapshot-keep is at least 1") }
    }

    /// The same flags for a child.
    var arguments: [String] {
        var arguments = ["--snapshot-keep", String(snapshotKeep)]
        if let snapshotEvery { arguments += ["--snapshot-every", snapshotEvery] }
        if let snapshotDir { arguments += ["--snapshot-dir", snapshotDir] }
        if archive { arguments.append("--archive") }
        return arguments
    }

    func schedule(for directory: DataDirectory) -> SnapshotSchedule.Options {
        var options = SnapshotSchedule.Options(folder: snapshotDir ?? directory.path + "/snapshots")
        options.everySeconds = snapshotEvery.flatMap(Self.seconds) ?? 0
        options.keep = snapshotKeep
        options.archives = archive
        return options
    }

    static func seconds(_ text: String) -> UInt64? {
        let units: [Character: UInt64] = ["s": 1, "m": 60, "h": 3600, "d": 86_400]
        guard let unit = text.last.flatMap({ units[$0] }), let count = UInt64(text.dropLast()),
            count > 0, count < 1 << 20
        else { return nil }
        return count * unit
    }
}
