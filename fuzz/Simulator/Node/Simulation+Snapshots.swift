import Raft

extension Simulation {
    /// A replica makes a snapshot after so many entries, so that its log stays short.
    func saveSnapshotIfDue(_ node: Node) throws(Violation) {
        let applied = node.state.appliedIndex
        guard !node.isImageDue, applied >= node.lastImageIndex + scenario.snapshotEntries,
            applied == node.raft.appliedIndex
        else { return }
        node.isImageDue = true
        node.lastImageIndex = applied
        trace("\(node.id) saves a snapshot at \(applied)")
        node.tasks.append(.save(try image(node)))
    }

    private func image(_ node: Node) throws(Violation) -> StateImage {
        var image = try node.state.image()
        if image.meta.membership.voters.isEmpty {
            // No change was ever applied: the members are the first ones.
            image.meta.membership = node.initialMembership
        }
        return image
    }

    func streamSnapshot(_ node: Node, to peer: UInt64) throws(Violation) {
        let image = try image(node)
        trace("\(node.id) streams snapshot \(image.meta.term)/\(image.meta.index) to \(peer)")
        let event = SimulationEvent.snapshotStreamed(
            image, from: node.id, to: peer, term: node.raft.term, epoch: node.epoch)
        queue.add(event, at: now + 5_000 + below(200_000))
    }

    func finishStream(
        _ image: StateImage, from: UInt64, to: UInt64, term: UInt64, epoch: Int
    ) throws(Violation) {
        let receiver = node(to)
        let arrives =
            receiver.isRunning && receiver.pausedUntil <= now
            && !network.isBlocked(from: from, to: to)
            && !chance(per10000: scenario.lossPer10000)
        trace("the snapshot of \(from) \(arrives ? "arrived at" : "did not reach") \(to)")
        if arrives {
            receiver.arrived.append(image)
            let body = Message.Body.installSnapshot(image.meta)
            receiver.raft.step(Message(from: from, to: to, term: term, body: body))
            try pump(receiver)
        }
        let sender = node(from)
        guard sender.isRunning, sender.epoch == epoch else { return }
        sender.raft.snapshotSent(to: to, succeeded: arrives)
        try pump(sender)
    }

    /// Raft wants to go on from a snapshot that arrived. It waits its turn behind earlier writes.
    func install(_ meta: SnapshotMeta, _ node: Node) throws(Violation) {
        guard let image = node.arrived.last(where: { $0.meta == meta }) else {
            throw .correctness("\(node.id) wants to install a snapshot that nobody sent")
        }
        node.arrived = []
        node.tasks.append(.install(image))
    }
}
