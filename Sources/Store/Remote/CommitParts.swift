import Basics
package import Keyspace

/// A commit, cut into transactions that etcd can take.
///
/// etcd puts all that a Txn writes on one revision. Two objects of one resource may not share a
/// revision: a watch that breaks between their events, and goes on after the revision of the
/// first, would never see the second. So a part ends where a resource comes a second time; objects
/// of several resources, which no API watch shows together, change at once. Parts are done in
/// order. Each compares all guards; what the parts before it changed is expected as they left it,
/// so that nobody else's write goes unseen in between (decision 9).
package struct CommitParts: Sendable {
    package private(set) var guards: [CommitRequest.Guard]
    private var rest: ArraySlice<CommitRequest.Mutation>

    package init(_ request: CommitRequest) {
        guards = request.guards
        rest = request.mutations[...]
    }

    /// Whether nothing is left to do.
    package var isEmpty: Bool { rest.isEmpty }

    /// What the next transaction changes.
    package var mutations: ArraySlice<CommitRequest.Mutation> {
        var resources: Set<Bytes> = []
        let end = rest.firstIndex { !resources.insert(Self.resource($0.key)).inserted }
        return rest[..<(end ?? rest.endIndex)]
    }

    /// The next transaction has taken effect at this revision.
    package mutating func committed(at revision: Int64) {
        let done = mutations
        rest = rest[done.endIndex...]
        guard !rest.isEmpty else { return }
        var written: [Bytes: Bool] = [:]
        for mutation in done {
            if case .put(let key, _, _) = mutation { written[key] = true }
            if case .delete(let key) = mutation { written[key] = false }
        }
        for index in guards.indices {
            switch guards[index] {
            case .modRevision(let key, _):
                guard let exists = written[key] else { continue }
                guards[index] = .modRevision(key: key, equals: exists ? revision : 0)
            case .createRevision(let key, let created):
                guard let exists = written[key] else { continue }
                let now = created == 0 ? revision : created
                guards[index] = .createRevision(key: key, equals: exists ? now : 0)
            case .unchanged(let range, _):
                guards[index] = .unchanged(range, since: revision)
            }
        }
    }

    /// `pods` of `/registry/pods/default/web`. API watches are on one resource or less.
    private static func resource(_ key: Bytes) -> Bytes {
        let parts = key.split(
            separator: UInt8(ascii: "/"), maxSplits: 3, omittingEmptySubsequences: false)
        return parts.count > 2 ? Bytes(parts[1] + [0x2f] + parts[2]) : key
    }
}
