import Basics
import Keyspace

/// One commit of an agent on its way through the gate: read what it changes, decide, and commit
/// with guards on what was read.
final class GatedCommit: Sendable {
    private enum Verdict {
        case allowed(CommitRequest.Guard?)
        case denied
    }

    private static let attemptsMax = 4

    private let gate: GatedStore
    private let request: CommitRequest
    private let done: GatedStore.Completion<CommitResponse>

    init(
        _ gate: GatedStore, _ request: CommitRequest,
        _ done: @escaping GatedStore.Completion<CommitResponse>
    ) {
        self.gate = gate
        self.request = request
        self.done = done
    }

    /// What needs no reading is refused at once.
    func start() {
        guard request.mutations.count <= Limits.transactionOperationsMax else {
            return done(.failure(.tooManyOperations))
        }
        let keys = request.mutations.map(\.key)
        // A guard answers a question about its key: only about keys that are written anyway.
        for one in request.guards {
            guard case .modRevision(let key, _) = one, keys.contains(key) else {
                return done(.failure(.permissionDenied))
            }
        }
        for mutation in request.mutations where !isPlausible(mutation) {
            return done(.failure(.permissionDenied))
        }
        attempt(1)
    }

    private func isPlausible(_ mutation: CommitRequest.Mutation) -> Bool {
        let place = NodePlace(mutation.key, node: gate.node)
        switch mutation {
        case .put(_, let value, let lease):
            switch place {
            case .event: return gate.inspector.eventHost(value) == gate.node
            // An object on a lease would go when the lease does.
            case .node, .lease, .pod: return lease == 0
            case .secret, .configMap, .elsewhere: return false
            }
        case .delete:
            return place == .pod
        }
    }

    /// Reads the keys that need it, one after the other: nearly every commit has one of them.
    private func attempt(_ number: Int) {
        let keys = request.mutations.map(\.key).filter {
            switch NodePlace($0, node: gate.node) {
            case .pod, .event: true
            case .node, .lease, .secret, .configMap, .elsewhere: false
            }
        }
        read(keys[...], [], attempt: number)
    }

    private func read(_ keys: ArraySlice<Bytes>, _ found: [KeyValue], attempt: Int) {
        guard let key = keys.first else { return decide(found, attempt: attempt) }
        var request = RangeRequest(.key(key))
        // The guard makes a stale read harmless; if it leads to a refusal, the next is not stale.
        request.isSerializable = attempt == 1
        gate.store.range(request) { result in
            switch result {
            case .failure(let error): self.done(.failure(error))
            case .success(let response):
                self.read(keys.dropFirst(), found + response.keyValues, attempt: attempt)
            }
        }
    }

    private func decide(_ found: [KeyValue], attempt number: Int) {
        var guarded = request
        for mutation in request.mutations {
            switch verdict(mutation, found.first { $0.key == mutation.key }) {
            case .allowed(let added):
                if let added { guarded.guards.append(added) }
            case .denied:
                guard number == 1 else { return done(.failure(.permissionDenied)) }
                return attempt(2)
            }
        }
        gate.store.commit(guarded) { result in
            guard case .success(.guardFailed(let index, _)) = result,
                index >= self.request.guards.count
            else { return self.done(result) }
            // Ours failed, not the agent's: what we read has changed meanwhile.
            guard number < Self.attemptsMax else { return self.done(.failure(.tooManyRequests)) }
            self.attempt(max(2, number + 1))
        }
    }

    private func verdict(_ mutation: CommitRequest.Mutation, _ stored: KeyValue?) -> Verdict {
        let unchanged = CommitRequest.Guard.modRevision(
            key: mutation.key, equals: stored?.modRevision ?? 0)
        switch NodePlace(mutation.key, node: gate.node) {
        case .node, .lease:
            return .allowed(nil)
        case .event:
            guard let stored else { return .allowed(unchanged) }
            let isOwn = gate.inspector.eventHost(stored.value) == gate.node
            return isOwn ? .allowed(unchanged) : .denied
        case .pod:
            guard let stored else { return gone(mutation, unchanged) }
            guard let pod = gate.inspector.boundPod(stored, node: gate.node) else {
                return .denied
            }
            switch mutation {
            case .put(_, let value, _):
                let isStatus = gate.inspector.changesOnlyStatus(from: stored.value, to: value)
                return isStatus ? .allowed(unchanged) : .denied
            case .delete:
                return pod.isTerminating ? .allowed(unchanged) : .denied
            }
        case .secret, .configMap, .elsewhere:
            return .denied
        }
    }

    /// Writing to a pod that is gone: if the agent's own guard will fail, it is to be told so.
    private func gone(
        _ mutation: CommitRequest.Mutation, _ unchanged: CommitRequest.Guard
    ) -> Verdict {
        let expectsIt = request.guards.contains {
            if case .modRevision(mutation.key, let revision) = $0 { revision > 0 } else { false }
        }
        return expectsIt ? .allowed(unchanged) : .denied
    }
}

extension CommitRequest.Mutation {
    var key: Bytes {
        switch self {
        case .put(let key, _, _): key
        case .delete(let key): key
        }
    }
}
