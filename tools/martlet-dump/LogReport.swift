import Basics
import Keyspace
import Objects
import Raft
import WriteAheadLog

/// The log as its opening would find it.
struct ScannedLog {
    private(set) var scan: LogScan
    private(set) var entries: [Entry] = []
    private(set) var hardState = HardState()
    private(set) var mark = SnapshotMark(index: 0, term: 0)

    init(_ files: DirectoryLogFiles) throws {
        var entries: [Entry] = []
        var hardState = HardState()
        var mark = SnapshotMark(index: 0, term: 0)
        scan = try LogScan.scan(files, clusterID: nil) { record, _, _ in
            switch record {
            case .hardState(let state): hardState = state
            case .snapshot(let new):
                mark = new
                if new.isInstalled { entries = [] }
            case .lost: break
            case .entry(let entry):
                // An entry replaces what stood at its index and behind it.
                while let last = entries.last, last.index >= entry.index { entries.removeLast() }
                entries.append(entry)
            }
            return nil
        }
        self.entries = entries
        self.hardState = hardState
        self.mark = mark
    }
}

/// `log`: the entries, with what each does.
struct LogReport {
    private let source: Source
    private let from: UInt64
    private let limit: Int

    init(_ source: Source, from: UInt64, limit: Int) {
        self.source = source
        self.from = from
        self.limit = limit
    }

    func write(to output: Output) throws {
        guard let files = source.log() else {
            throw DumpError("\(source.path) holds no log directory")
        }
        let log = try ScannedLog(files)
        if !output.isJSON { output.write(Bytes("   INDEX    TERM     SIZE  WHAT".utf8)) }
        for entry in log.entries.drop(while: { $0.index < from }).prefix(limit) {
            let committed = entry.index <= log.hardState.commit
            let what = Self.describe(entry)
            output.line(
                "\(entry.index)".number(8) + "\(entry.term)".number(8)
                    + Output.size(Int64(entry.payload.count)).number(9)
                    + "  \(what)\(committed ? "" : "  (not known to be committed)")",
                [
                    "index": .integer(Int64(entry.index)), "term": .integer(Int64(entry.term)),
                    "bytes": .integer(Int64(entry.payload.count)),
                    "committed": .bool(committed), "what": .string(what),
                ])
        }
    }

    private static func describe(_ entry: Entry) -> String {
        switch entry.kind {
        case .membership:
            guard let change = try? MembershipChange(decoding: entry.payload) else {
                return "membership change that does not decode"
            }
            let steps = change.steps.map { "\($0.action) \(String($0.id, radix: 16))" }
            return "membership: "
                + (change.isLeavingJoint ? "leave joint" : steps.joined(separator: ", "))
        case .normal:
            do {
                return CommandText.describe(try Command(decoding: entry.payload))
            } catch {
                return "payload that does not decode: \(error)"
            }
        }
    }
}
