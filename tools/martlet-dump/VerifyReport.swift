import Documents
import Backup
import Basics
import Keyspace
import Raft
import WriteAheadLog

/// `verify`: every checksum of everything that PATH holds. Answers the exit code: 0 clean, 1
/// damage, 2 unreadable.
struct VerifyReport {
    private let place: Place
    private let output: Output
    private var damaged = 0
    private var unreadable = 0

    init(_ place: Place, to output: Output) {
        self.place = place
        self.output = output
    }

    mutating func run() -> Int32 {
        switch place.kind {
        case .snapshot: snapshot(place.path)
        case .archive: archive(place.path)
        case .keyspace: keyspace(place.path)
        case .replica:
            if Source.exists(place.path + "/keyspace") { keyspace(place.path + "/keyspace") }
            if Source.exists(place.path + "/log") { log(place.path + "/log") }
            for path in Source.files(in: place.path + "/snapshots", suffix: ".snapshot") {
                snapshot(path)
            }
        case .folder:
            for path in Source.files(in: place.path, suffix: ".snapshot") { snapshot(path) }
            for path in Source.files(in: place.path, suffix: ".entries") { archive(path) }
        }
        let verdict =
            unreadable > 0
            ? "unreadable" : damaged > 0 ? "\(damaged) damaged places" : "no damage"
        output.line(
            "verdict   \(verdict)",
            [
                "part": "verdict", "damaged": .integer(Int64(damaged)),
                "unreadable": .integer(Int64(unreadable)),
            ])
        return unreadable > 0 ? 2 : damaged > 0 ? 1 : 0
    }

    private mutating func damage(
        _ file: String, _ offset: UInt64?, _ reason: String, held: String
    ) {
        damaged += 1
        let place = offset.map { " at byte \($0)" } ?? ""
        output.line(
            "damage    \(file)\(place): \(reason); held \(held)",
            [
                "part": "damage", "file": .string(file),
                "offset": offset.map { .integer(Int64($0)) } ?? .null, "reason": .string(reason),
                "held": .string(held),
            ])
    }

    private mutating func unreadable(_ error: any Error) {
        unreadable += 1
        output.line(
            "unreadable  \(error)", ["part": "unreadable", "reason": .string("\(error)")])
    }

    private mutating func keyspace(_ path: String) {
        do {
            let scan = try KeyspaceScan(directory: path)
            let findings = try scan.verify()
            for one in findings.damage {
                damage(
                    one.offset == nil ? "\(scan.path), table \(one.table)" : scan.path, one.offset,
                    one.reason, held: one.held)
            }
            for lost in findings.lost where !lost.isDelete && lost.isCurrent {
                output.line(
                    "lost      the value of \(lost.key.readable) (revision \(lost.revision))",
                    [
                        "part": "lost", "key": .string(lost.key.readable),
                        "revision": .integer(lost.revision),
                    ])
            }
            output.line(
                """
                keyspace  \(scan.path): \(findings.keys) keys, \(findings.records) changes, \
                \(findings.leases) leases
                """,
                [
                    "part": "keyspace", "path": .string(scan.path),
                    "keys": .integer(Int64(findings.keys)),
                    "changes": .integer(Int64(findings.records)),
                    "leases": .integer(Int64(findings.leases)),
                ])
        } catch {
            unreadable(error)
        }
    }

    private mutating func log(_ path: String) {
        do {
            let log = try ReplicaLog.scan(path, .goOn)
            for place in log.damage {
                damage(
                    place.error.file, place.error.offset, place.error.reason, held: place.held)
            }
            output.line(
                "log       \(path): \(log.entries.count) entries",
                [
                    "part": "log", "path": .string(path),
                    "entries": .integer(Int64(log.entries.count)),
                ])
        } catch {
            unreadable(error)
        }
    }

    private mutating func snapshot(_ path: String) {
        do {
            let survey = try SnapshotSurvey(path)
            for one in survey.damage {
                damage(path, one.offset, one.reason, held: one.held)
            }
            if survey.damage.isEmpty {
                // Everything once more, with the hash over all.
                do throws(KeyspaceError) { try SnapshotFile.verify(path) } catch {
                    damage(path, nil, error.message, held: "a whole snapshot")
                }
            }
            output.line(
                "snapshot  \(path): \(survey.chunks) chunks, \(survey.records) records",
                [
                    "part": "snapshot", "path": .string(path),
                    "chunks": .integer(Int64(survey.chunks)),
                    "records": .integer(Int64(survey.records)),
                ])
        } catch {
            unreadable(error)
        }
    }

    private mutating func archive(_ path: String) {
        guard let file = ArchiveFile(path: path) else {
            return unreadable(DumpError("\(path) is no archive of the log"))
        }
        do throws(BackupError) {
            let entries = try file.entries()
            output.line(
                "archive   \(path): \(entries.count) entries",
                [
                    "part": "archive", "path": .string(path),
                    "entries": .integer(Int64(entries.count)),
                ])
        } catch {
            damage(path, nil, error.message, held: "entries \(file.first) to \(file.last)")
        }
    }
}
