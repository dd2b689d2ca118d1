import Documents
import ArgumentParser
import Basics
import Keyspace

/// Looks into a replica's directory, live or stopped, or into a snapshot file.
struct MartletDump: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "martlet-dump",
        abstract: "Shows what a replica's directory or a snapshot file holds, and checks it.",
        usage: "martlet-dump PATH ACTION [OPERANDS] [OPTIONS]",
        discussion: """
            PATH is DATA-DIR/replica-I, live or stopped, its keyspace directory, a snapshot file \
            (which is unpacked to a temporary directory first), an archive of the log, or a folder \
            of snapshots and archives. Nothing is changed.

              stat             sizes, revisions, log and snapshots; keys and dead space by prefix
              keys [PREFIX]    keys and bytes by prefix; with PREFIX the keys themselves
              get KEY          one key as it stands, or as it stood at --revision
              history KEY      every retained change of a key
              diff REV1 REV2   keys added, changed and removed between two revisions
              log              the Raft log: index, term, time and what each entry does
              hash             one number for the state at --revision
              export [PREFIX]  a JSON document per key, with etcd's field names
              verify           every checksum; exit code 0: clean, 1: damage, 2: unreadable
              repair NEW-DIR   writes what is intact to a new folder; only with --yes
            """)

    enum Action: String, ExpressibleByArgument, CaseIterable {
        case stat, keys, get, history, diff, log, hash, export, verify, repair
    }

    @Argument(help: "A replica's directory, a snapshot file, an archive.")
    var path: String

    @Argument(help: "What to do.")
    var action: Action

    @Argument(help: "A key, a prefix, two revisions or a folder, as ACTION has it.")
    var operands: [String] = []

    @Option(help: "Read at this revision instead of the newest (get, hash, export).")
    var revision: Int64 = 0

    @Option(help: "Entries A..B, A.. or A alone (log).")
    var index: String?

    @Option(help: "Only entries of this term (log).")
    var term: UInt64?

    @Option(help: "Only entries of this type: \(CommandText.types.joined(separator: ", ")) (log).")
    var type: String?

    @Option(help: "Only entries that write this key (log).")
    var key: String?

    @Option(help: "Keys or entries to show at most (keys, history, diff, log, export).")
    var limit: Int = .max

    @Flag(help: "One JSON document per line instead of text.")
    var json = false

    @Flag(help: "Show the data of Secrets.")
    var showSecrets = false

    @Flag(help: "Do it (repair).")
    var yes = false

    func validate() throws {
        let wanted: ClosedRange<Int> =
            switch action {
            case .get, .history, .repair: 1...1
            case .diff: 2...2
            case .keys, .export: 0...1
            case .stat, .log, .hash, .verify: 0...0
            }
        guard wanted.contains(operands.count) else {
            throw ValidationError(
                "\(action.rawValue) takes \(wanted.upperBound) operands, not \(operands.count)")
        }
        if revision < 0 { throw ValidationError("--revision is not negative") }
        if limit < 1 { throw ValidationError("--limit is at least 1") }
        if action == .diff, operands.contains(where: { Int64($0) == nil }) {
            throw ValidationError("diff takes two revisions")
        }
        if let index, indexRange == nil { throw ValidationError("--index is A..B, not \(index)") }
        if let type, !CommandText.types.contains(type) {
            throw ValidationError(
                "--type is one of \(CommandText.types.joined(separator: ", ")), not \(type)")
        }
    }

    private var indexRange: ClosedRange<UInt64>? {
        guard let index else { return 0 ... .max }
        if let one = UInt64(index) { return one...one }
        guard let dots = index.firstRange(of: "..") else { return nil }
        let (low, high) = (index[..<dots.lowerBound], index[dots.upperBound...])
        guard let from = low.isEmpty ? 0 : UInt64(low),
            let to = high.isEmpty ? UInt64.max : UInt64(high), from <= to
        else { return nil }
        return from...to
    }

    private var operand: Bytes { Bytes((operands.first ?? "").utf8) }

    func run() throws {
        let output = Output(isJSON: json)
        do {
            let place = try Place(path)
            switch action {
            case .verify:
                var report = VerifyReport(place, to: output)
                let code = report.run()
                output.flush()
                throw ExitCode(code)
            case .repair:
                try RepairReport(place, target: operands[0], isAgreed: yes).write(to: output)
            case .log:
                var filter = LogReport.Filter()
                filter.range = indexRange ?? filter.range
                filter.term = term
                filter.type = type
                filter.key = key.map { Bytes($0.utf8) }
                filter.limit = limit
                try LogReport(place, filter).write(to: output)
            default: try show(place, output)
            }
            output.flush()
        } catch let code as ExitCode {
            throw code
        } catch {
            output.flush()
            Output.complain("martlet-dump: \(error)")
            throw ExitCode(2)
        }
    }

    private func show(_ place: Place, _ output: Output) throws {
        let source = try Source(place)
        defer { source.close() }
        switch action {
        case .stat: try StatReport(source).write(to: output)
        case .keys: try KeysReport(source, prefix: operand, limit: limit).write(to: output)
        case .get:
            try ObjectReport(source, key: operand, showsSecrets: showSecrets)
                .write(to: output, revision: revision)
        case .history: try HistoryReport(source, key: operand, limit: limit).write(to: output)
        case .diff:
            try DiffReport(
                source: source, from: Int64(operands[0]) ?? 0, to: Int64(operands[1]) ?? 0,
                limit: limit
            ).write(to: output)
        case .hash: try HashReport(source: source, revision: revision).write(to: output)
        case .export:
            try ExportReport(
                source: source, prefix: operand, revision: revision, showsSecrets: showSecrets,
                limit: limit
            ).write(to: output)
        case .log, .verify, .repair: preconditionFailure("\(action) has no keyspace to show")
        }
    }
}
