package import ArgumentParser
import CMartlet

/// The `martlet` command.
package struct Martlet: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "martlet",
        abstract: "A Kubernetes cluster that is a storage engine first.",
        version: MartletVersion.text,
        subcommands: [
            UpCommand.self, ServerCommand.self, AgentCommand.self, StoreCommand.self,
        ])

    package init() {}

    /// Runs the command of this process and ends it.
    package static func start() async {
        martlet_survive_file_limit()
        await main()
    }
}

/// The versions that Martlet reports.
package enum MartletVersion {
    package static let own = "0.1.0"
    /// The Kubernetes API level that is served.
    package static let kubernetes = "1.36.1"
    /// The etcd API level that is served.
    package static let etcd = "3.7.0"

    static var text: String {
        "martlet \(own) (Kubernetes API \(kubernetes), etcd API \(etcd))"
    }
}
