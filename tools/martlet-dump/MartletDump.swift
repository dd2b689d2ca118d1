import ArgumentParser
import Basics
import Keyspace

/// Looks into a replica's directory, live or stopped, or into a snapshot file.
struct MartletDump: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "martlet-dump",
        abstract: "Shows what a replica's directory or a snapshot file holds.",
        usage: "martlet-dump PATH stat|keys [PREFIX]|get KEY|history KEY|log [OPTIONS]",
        discussion: """
            PATH is DATA-DIR/replica-I, live or stopped, its keyspace directory, or a snapshot \
            file (which is unpacked to a temporary directory first). Nothing is changed.

              stat          sizes, revisions, log and snapshots
              keys          keys and bytes by prefix; with PREFIX the keys themselves
              get KEY       one key as it stands, or as it stood at --revision
              history KEY   every retained change of a key
              log           the Raft log: index, term and what each entry does
            """)

    enum Action: String, ExpressibleByArgument, CaseIterable {
        case stat, keys, get, history, log
    }

    @Argument(help: "A replica's directory or a snapshot file.")
    var path: String

    @Argument(help: "stat, keys, get, history or log.")
    var action: Action

    @Argument(help: "A key, or for keys a prefix.")
    var key: String?

    @Option(help: "Read at this revision instead of the newest (get).")
    var revision: Int64 = 0

    @Option(help: "First index to show (log).")
    var from: UInt64 = 0

    @Option(help: "Keys or entries to show at most.")
    var limit: Int = .max

    @Flag(help: "One JSON document per line instead of text.")
    var json = false

    @Flag(help: "Show the data of Secrets.")
    var showSecrets = false

    func validate() throws {
        if action == .get || action == .history, key == nil {
            throw ValidationError("\(action.rawValue) needs a KEY")
        }
        if revision < 0 { throw ValidationError("--revision is not negative") }
        if limit < 1 { throw ValidationError("--limit is at least 1") }
    }

    func run() throws {
        let output = Output(isJSON: json)
        do {
            let source = try Source(path)
            defer { source.close() }
            switch action {
            case .stat: try StatReport(source).write(to: output)
            case .keys:
                try KeysReport(source, prefix: Bytes((key ?? "").utf8), limit: limit)
                    .write(to: output)
            case .get:
                try ObjectReport(source, key: Bytes((key ?? "").utf8), showsSecrets: showSecrets)
                    .write(to: output, revision: revision)
            case .history:
                try HistoryReport(source, key: Bytes((key ?? "").utf8), limit: limit)
                    .write(to: output)
            case .log: try LogReport(source, from: from, limit: limit).write(to: output)
            }
            output.flush()
        } catch {
            output.flush()
            Output.complain("martlet-dump: \(error)")
            throw ExitCode(2)
        }
    }
}
