package import Basics
package import Keyspace

/// Several plans that were made at one revision of the view and do not touch each other, to be
/// committed as one.
///
/// When a guard does not hold, the plan that needed it is taken out and the rest stands.
package struct CommitBatch: Sendable {
    package struct Member: Sendable {
        package var key: WorkKey
        package var guards: [CommitRequest.Guard]
        package var mutations: [CommitRequest.Mutation]
    }

    package private(set) var members: [Member] = []
    package private(set) var byteCount = 0
    private var written: Set<Bytes> = []
    private var guarded: Set<Bytes> = []
    private var guardedRanges: [KeyRange] = []

    package init() {}

    package var isEmpty: Bool { members.isEmpty }
    package var mutationCount: Int { members.reduce(0) { $0 + $1.mutations.count } }

    /// Whether the plan neither writes what another member depends on nor the reverse.
    package func accepts(_ plan: Plan) -> Bool {
        for mutation in plan.mutations {
            let key = mutation.key
            if written.contains(key) || guarded.contains(key) { return false }
            if guardedRanges.contains(where: { $0.contains(key) }) { return false }
        }
        for one in plan.guards {
            switch one {
            case .modRevision(let key, _), .createRevision(let key, _):
                if written.contains(key) { return false }
            case .unchanged(let range, _):
                if written.contains(where: { range.contains($0) }) { return false }
            }
        }
        return true
    }

    package mutating func add(_ key: WorkKey, _ plan: Plan, events: [CommitRequest.Mutation]) {
        for one in plan.guards {
            switch one {
            case .modRevision(let key, _), .createRevision(let key, _): guarded.insert(key)
            case .unchanged(let range, _): guardedRanges.append(range)
            }
        }
        for mutation in plan.mutations { written.insert(mutation.key) }
        byteCount += plan.byteCount
        members.append(
            Member(key: key, guards: plan.guards, mutations: plan.mutations + events))
    }

    /// The commit, the leader's fence first.
    package func request(fence: CommitRequest.Guard) -> CommitRequest {
        CommitRequest(
            guards: [fence] + members.flatMap(\.guards), mutations: members.flatMap(\.mutations))
    }

    /// Takes out the member whose guard has this index in the request; nil for the fence.
    package mutating func removeMember(ofGuard index: Int) -> Member? {
        var first = 1
        for (position, member) in members.enumerated() {
            if index >= first, index < first + member.guards.count {
                return members.remove(at: position)
            }
            first += member.guards.count
        }
        return nil
    }
}

extension CommitRequest.Mutation {
    package var key: Bytes {
        switch self {
        case .put(let key, _, _), .delete(let key): key
        }
    }
}
