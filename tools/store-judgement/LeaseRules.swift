import Keyspace
import Simulator

/// Leases by the simulator's oracle, with the clients' clock.
///
/// Nobody sees a lease end, but as soon as anybody has heard of the revision of its end, it has
/// ended; so a time that is too early is too early for sure.
struct LeaseRules {
    private enum Step {
        case granted(Int64, seconds: Int64)
        case revoking(Int64)
        case renewed(Int64, called: UInt64)
        case ended(Int64)
        /// The leader said by `now` what time it knows of.
        case known(Int64, seconds: Int64, now: UInt64)

        /// Which comes first at the same time.
        var rank: Int {
            switch self {
            case .granted: 0
            case .revoking: 1
            case .renewed: 2
            case .ended: 3
            case .known: 4
            }
        }
    }

    private let operations: [LoadOperation]
    private let uses: [(id: Int64, operation: LoadOperation)]
    /// Seconds by lease.
    private var granted: [Int64: Int64] = [:]
    private var steps: [(at: UInt64, step: Step)] = []
    /// Which answer was the first to say that a lease is gone.
    private var gone: [Int64: LoadOperation] = [:]

    init(_ history: StoreHistory, _ replay: Replay) {
        operations = history.operations
        uses = replay.leaseUses
        for operation in operations { add(operation) }
        let sightings = Self.sightings(history)
        for (id, revision) in replay.leaseEnds {
            let seen = sightings.filter { $0.revision >= revision }.map(\.microseconds)
            if let first = seen.min() { steps.append((at: first, step: .ended(id))) }
        }
        steps.sort { ($0.at, $0.step.rank) < ($1.at, $1.step.rank) }
    }

    /// When anybody heard of a revision.
    private static func sightings(
        _ history: StoreHistory
    ) -> [(revision: Int64, microseconds: UInt64)] {
        var sightings: [(revision: Int64, microseconds: UInt64)] = []
        for operation in history.operations {
            guard let revision = operation.revision else { continue }
            sightings.append((revision, operation.returned.microseconds))
        }
        for sighting in history.watchers.joined() {
            sightings.append((sighting.batch.revision, sighting.microseconds))
        }
        return sightings
    }

    private mutating func add(_ operation: LoadOperation) {
        let called = operation.called.microseconds
        let returned = operation.returned.microseconds
        switch (operation.call, operation.answer) {
        case (.grant(let id, let seconds), _):
            // Even if nobody heard of it: if it was granted, then after the call.
            granted[id] = seconds
            steps.append((at: called, step: .granted(id, seconds: seconds)))
        case (.keepAlive(let id), .lease):
            steps.append((at: returned, step: .renewed(id, called: called)))
        case (.keepAlive(let id), .refused), (.timeToLive(let id), .refused):
            steps.append((at: called, step: .known(id, seconds: 0, now: returned)))
        case (.timeToLive(let id), .lease(let status)):
            let seconds = status.remainingTTLSeconds
            steps.append((at: called, step: .known(id, seconds: seconds, now: returned)))
        case (.revoke(let id), let answer):
            steps.append((at: called, step: .revoking(id)))
            if case .unknown = answer { return }
            noteGone(id, operation)
        case (.write, .refused):
            guard let id = operation.lease else { return }
            steps.append((at: returned, step: .ended(id)))
            noteGone(id, operation)
        default: break
        }
    }

    private mutating func noteGone(_ id: Int64, _ operation: LoadOperation) {
        if let first = gone[id], first.returned.position < operation.returned.position { return }
        gone[id] = operation
    }

    func check() throws(Violation) {
        var oracle = LeaseOracle(driftPerMille: 0)
        for (at, step) in steps {
            switch step {
            case .granted(let id, let seconds):
                oracle.granted(id, seconds: seconds, called: at, now: at)
            case .revoking(let id): oracle.revoking(id)
            case .renewed(let id, let called): try oracle.renewed(id, called: called, now: at)
            case .ended(let id): try oracle.ended(id, now: at)
            case .known(let id, let seconds, let now):
                try oracle.check(id, known: seconds, now: now)
            }
        }
        for operation in operations { try checkAnswer(operation) }
        for (id, operation) in uses { try checkThere(id, operation) }
    }

    private func checkAnswer(_ operation: LoadOperation) throws(Violation) {
        guard case .lease(let status) = operation.answer else { return }
        switch operation.call {
        case .grant(let id, let seconds):
            guard status.id == id, status.grantedTTLSeconds == seconds else {
                throw .correctness(
                    "\(operation.name) got \(status.grantedTTLSeconds) s for \(status.id)")
            }
        case .keepAlive(let id), .timeToLive(let id):
            // A new leader gives two election timeouts on top, and seconds are rounded up.
            guard let seconds = granted[id], status.grantedTTLSeconds == seconds,
                (0...seconds + 1).contains(status.remainingTTLSeconds)
            else {
                throw .correctness(
                    "\(operation.name) got \(status.remainingTTLSeconds) s of "
                        + "\(status.grantedTTLSeconds) s")
            }
            try checkThere(id, operation)
        case .write, .read, .compact, .revoke, .watch: break
        }
    }

    /// A lease that is gone does not come back.
    private func checkThere(
        _ id: Int64, _ operation: LoadOperation
    ) throws(Violation) {
        guard let before = gone[id],
            before.returned.position < operation.called.position
        else { return }
        throw .correctness(
            "\(operation.name) found lease \(id), but \(before.name) had ended or missed it "
                + "before")
    }
}
