import Raft
import WriteAheadLog

/// The log thread of a replica: one task at a time, each ended by a sync that takes its time, and a
/// crash may come before it does.
extension Simulation {
    func addWrite(_ ready: Ready, _ node: Node) {
        if case .write(let readys) = node.tasks.last {
            node.tasks[node.tasks.count - 1] = .write(readys + [ready])
        } else {
            node.tasks.append(.write([ready]))
        }
    }

    func startLogTask(_ node: Node) throws(Violation) {
        guard node.underWay == nil, !node.tasks.isEmpty else { return }
        let task = node.tasks.removeFirst()
        node.underWay = task
        try withLog(node) { log throws(LogError) in
            switch task {
            case .write(let readys):
                for ready in readys {
                    try log.append(hardState: ready.hardState, entries: ready.entries)
                }
            case .markInstalled(let image):
                try log.mark(
                    SnapshotMark(
                        index: image.meta.index, term: image.meta.term, isInstalled: true))
            case .markSaved(let image):
                try log.mark(SnapshotMark(index: image.meta.index, term: image.meta.term))
            case .install, .save:
                break
            }
        }
        let sync =
            (scenario.syncMin + below(scenario.syncMax))
            * node.diskSlowness * (isHealed ? 1 : scenario.diskSlowness)
        queue.add(.logDone(node: node.id, epoch: node.epoch), at: now + sync)
    }

    func finishLogTask(_ node: Node) throws(Violation) {
        guard let task = node.underWay else { return }
        node.underWay = nil
        switch task {
        case .write(let readys):
            try withLog(node) { log throws(LogError) in try log.sync() }
            for ready in readys {
                for message in ready.messagesAfterPersist { try send(message) }
            }
            if let mark = readys.last?.mark { node.raft.persisted(mark) }
        case .install(let image):
            node.newestImage = image
            node.state.discard()
            node.state = try makeState(node.id, restoring: image)
            try checker.agrees(
                try node.state.digest(), at: image.meta.index, of: node.id)
            node.tasks.insert(.markInstalled(image), at: 0)
        case .markInstalled(let image):
            try withLog(node) { log throws(LogError) in try log.sync() }
            trace("\(node.id) installed snapshot \(image.meta.term)/\(image.meta.index)")
            node.lastImageIndex = image.meta.index
            node.proposals.removeAll { $0.index <= image.meta.index }
            node.raft.snapshotInstalled(image.meta)
        case .save(let image):
            node.newestImage = image
            node.tasks.insert(.markSaved(image), at: 0)
        case .markSaved(let image):
            try withLog(node) { log throws(LogError) in
                try log.sync()
                try log.release(before: image.meta.index + 1)
            }
            node.isImageDue = false
            let kept = min(image.meta.index, scenario.keptEntries)
            node.raft.compacted(to: image.meta.index - kept)
        }
        try pump(node)
    }

    func withLog(
        _ node: Node, _ body: (WriteAheadLog) throws(LogError) -> Void
    ) throws(Violation) {
        guard let log = node.log else { return }
        do {
            try body(log)
        } catch {
            throw .correctness("the log of \(node.id): \(error)")
        }
    }
}
