import Documents
import Backup
import Basics
import Keyspace
import Raft
import WriteAheadLog

/// `stat`: where the replica stands, and how large its parts are.
struct StatReport {
    private let source: Source

    init(_ source: Source) {
        self.source = source
    }

    func write(to output: Output) throws {
        if let header = source.snapshot {
            write(header, source.path, to: output)
            try writeKeyspace(to: output)
            try KeysReport(source, prefix: [], limit: .max).writeGroups(to: output)
            return
        }
        // Log and snapshots are worth seeing when the keyspace does not open.
        var damage: (any Error)?
        do {
            try writeKeyspace(to: output)
        } catch {
            damage = error
            output.line(
                "keyspace  \(source.keyspacePath): \(error)",
                [
                    "part": "keyspace", "path": .string(source.keyspacePath),
                    "error": .string("\(error)"),
                ])
        }
        try writeLog(to: output)
        for path in Source.files(in: source.path + "/snapshots", suffix: ".snapshot") {
            do {
                write(try SnapshotFile.header(path), path, to: output)
            } catch {
                output.line(
                    "snapshot  \(path): \(error)",
                    ["part": "snapshot", "path": .string(path), "error": .string("\(error)")])
            }
        }
        if let damage { throw damage }
        try KeysReport(source, prefix: [], limit: .max).writeGroups(to: output)
    }

    private func writeKeyspace(to output: Output) throws {
        let summary = try source.keyspace().summary()
        let state = summary.state
        let inUse = Output.size(summary.bytesInUse)
        let compaction = summary.isCompacting ? " (removal under way)" : ""
        output.line(
            """
            keyspace  \(source.snapshot == nil ? source.keyspacePath : "unpacked")
              revision        \(state.revision)
              compacted up to \(state.compactRevision)\(compaction)
              applied entry   \(state.appliedIndex) of term \(state.appliedTerm)
              keys            \(summary.keys)
              changes kept    \(summary.changes)
              leases          \(summary.leases)
              file            \(Output.size(summary.fileBytes)), \(inUse) in use
            """,
            [
                "part": "keyspace", "revision": .integer(state.revision),
                "compactRevision": .integer(state.compactRevision),
                "isCompacting": .bool(summary.isCompacting),
                "appliedIndex": .integer(Int64(state.appliedIndex)),
                "appliedTerm": .integer(Int64(state.appliedTerm)),
                "keys": .integer(Int64(summary.keys)),
                "changes": .integer(Int64(summary.changes)),
                "leases": .integer(Int64(summary.leases)),
                "fileBytes": .integer(summary.fileBytes),
                "bytesInUse": .integer(summary.bytesInUse),
            ])
    }

    private func writeLog(to output: Output) throws {
        guard Source.exists(source.path + "/log") else { return }
        let log = try ReplicaLog.scan(source.path + "/log", .goOn)
        let segments = log.scan?.segments ?? []
        let used = segments.reduce(0) { $0 + Int64($1.usedBytes) }
        let cluster = String(log.clusterID, radix: 16)
        let entries =
            log.entries.isEmpty
            ? "none" : "\(log.entries[0].index) to \(log.entries[log.entries.count - 1].index)"
        let vote = String(log.hardState.vote, radix: 16)
        let damage = log.damage.map { "\n  damage          \($0.error)" }.joined()
        let torn =
            !damage.isEmpty
            ? damage
            : (log.scan?.tornBytes ?? 0 > 0 ? "\n  unfinished      append at the end" : "")
        output.line(
            """
            log       cluster \(cluster)
              entries         \(entries)
              hard state      term \(log.hardState.term), vote \(vote), \
            commit \(log.hardState.commit)
              snapshot mark   \(log.mark.index) of term \(log.mark.term)
              segments        \(segments.count), \(Output.size(used)) in use\(torn)
            """,
            [
                "part": "log", "cluster": .string(cluster),
                "firstIndex": .integer(Int64(log.entries.first?.index ?? 0)),
                "lastIndex": .integer(Int64(log.entries.last?.index ?? 0)),
                "term": .integer(Int64(log.hardState.term)),
                "vote": .string(String(log.hardState.vote, radix: 16)),
                "commit": .integer(Int64(log.hardState.commit)),
                "snapshotIndex": .integer(Int64(log.mark.index)),
                "segments": .integer(Int64(segments.count)),
                "bytesInUse": .integer(used),
            ])
    }

    private func write(_ header: SnapshotHeader, _ path: String, to output: Output) {
        let bytes = Source.bytes(ofFile: path)
        output.line(
            """
            snapshot  \(path)
              cluster         \(String(header.clusterID, radix: 16))
              up to entry     \(header.index) of term \(header.term)
              revision        \(header.revision)
              made            \(WallTime.text(milliseconds: header.createdMilliseconds))
              file            \(Output.size(bytes))
            """,
            [
                "part": "snapshot", "path": .string(path),
                "cluster": .string(String(header.clusterID, radix: 16)),
                "index": .integer(Int64(header.index)), "term": .integer(Int64(header.term)),
                "revision": .integer(header.revision),
                "compactRevision": .integer(header.compactRevision),
                "fileBytes": .integer(bytes),
            ])
    }
}
