import Informers
import Objects
package import Store

/// The cluster's scheduler: one view of nodes and pods, one leader among the processes.
package struct SchedulerService: Sendable {
    package struct Configuration: Sendable {
        package var leaseSeconds: Int64 = 3
        package var log: @Sendable (String) -> Void = { _ in }

        package init() {}
    }

    private let store: any Store
    private let configuration: Configuration

    package init(store: any Store, _ configuration: Configuration = Configuration()) {
        self.store = store
        self.configuration = configuration
    }

    /// Runs until the task is cancelled.
    package func run() async {
        var host = PluginHost.Configuration(
            plugin: "scheduler", kinds: [.namespace, .node, .pod])
        host.leaseSeconds = configuration.leaseSeconds
        host.log = configuration.log
        await PluginHost(
            store: store, configuration: host, seed: .random(in: .min ... .max),
            reconcilers: { [Scheduler()] }
        ).run()
    }
}
