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

    /// What a foreign etcd can do of a commit: its parts one after the other, with guards as
    /// compares. A compare on a range sees puts, but not deletes: that much weaker is `unchanged`
    /// there.
    private func commitByTransaction(
        _ request: CommitRequest, _ done: @escaping Completion<CommitResponse>
    ) {
        commit(CommitParts(request), first: nil, done)
    }

    private func commit(
        _ parts: CommitParts, first: Int64?, _ done: @escaping Completion<CommitResponse>
    ) {
        let guards = parts.guards
        let transaction = TransactionRequest(
            compares: guards.map(compare), success: parts.mutations.map(operation),
            failure: guards.map { .range(probe($0)) })
        self.transaction(transaction) { result in
            switch result {
            case .failure(let error):
                done(.failure(explain(error, transaction)))
            case .success(let response) where response.succeeded:
                var parts = parts
                parts.committed(at: response.revision)
                let first = first ?? response.revision
                if parts.isEmpty {
                    done(.success(.committed(first: first, last: response.revision)))
                } else {
                    self.commit(parts, first: first, done)
                }
            case .success(let response):
                done(.success(guardFailed(guards, response)))
            }
        }
    }
}

private func operation(_ mutation: CommitRequest.Mutation) -> Operation {
    switch mutation {
    case .put(let key, let value, let lease):
        .put(PutRequest(key: key, value: value, lease: lease))
    case .delete(let key): .deleteRange(DeleteRangeRequest(.key(key)))
    }
}

/// etcd's own words do not say which of its flags would help.
private func explain(_ error: StoreError, _ transaction: TransactionRequest) -> StoreError {
    guard error == .tooManyOperations else { return error }
    let count = max(transaction.compares.count, transaction.success.count)
    return StoreError(
        error.code,
        "\(error.message): \(count) in one; start etcd with --max-txn-ops 10000")
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

/// Which guard did not hold, and a revision after which it is seen why: that of the key it found,
/// which a watch is sure to show. Of a key that is gone etcd tells nothing.
private func guardFailed(
    _ guards: [CommitRequest.Guard], _ response: TransactionResponse
) -> CommitResponse {
    for (index, (condition, answer)) in zip(guards, response.responses).enumerated() {
        guard case .range(let range) = answer else { continue }
        let first = range.keyValues.first
        let holds =
            switch condition {
            case .modRevision(_, let revision): first?.modRevision ?? 0 == revision
            case .createRevision(_, let revision): first?.createRevision ?? 0 == revision
            case .unchanged: first == nil
            }
        if !holds { return .guardFailed(index: index, revision: first?.modRevision ?? 0) }
    }
    return .guardFailed(index: 0, revision: 0)
}
