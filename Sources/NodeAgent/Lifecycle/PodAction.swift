package import Documents
import Objects

/// What the shell is to do for a pod. Each but `event` and `remove` is answered by an input.
package enum PodAction: Sendable, Hashable {
    case prepareVolumes
    case runSandbox
    case startContainer(name: String, attempt: Int)
    /// Runs the preStop hook, if there is one, then stops within the grace.
    case stopContainer(id: String, graceSeconds: Int64, preStop: JSON?)
    /// The sandbox is to go with everything in it.
    case stopSandbox
    case probe(container: String, id: String, kind: Probe.Kind, probe: Probe)
    case event(PodEvent)
    /// Nothing of the pod runs any more: write its last status, remove the object if it is still
    /// there, and forget the pod.
    case remove
}

/// An event about a pod or one of its containers.
package struct PodEvent: Sendable, Hashable {
    package var isWarning: Bool
    package var reason: String
    package var message: String
    /// The container it is about; empty for the pod.
    package var container: String

    package init(
        _ reason: String, _ message: String, container: String = "", isWarning: Bool = false
    ) {
        self.reason = reason
        self.message = message
        self.container = container
        self.isWarning = isWarning
    }
}
