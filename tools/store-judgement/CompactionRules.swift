import Keyspace
import Simulator

/// The compact revision only rises, so that intervals are enough to judge what it explains: it is
/// at least what was acknowledged before a call, and at most what was asked for before the answer.
struct CompactionRules {
    private let operations: [LoadOperation]
    private let compactions: [(target: Int64, operation: LoadOperation)]
    private(set) var refusals = 0

    init(_ operations: [LoadOperation]) {
        self.operations = operations
        var compactions: [(target: Int64, operation: LoadOperation)] = []
        for operation in operations {
            if case .compact(let target) = operation.call {
                compactions.append((target, operation))
            }
            if case .refused(let error) = operation.answer, error.code == .compacted {
                refusals += 1
            }
        }
        self.compactions = compactions
    }

    func check(_ groups: [CommittedLog.Group]) throws(Violation) {
        for operation in operations {
            switch operation.call {
            case .read(let request) where request.revision > 0:
                // What is compacted is what is below the compact revision.
                try check(operation, above: request.revision)
            case .compact(let target):
                try check(operation, above: target - 1)
            case .watch(let start):
                try checkWatch(operation, start, groups)
            case .write, .read, .grant, .keepAlive, .timeToLive, .revoke: break
            }
        }
    }

    /// That an operation needs the compact revision to be `revision` at most.
    private func check(
        _ operation: LoadOperation, above revision: Int64
    ) throws(Violation) {
        switch operation.answer {
        case .digest, .revision:
            let before = compactions.first { compaction in
                guard case .revision = compaction.operation.answer else { return false }
                return compaction.target > revision
                    && compaction.operation.returned.position < operation.called.position
            }
            guard let before else { return }
            throw .correctness(
                "\(operation.name) was answered, but \(before.operation.name) had been "
                    + "acknowledged before")
        case .refused(let error) where error.code == .compacted:
            let isExplained = compactions.contains { compaction in
                compaction.target > revision
                    && compaction.operation.called.position != operation.called.position
                    && compaction.operation.called.position < operation.returned.position
            }
            guard !isExplained else { return }
            throw .correctness("\(operation.name) was told of a compaction that was not")
        case .refused(let error) where error.code == .futureRevision:
            throw .correctness("\(operation.name) had been seen, and is said to be to come")
        case .unknown, .lease, .watched, .refused: break
        }
    }

    /// A watcher may ask a replica that is behind, which knows of a compaction later.
    private func checkWatch(
        _ operation: LoadOperation, _ start: Int64, _ groups: [CommittedLog.Group]
    ) throws(Violation) {
        switch operation.answer {
        case .watched(let sighting):
            let request = WatchRequest(.all, startRevision: start, wantsPrevious: true)
            var oracle = WatchOracle(request, position: start)
            do throws(Violation) {
                try oracle.take(
                    sighting.batch, groups, compactRevision: sighting.compactRevision)
            } catch {
                throw .correctness("\(operation.name): \(error.message)")
            }
        case .refused(let error) where error.code == .compacted:
            let isExplained = compactions.contains { compaction in
                compaction.target == error.compactRevision && compaction.target > start
                    && compaction.operation.called.position < operation.returned.position
            }
            guard !isExplained else { return }
            throw .correctness(
                "\(operation.name) was told of a compaction at \(error.compactRevision) that was "
                    + "not")
        case .unknown, .digest, .revision, .lease, .refused: break
        }
    }
}
