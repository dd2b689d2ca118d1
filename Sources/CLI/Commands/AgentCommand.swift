import ArgumentParser
import Basics

/// `martlet agent`: one node agent.
struct AgentCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "agent", abstract: "Run the agent of one node.",
        discussion: "`martlet up` lays the data directory out and runs these for you.")

    @Option(help: "Folder that holds the cluster.")
    var dataDir = ".martlet"

    @Option(help: "Name of the node.")
    var node = "node-1"

    func run() async throws {
        let link = SupervisorLink()
        try await reportingErrors(to: link) {
            let directory = DataDirectory(dataDir)
            let layout = try directory.readLayout()
            guard layout.nodes.contains(node) else {
                throw CommandError("\(node) is no node of \(directory.path)")
            }
            let stop = StopLatch()
            let wasSignalled = Locked(false)
            StopSignals.whenRaised {
                wasSignalled.withLock { $0 = true }
                stop.raise()
            }
            link?.whenSupervisorEnds { stop.raise() }
            let process = AgentProcess(
                directory: directory, layout: layout, node: node, log: ProcessLog(), link: link)
            try await process.run(until: stop) {
                wasSignalled.withLock { $0 } ? .signal : .supervisorGone
            }
        }
    }
}
