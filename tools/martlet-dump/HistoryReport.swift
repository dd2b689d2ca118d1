import Documents
import Basics
import Keyspace

/// `history`: every retained change of a key.
struct HistoryReport {
    private let source: Source
    private let key: Bytes
    private let limit: Int

    init(_ source: Source, key: Bytes, limit: Int) {
        self.source = source
        self.key = key
        self.limit = limit
    }

    func write(to output: Output) throws {
        var changes: [KeyspaceInspector.Change] = []
        try source.keyspace().changes(.key(key)) { changes.append($0) }
        guard !changes.isEmpty else {
            throw DumpError("nothing is retained of the key \(key.readable)")
        }
        if !output.isJSON { output.write(Bytes("REVISION  CHANGE  VERSION      SIZE".utf8)) }
        for change in changes.suffix(limit) {
            let kind = change.isDelete ? "delete" : "put"
            let lease = change.lease == 0 ? "" : "  (lease \(change.lease))"
            let details =
                change.isDelete
                ? ""
                : "\(change.version)".number(9)
                    + Output.size(Int64(change.valueBytes)).number(10) + lease
            output.line(
                "\(change.revision)".number(8) + "  " + kind.column(6) + details,
                [
                    "revision": .integer(change.revision), "change": .string(kind),
                    "createRevision": .integer(change.createRevision),
                    "version": .integer(change.version), "lease": .integer(change.lease),
                    "valueBytes": .integer(Int64(change.valueBytes)),
                ])
        }
    }
}
