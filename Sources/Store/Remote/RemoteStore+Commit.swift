import Basics
import EtcdMessages
import HTTP
package import Keyspace

extension RemoteStore {
    package func commit(_ request: CommitRequest, _ done: @escaping Completion<CommitResponse>) {
        guard !isForeign.withLock({ $0 }) else { return commitByTransaction(request, done) }
        channel.unary("/martlet.Store/Commit", request.protobufBytes) { result in
            switch result {
            case .success(let bytes):
                do throws(DecodingFailure) {
                    done(.success(try CommitResponse(protobuf: bytes)))
                } catch {
                    done(.failure(StoreError(.corrupt, "answer to a commit: \(error)")))
                }
            case .failure(let status) where status.code == .unimplemented:
                self.isForeign.withLock { $0 = true }
                self.commitByTransaction(request, done)
            case .failure(let status):
                done(.failure(StoreError(status)))
            }
        }
    }

    /// What a foreign etcd can do of a commit: one mutation, and guards as compares. A compare
    /// on a range sees puts, but not deletes: that much weaker is `unchanged` there.
    private func commitByTransaction(
        _ request: CommitRequest, _ done: @escaping Completion<CommitResponse>
    ) {
        guard request.mutations.count <= 1 else {
            return done(
                .failure(StoreError(.invalid, "etcd: a commit can change only one object")))
        }
        let success: [Operation] = request.mutations.map {
            switch $0 {
            case .put(let key, let value, let lease):
                .put(PutRequest(key: key, value: value, lease: lease))
            case .delete(let key): .deleteRange(DeleteRangeRequest(.key(key)))
            }
        }
        let transaction = TransactionRequest(
            compares: request.guards.map(compare), success: success,
            failure: request.guards.map { .range(probe($0)) })
        self.transaction(transaction) { result in
            done(
                result.map { response in
                    guard response.succeeded else {
                        return .guardFailed(
                            index: failedGuard(request.guards, response.responses),
                            revision: response.revision)
                    }
                    return .committed(first: response.revision, last: response.revision)
                })
        }
    }
}

private func compare(_ condition: CommitRequest.Guard) -> Compare {
    switch condition {
    case .modRevision(let key, let revision):
        Compare(.key(key), .equal, .modRevision(revision))
    case .createRevision(let key, let revision):
        Compare(.key(key), .equal, .createRevision(revision))
    case .unchanged(let range, let since):
        Compare(range, .less, .modRevision(since + 1))
    }
}

/// Reads what tells afterwards whether this guard was the one that failed.
private func probe(_ condition: CommitRequest.Guard) -> RangeRequest {
    switch condition {
    case .modRevision(let key, _), .createRevision(let key, _):
        var request = RangeRequest(.key(key))
        request.keysOnly = true
        return request
    case .unchanged(let range, let since):
        var request = RangeRequest(range, limit: 1)
        request.keysOnly = true
        request.minModRevision = since + 1
        return request
    }
}

private func failedGuard(
    _ guards: [CommitRequest.Guard], _ responses: [OperationResponse]
) -> Int {
    for (index, (condition, response)) in zip(guards, responses).enumerated() {
        guard case .range(let range) = response else { continue }
        let first = range.keyValues.first
        switch condition {
        case .modRevision(_, let revision):
            if first?.modRevision ?? 0 != revision { return index }
        case .createRevision(_, let revision):
            if first?.createRevision ?? 0 != revision { return index }
        case .unchanged:
            if first != nil { return index }
        }
    }
    return 0
}
