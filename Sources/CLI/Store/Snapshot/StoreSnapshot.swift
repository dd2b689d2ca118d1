import Documents
import ArgumentParser
import Backup
import Basics
import Keyspace
import Objects

struct StoreSnapshot: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "snapshot", abstract: "Save, check and restore snapshots.",
        subcommands: [
            StoreSnapshotSave.self, StoreSnapshotStatus.self, StoreSnapshotVerify.self,
            StoreSnapshotRestore.self,
        ])
}

/// Checks a snapshot file; a damaged one is one clear line.
func snapshotStatus(_ path: String) throws(CommandError) -> SnapshotFile.Status {
    do {
        return try SnapshotFile.status(path)
    } catch {
        switch error.code {
        case .badSnapshot, .corrupt:
            throw CommandError("the snapshot is damaged: \(error)", exitCode: 1)
        default: throw CommandError("no snapshot can be read: \(error)", exitCode: 2)
        }
    }
}

struct StoreSnapshotStatus: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Check a snapshot file and say what it holds.",
        discussion: "Exit code 0: in order; 1: damaged; 2: no snapshot, or unreadable.")

    @Argument(help: "Snapshot file.") var file: String
    @Flag(help: "One JSON document, with etcdutl's field names where it has them.")
    var json = false
    @Option(
        name: [.customShort("w"), .customLong("write-out")], help: "table or json, as etcdutl.")
    var writeOut = "table"

    func validate() throws {
        guard ["table", "simple", "json"].contains(writeOut) else {
            throw ValidationError("--write-out is table or json, not \(writeOut)")
        }
    }

    func run() throws {
        do {
            let status = try snapshotStatus(file)
            print(json || writeOut == "json" ? text(of: status) : table(of: status))
        } catch {
            reportError(error)
            throw ExitCode(error.exitCode)
        }
    }

    private func table(of status: SnapshotFile.Status) -> String {
        let header = status.header
        return table([
            [
                "HASH", "REVISION", "TOTAL KEYS", "TOTAL SIZE", "COMPACTED", "INDEX", "TERM",
                "CLUSTER", "MADE",
            ],
            [
                hexadecimal(status.hash), String(header.revision), String(header.keys),
                byteText(status.bytes), String(header.compactRevision), String(header.index),
                String(header.term), hexadecimal(header.clusterID),
                WallTime.text(milliseconds: header.createdMilliseconds),
            ],
        ])
    }

    private func table(_ rows: [[String]]) -> String { CLI.table(rows) }

    private func text(of status: SnapshotFile.Status) -> String {
        let header = status.header
        let json: JSON = [
            "hash": .string(hexadecimal(status.hash)), "revision": .integer(header.revision),
            "totalKey": .integer(Int64(header.keys)), "totalSize": .integer(Int64(status.bytes)),
            "compactRevision": .integer(header.compactRevision),
            "index": .integer(Int64(header.index)), "term": .integer(Int64(header.term)),
            "clusterID": .string(hexadecimal(header.clusterID)),
            "createdMilliseconds": .integer(Int64(header.createdMilliseconds)),
        ]
        return String(decoding: json.bytes(), as: UTF8.self)
    }
}

struct StoreSnapshotVerify: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Check every byte of a snapshot file.",
        discussion: "Exit code 0: in order; 1: damaged; 2: no snapshot, or unreadable.")

    @Argument(help: "Snapshot file.") var file: String

    func run() throws {
        do {
            let status = try snapshotStatus(file)
            print(
                "\(file) is in order: revision \(status.header.revision),"
                    + " \(status.header.keys) keys, hash \(hexadecimal(status.hash))")
        } catch {
            reportError(error)
            throw ExitCode(error.exitCode)
        }
    }
}

/// `1.2 MiB` and the like.
func byteText(_ bytes: UInt64) -> String {
    if bytes < 1024 { return "\(bytes) B" }
    var value = bytes
    var units = ["KiB", "MiB", "GiB", "TiB"][...]
    while value >= 1024 * 1024, units.count > 1 {
        value /= 1024
        units = units.dropFirst()
    }
    let tenths = value * 10 / 1024
    return "\(tenths / 10).\(tenths % 10) \(units.first ?? "")"
}
