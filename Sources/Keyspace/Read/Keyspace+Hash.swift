import Basics

/// The hash of what a revision has: equal on all replicas that have the revision.
package struct RevisionHash: Sendable, Hashable {
    package var hash: UInt64
    /// The revision hashed, and the newest one of the store then.
    package var revision: Int64
    package var storeRevision: Int64
    package var compactRevision: Int64
}

extension Keyspace {
    /// Keys between two read transactions.
    private static let keysPerRead = 4096

    /// Hashes all keys as they stand at a revision, 0 for the newest. Takes time in proportion to
    /// the number of keys, in many read transactions.
    package func hash(atRevision wanted: Int64) -> Result<RevisionHash, StoreError> {
        let state = state
        var answer = RevisionHash(
            hash: 0, revision: wanted > 0 ? wanted : state.revision,
            storeRevision: state.revision, compactRevision: state.compactRevision)
        var from: Bytes? = Bytes()
        while let start = from {
            let slice = hashSlice(after: start, &answer)
            switch slice {
            case .failure(let error): return .failure(error)
            case .success(let next): from = next
            }
        }
        answer.hash = RecordHash.mix(answer.hash ^ UInt64(bitPattern: answer.revision))
        return .success(answer)
    }

    /// Where to go on; nil at the end.
    private func hashSlice(
        after start: Bytes, _ answer: inout RevisionHash
    ) -> Result<Bytes?, StoreError> {
        var sum = answer.hash
        let revision = answer.revision
        let result = read { view throws(KeyspaceError) -> Result<Bytes?, StoreError> in
            if let refusal = view.refusal(ofRevision: revision) { return .failure(refusal) }
            var count = 0
            var last: Bytes?
            let range = KeyRange(start: start, end: .unbounded)
            try view.scanHistory(range, at: view.roundedUp(revision)) { key, entry in
                if key == start { return true }
                sum &+= entry.recordHash
                count += 1
                if count == Self.keysPerRead { last = key }
                return last == nil
            }
            return .success(last)
        }
        answer.hash = sum
        return result
    }
}
