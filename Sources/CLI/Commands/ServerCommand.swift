import ArgumentParser
import Basics
import Glibc

/// `martlet server`: one server process, of a cluster that `martlet up` laid out or, with etcd's
/// flags, of one that they describe.
struct ServerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "server", abstract: "Run one server of a cluster.",
        discussion: """
            `martlet up` lays the data directory out and runs these for you. Without --replica, \
            --store-endpoints makes it a control plane over an etcd cluster; without either, \
            etcd's flags and ETCD_ variables say what to run: docs/etcd-flags.md.
            """)

    @Option(help: "Folder that holds the cluster.")
    var dataDir: String?

    @Option(help: "Number of the replica to run.")
    var replica: Int?

    @Option(help: "Port of the API, with --store-endpoints and without --replica.")
    var apiPort: Int?

    @Flag(
        help: """
            As leader, answer reads without asking the others for half an election timeout after \
            they answered. Rests on clocks that run at one speed; all replicas or none.
            """)
    var readLeases = false

    @OptionGroup var checks: CheckOptions

    @OptionGroup var snapshots: SnapshotOptions

    @OptionGroup var external: ExternalStoreOptions

    @Flag(help: .hidden)
    var describeEtcdFlags = false

    @Argument(parsing: .allUnrecognized, help: .hidden)
    var etcdFlags: [String] = []

    func validate() throws {
        guard let apiPort else { return }
        guard replica == nil, external.store != nil else {
            throw ValidationError("--api-port needs --store-endpoints without --replica")
        }
        guard (1...65_535).contains(apiPort) else {
            throw ValidationError("--api-port is 1 to 65535, not \(apiPort)")
        }
    }

    func run() async throws {
        if describeEtcdFlags { return print(EtcdFlagPage.text, terminator: "") }
        let link = SupervisorLink()
        try await reportingErrors(to: link) {
            let stop = StopLatch()
            StopSignals.whenRaised { stop.raise() }
            link?.whenSupervisorEnds { stop.raise() }
            if let stray = etcdFlags.first, replica != nil || external.store != nil {
                let flag = replica == nil ? "--store-endpoints" : "--replica"
                throw CommandError("\(stray) does not go with \(flag): the layout says it")
            }
            if let process = try externalProcess(link) {
                return try await process.run(until: stop)
            }
            let process = try replica.map { try replicaProcess($0, link) } ?? memberProcess(link)
            try await process.run(until: stop)
        }
    }

    /// A server without a replica, over a foreign etcd.
    private func externalProcess(
        _ link: SupervisorLink?
    ) throws -> ExternalServerProcess? {
        let directory = DataDirectory(dataDir ?? ".martlet")
        if replica == nil {
            guard external.store != nil else { return nil }
            try layOutAlone(directory)
        }
        let layout = try directory.readLayout()
        guard let store = external.store ?? layout.externalStore else { return nil }
        return ExternalServerProcess(
            directory: directory, replica: try layout.replica(replica ?? 1), external: store,
            compactionSeconds: external.compactionSeconds, log: ProcessLog(), link: link)
    }

    /// The folder of one server over a foreign etcd, where there is none yet. Of one that is there
    /// only the port may change: how many servers and nodes it has is for `martlet up` to say.
    private func layOutAlone(_ directory: DataDirectory) throws {
        var layout: ClusterLayout
        if let store = external.store { _ = (try store.addresses(), try store.tls()) }
        if directory.hasLayout {
            layout = try directory.readLayout()
            try directory.check(layout.externalStore, against: external.store)
        } else {
            let shape = ClusterShape(replicaCount: 1, externalStore: external.store)
            layout = try directory.layout(for: shape)
        }
        _ = try layout.replica(1)
        if let apiPort { layout.replicas[0].apiPort = apiPort }
        try directory.write(layout)
        try ClusterPKI(directory, now: .now()).issueAll(for: layout, now: .now())
    }

    /// A replica of a cluster that was laid out.
    private func replicaProcess(
        _ number: Int, _ link: SupervisorLink?
    ) throws(CommandError) -> ServerProcess {
        let directory = DataDirectory(dataDir ?? ".martlet")
        let layout = try directory.readLayout()
        var options = ServerOptions()
        options.hasReadLeases = readLeases
        options.hashCheckMilliseconds = checks.corruptCheckMilliseconds ?? 0
        return ServerProcess(
            directory: directory, layout: layout, replica: try layout.replica(number),
            log: ProcessLog(), link: link, snapshots: snapshots.schedule(for: directory),
            options: options)
    }

    /// A member as etcd's flags and variables describe it.
    private func memberProcess(_ link: SupervisorLink?) throws -> ServerProcess {
        var arguments = etcdFlags
        if let dataDir { arguments += ["--data-dir", dataDir] }
        let flags = try EtcdFlags(arguments: arguments, environment: Self.environment())
        let log = ProcessLog()
        for remark in flags.remarks { log.line(remark) }
        let member = try EtcdMember(flags)
        let layout = try member.layOut()
        guard let own = layout.replicas.first(where: { $0.name == member.options.name }) else {
            throw CommandError("\(member.options.name) is not in \(member.directory.layoutPath)")
        }
        var options = try member.serverOptions()
        options.hasReadLeases = readLeases
        return ServerProcess(
            directory: member.directory, layout: layout, replica: own, log: log, link: link,
            snapshots: snapshots.schedule(for: member.directory), options: options)
    }

    private static func environment() -> [String: String] {
        var all: [String: String] = [:]
        var next = unsafe environ
        while let entry = unsafe next.pointee {
            let text = unsafe String(cString: entry)
            let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if parts.count == 2 { all[String(parts[0])] = String(parts[1]) }
            unsafe next += 1
        }
        return all
    }
}
