import Basics
import NIOCore
import Objects
package import Store

/// The plugin that runs the pods bound to one node and says how they are.
package final class NodeAgent: Sendable {
    package struct Configuration: Sendable {
        package var nodeName: String
        /// The node's own directory.
        package var directory: String
        /// What hostPath volumes must not show.
        package var hiddenPaths: [String]
        /// More labels for the Node object.
        package var labels: [(String, String)] = []

        package init(nodeName: String, directory: String, hiddenPaths: [String]) {
            self.nodeName = nodeName
            self.directory = directory
            self.hiddenPaths = hiddenPaths
        }
    }

    let configuration: Configuration
    let store: any Store
    let runtime: ProcessRuntime
    let access: ObjectAccess
    let mailbox = Mailbox<AgentMessage>()
    let events: EventRecorder
    let probes: ProbeRunner
    let facts: HostFacts
    let sandboxOfPod = Locked<[String: String]>([:])

    package init(_ configuration: Configuration, store: any Store, runtime: ProcessRuntime) {
        self.configuration = configuration
        self.store = store
        self.runtime = runtime
        access = ObjectAccess(store: store)
        events = EventRecorder(store: store, nodeName: configuration.nodeName)
        probes = ProbeRunner(runtime: runtime, group: runtime.group)
        try? Files.makeDirectories(configuration.directory)
        facts = HostFacts.read(directory: configuration.directory)
    }

    /// Runs until the task is cancelled; pods run on after it.
    package func run() async {
        runtime.setEventHandler { [mailbox] in mailbox.post(.runtime($0)) }
        let reporter = NodeReporter(
            access: access, nodeName: configuration.nodeName, facts: facts,
            runtimeVersion: runtime.version, labels: configuration.labels)
        let watcher = PodWatcher(
            store: store, nodeName: configuration.nodeName, mailbox: mailbox)
        await withTaskCancellationHandler {
            await withDiscardingTaskGroup { group in
                group.addTask { await reporter.run() }
                group.addTask { await watcher.run() }
                group.addTask { await self.events.run() }
                await loop(&group)
                group.cancelAll()
                events.stop()
            }
        } onCancel: {
            mailbox.post(.cancelled)
        }
    }

    /// Ends every pod of this node, with a short grace, and forgets none: they start again with
    /// the next agent. Call while `run()` runs; answers when they have ended.
    package func stopPods() async {
        await withCheckedContinuation { mailbox.post(.stopPods($0)) }
    }

    func report(_ uid: String, _ input: @escaping AgentMessage.Input) {
        mailbox.post(.input(uid: uid, input))
    }
}
