import Basics
import Keyspace
import Raft

/// The dumb keyspace as a replica's state machine: for the bulk of the seeds, where the log and the
/// consensus are what is tested.
final class ModelState: SimulatedState {
    private var model = ModelKeyspace()
    private(set) var appliedIndex: UInt64 = 0
    private(set) var appliedTerm: UInt64 = 0

    init() {}

    init(restoring image: StateImage) throws(Violation) {
        guard case .model(let model) = image.content else {
            throw .correctness("a snapshot of the other kind arrived")
        }
        self.model = model
        appliedIndex = image.meta.index
        appliedTerm = image.meta.term
    }

    func membership() throws(Violation) -> Bytes? { model.membership }

    func apply(_ batch: [AppliedEntry]) throws(Violation) -> [CommandResult] {
        var results: [CommandResult] = []
        for entry in batch {
            guard entry.index == appliedIndex + 1 else {
                throw .correctness("entry \(entry.index) applied after \(appliedIndex)")
            }
            results.append(model.apply(entry.command))
            appliedIndex = entry.index
            appliedTerm = entry.term
        }
        return results
    }

    func value(of key: Bytes) throws(Violation) -> Bytes? { model.find(key)?.value }

    func digest() throws(Violation) -> UInt64 { model.digest }

    func image() throws(Violation) -> StateImage {
        let members = try decodedMembership()
        return StateImage(
            meta: SnapshotMeta(index: appliedIndex, term: appliedTerm, membership: members),
            content: .model(model))
    }

    func reopen() throws(Violation) {}
    func discard() {}
}

extension SimulatedState {
    func decodedMembership() throws(Violation) -> Membership {
        guard let bytes = try membership() else { return Membership(voters: []) }
        do {
            return try Membership(decoding: bytes)
        } catch {
            throw .correctness("membership in the state machine: \(error)")
        }
    }
}
