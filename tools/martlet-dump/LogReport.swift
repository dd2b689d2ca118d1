import Documents
import Backup
import Basics
import Keyspace
import Raft
import WriteAheadLog

/// `log`: the entries, with what each does.
struct LogReport {
    /// Which entries are wanted.
    struct Filter {
        var range: ClosedRange<UInt64> = 0 ... .max
        var term: UInt64?
        var type: String?
        var key: Bytes?
        var limit = Int.max
    }

    private let place: Place
    private let filter: Filter

    init(_ place: Place, _ filter: Filter) {
        self.place = place
        self.filter = filter
    }

    func write(to output: Output) throws {
        let (entries, commit) = try entries()
        if !output.isJSON {
            let time = "TIME".column(24)
            output.write(Bytes("   INDEX    TERM  \(time)     SIZE  WHAT".utf8))
        }
        var shown = 0
        for entry in entries where filter.range.contains(entry.index) {
            let described = Described(entry)
            guard filter.term.map({ $0 == entry.term }) ?? true,
                filter.type.map({ $0 == described.type }) ?? true,
                filter.key.map({ described.touches($0) }) ?? true
            else { continue }
            shown += 1
            if shown > filter.limit { break }
            let time =
                described.milliseconds == 0
                ? "-" : WallTime.text(milliseconds: described.milliseconds)
            let committed = entry.index <= commit
            output.line(
                "\(entry.index)".number(8) + "\(entry.term)".number(8) + "  " + time.column(24)
                    + Output.size(Int64(entry.payload.count)).number(9)
                    + "  \(described.text)\(committed ? "" : "  (not known to be committed)")",
                [
                    "index": .integer(Int64(entry.index)), "term": .integer(Int64(entry.term)),
                    "type": .string(described.type),
                    "milliseconds": .integer(Int64(described.milliseconds)),
                    "bytes": .integer(Int64(entry.payload.count)),
                    "committed": .bool(committed), "what": .string(described.text),
                ])
        }
    }

    private func entries() throws -> (entries: [Entry], commit: UInt64) {
        switch place.kind {
        case .replica:
            let log = try ReplicaLog.scan(place.path + "/log", .goOn)
            for place in log.damage {
                Output.complain("martlet-dump: \(place.error); it held \(place.held)")
            }
            return (log.entries, max(log.hardState.commit, log.mark.index))
        case .archive, .folder:
            let folder = [ArchiveFile(path: place.path)].compactMap { $0 }
            let files = folder.isEmpty ? try ArchiveFile.all(in: place.path) : folder
            var entries: [Entry] = []
            for file in files {
                let last = entries.last?.index ?? 0
                entries += try file.entries().drop { $0.index <= last }
            }
            return (entries, .max)
        case .keyspace, .snapshot: throw DumpError("\(place.path) holds no log")
        }
    }
}

extension LogScan.DamagedPlace {
    /// What stood there, as far as the entries before and behind it tell.
    var held: String {
        guard let until else { return "whatever came after entry \(after)" }
        return switch until {
        case ...after: "entries that others replaced, or votes and marks"
        case after + 1: "no entry: votes and marks"
        case after + 2: "entry \(after + 1)"
        default: "entries \(after + 1) to \(until - 1)"
        }
    }
}

/// An entry in words.
private struct Described {
    var type: String
    var text: String
    var milliseconds: UInt64 = 0
    private var command: Command?

    init(_ entry: Entry) {
        guard entry.kind == .normal else {
            type = "membership"
            text = CommandText.describe(membership: entry.payload)
            return
        }
        milliseconds = Command.milliseconds(of: entry.payload)
        do throws(DecodingFailure) {
            let command = try Command(decoding: entry.payload)
            self.command = command
            type = CommandText.type(command)
            text = CommandText.describe(command)
        } catch {
            type = "damaged"
            text = "payload that does not decode: \(error)"
        }
    }

    /// Whether the entry writes this key, or a range that holds it.
    func touches(_ key: Bytes) -> Bool {
        switch command?.unstamped {
        case .transaction(let request): Self.touches(request, key)
        case .commit(let request):
            request.mutations.contains { mutation in
                switch mutation {
                case .put(let other, _, _): other == key
                case .delete(let other): other == key
                }
            }
        default: false
        }
    }

    private static func touches(_ request: TransactionRequest, _ key: Bytes) -> Bool {
        (request.success + request.failure).contains { operation in
            switch operation {
            case .put(let put): put.key == key
            case .deleteRange(let delete): delete.range.contains(key)
            case .range: false
            case .transaction(let nested): touches(nested, key)
            }
        }
    }
}
