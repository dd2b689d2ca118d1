package import Informers
import Objects
package import Store

/// All controllers of the cluster: one view, one leader among the processes, one task.
package struct ControllerService: Sendable {
    package struct Configuration: Sendable {
        /// Published in every namespace as `kube-root-ca.crt`; nil for not at all.
        package var rootCertificatePEM: String?
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
        var host = PluginHost.Configuration(plugin: "controllers", kinds: Kinds.all)
        host.namesOnly = [.event]
        host.leaseSeconds = configuration.leaseSeconds
        host.log = configuration.log
        let certificate = configuration.rootCertificatePEM
        await PluginHost(
            store: store, configuration: host, seed: .random(in: .min ... .max),
            reconcilers: { Self.reconcilers(rootCertificatePEM: certificate) }
        ).run()
    }

    /// The controllers in the order in which they see changes.
    package static func reconcilers(rootCertificatePEM: String? = nil) -> [any Reconciler] {
        var all: [any Reconciler] = [
            SystemNamespaces(), NamespaceController(), NamespaceObjects.serviceAccounts,
        ]
        if let rootCertificatePEM {
            all.append(NamespaceObjects.rootCertificates(rootCertificatePEM))
        }
        all += [
            DeploymentController(), ReplicaSetController(), GarbageCollector(),
            NodeLifecycleController(), TaintEvictionController(), PodCollector(),
        ]
        return all
    }
}
