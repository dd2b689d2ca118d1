import Basics

extension Applier {
    /// A plugin's commit: guards, then mutations on consecutive revisions.
    mutating func apply(
        _ request: CommitRequest
    ) throws(KeyspaceError) -> Result<CommitResponse, StoreError> {
        do throws(StoreError) { try request.validate() } catch { return .failure(error) }
        for (index, condition) in request.guards.enumerated() {
            guard try view.holds(condition) else {
                return .success(.guardFailed(index: index, revision: revision))
            }
        }
        var work: [(mutation: CommitRequest.Mutation, existing: IndexEntry?)] = []
        work.reserveCapacity(request.mutations.count)
        for mutation in request.mutations {
            switch mutation {
            case .put(let key, _, let lease):
                if lease != 0, try view.lease(lease) == nil { return .failure(.leaseNotFound) }
                work.append((mutation, try view.current(key)))
            case .delete(let key):
                // A delete of an absent key takes no revision.
                if let existing = try view.current(key) { work.append((mutation, existing)) }
            }
        }
        let first = revision + 1
        var events: [Event] = []
        events.reserveCapacity(work.count)
        for (number, item) in work.enumerated() {
            let position = RecordPosition(revision: first + Int64(number), sub: 0)
            let following = UInt32(work.count - 1 - number)
            switch item.mutation {
            case .put(let key, let value, let lease):
                events.append(
                    try write(
                        key, value, lease: lease, at: position, following: following,
                        over: item.existing))
            case .delete(let key):
                guard let existing = item.existing else { continue }
                events.append(
                    try remove(key, at: position, following: following, existing))
            }
        }
        let last = revision + Int64(work.count)
        if !events.isEmpty {
            stored.state.revision = last
            groups.append(
                EventGroup(first: first, last: last, events: events, hasPrevious: loadsPrevious))
        }
        return .success(.committed(first: first, last: last))
    }
}
