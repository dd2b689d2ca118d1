import ArgumentParser
import Basics
import Glibc

/// `martlet server`: one server process.
struct ServerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "server", abstract: "Run one server of a cluster.",
        discussion: "`martlet up` lays the data directory out and runs these for you.")

    @Option(help: "Folder that holds the cluster.")
    var dataDir = ".martlet"

    @Option(help: "Number of the replica to run.")
    var replica: Int

    @Flag(
        help: """
            As leader, answer reads without asking the others for half an election timeout after \
            they answered. Rests on clocks that run at one speed; all replicas or none.
            """)
    var readLeases = false

    @OptionGroup var checks: CheckOptions

    @OptionGroup var snapshots: SnapshotOptions

    @OptionGroup var external: ExternalStoreOptions

    func run() async throws {
        let link = SupervisorLink()
        try await reportingErrors(to: link) {
            let directory = DataDirectory(dataDir)
            let layout = try directory.readLayout()
            let stop = StopLatch()
            StopSignals.whenRaised { stop.raise() }
            link?.whenSupervisorEnds { stop.raise() }
            if let store = external.store ?? layout.externalStore {
                return try await ExternalServerProcess(
                    directory: directory, replica: try layout.replica(replica), external: store,
                    compactionSeconds: external.compactionSeconds, log: ProcessLog(), link: link
                ).run(until: stop)
            }
            let process = ServerProcess(
                directory: directory, layout: layout, replica: try layout.replica(replica),
                log: ProcessLog(), link: link,
                snapshots: snapshots.schedule(for: directory), hasReadLeases: readLeases,
                hashCheckMilliseconds: checks.corruptCheckMilliseconds ?? 0)
            try await process.run(until: stop)
        }
    }
}
