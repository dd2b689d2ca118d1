import Documents
import Backup
import Basics
import Glibc
import Keyspace

/// `repair`: copies what is intact into a new folder, and lists what is not.
struct RepairReport {
    private let place: Place
    private let target: String
    private let isAgreed: Bool

    init(_ place: Place, target: String, isAgreed: Bool) {
        self.place = place
        self.target = target
        self.isAgreed = isAgreed
    }

    func write(to output: Output) throws {
        let directory: String
        switch place.kind {
        case .replica: directory = place.path + "/keyspace"
        case .keyspace, .snapshot: directory = place.path
        case .archive, .folder: throw DumpError("repair is for a replica or a snapshot file")
        }
        guard isAgreed else {
            throw DumpError(
                "nothing was done: repair writes what is intact of \(directory) to \(target), and"
                    + " leaves out the rest; add --yes to do it (the original is not touched)")
        }
        guard unsafe mkdir(target, 0o700) == 0 else {
            throw DumpError(
                "\(target) must be a new folder: \(unsafe String(cString: strerror(errno)))")
        }
        let path = target + "/repaired.snapshot"
        let salvage = try salvage(directory, to: path, output)
        try SnapshotFile.restore(path, into: target + "/keyspace")
        for lost in salvage.lost { write(lost, to: output) }
        let isSnapshot = place.kind == .snapshot
        let counts =
            isSnapshot
            ? """
              lost entries                    \(salvage.entriesLost.map { "\($0)" } ?? "unknown")
              of these, keys are known of     \(salvage.lost.count)
            """
            : """
              from pages that nothing led to  \(salvage.foundLoose)
              from snapshot files             \(salvage.foundElsewhere)
              lost changes                    \(salvage.lost.count)
            """
        output.line(
            """
            repaired  \(salvage.records) changes up to revision \(salvage.header.revision)
            \(counts)
              written to                      \(path)
            next: martlet store snapshot restore \(path) --data-dir NEW-DIR
            """,
            [
                "part": "repaired", "changes": .integer(Int64(salvage.records)),
                "revision": .integer(salvage.header.revision),
                "foundLoose": .integer(Int64(salvage.foundLoose)),
                "foundElsewhere": .integer(Int64(salvage.foundElsewhere)),
                "lost": .integer(Int64(salvage.lost.count)),
                "entriesLost": isSnapshot
                    ? salvage.entriesLost.map { .integer(Int64($0)) } ?? .null
                    : .integer(Int64(salvage.lost.count)),
                "path": .string(path),
            ])
    }

    private func write(_ lost: Salvage.LostChange, to output: Output) {
        let what = lost.isDelete ? "deletion" : "value"
        let standing = lost.isCurrent ? ", which was its newest" : ""
        output.line(
            "lost      \(lost.key.readable): the \(what) of revision \(lost.revision)\(standing)",
            [
                "part": "lost", "key": .string(lost.key.readable),
                "revision": .integer(lost.revision), "isDelete": .bool(lost.isDelete),
                "isCurrent": .bool(lost.isCurrent),
            ])
    }

    private func salvage(
        _ path: String, to target: String, _ output: Output
    ) throws -> Salvage {
        let now = WallTime.nowMilliseconds()
        guard place.kind == .snapshot else {
            let scan = try KeyspaceScan(directory: path)
            let findings = try scan.verify()
            let log = try? ReplicaLog.scan(place.path + "/log", .goOn)
            return try scan.salvage(
                findings,
                elsewhere: Source.files(in: place.path + "/snapshots", suffix: ".snapshot"),
                clusterID: log?.clusterID ?? 0, createdMilliseconds: now, to: target)
        }
        let (survey, salvage) = try SnapshotSurvey.salvage(
            path, createdMilliseconds: now, to: target)
        for damage in survey.damage {
            output.line(
                "damage    \(path) at byte \(damage.offset): \(damage.reason); held \(damage.held)",
                [
                    "part": "damage", "offset": .integer(Int64(damage.offset)),
                    "reason": .string(damage.reason), "held": .string(damage.held),
                ])
        }
        return salvage
    }
}
