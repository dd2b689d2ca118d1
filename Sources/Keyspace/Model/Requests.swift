package import Basics

/// etcd's `RangeRequest`.
package struct RangeRequest: Sendable, Hashable {
    package enum SortOrder: UInt8, Sendable, Hashable { case none, ascending, descending }
    package enum SortTarget: UInt8, Sendable, Hashable { case key, version, create, mod, value }

    package var range: KeyRange
    /// Keys at most; 0 for all.
    package var limit: Int64 = 0
    /// Revision to read at; 0 for the newest.
    package var revision: Int64 = 0
    package var sortOrder: SortOrder = .none
    package var sortTarget: SortTarget = .key
    /// Read this replica's state as it is, perhaps stale.
    package var isSerializable = false
    package var keysOnly = false
    package var countOnly = false
    package var minModRevision: Int64 = 0
    package var maxModRevision: Int64 = 0
    package var minCreateRevision: Int64 = 0
    package var maxCreateRevision: Int64 = 0

    package init(_ range: KeyRange, limit: Int64 = 0, revision: Int64 = 0) {
        self.range = range
        self.limit = limit
        self.revision = revision
    }
}

package struct RangeResponse: Sendable, Hashable {
    /// The store's revision when the range was read.
    package var revision: Int64
    package var keyValues: [KeyValue]
    package var more: Bool
    /// Keys in the range, whatever the limit.
    package var count: Int64

    package init(revision: Int64, keyValues: [KeyValue], more: Bool, count: Int64) {
        self.revision = revision
        self.keyValues = keyValues
        self.more = more
        self.count = count
    }
}

/// etcd's `PutRequest`.
package struct PutRequest: Sendable, Hashable {
    package var key: Bytes
    package var value: Bytes
    package var lease: Int64
    package var wantsPrevious: Bool
    /// Keep the value and change only the lease.
    package var ignoresValue: Bool
    /// Keep the lease and change only the value.
    package var ignoresLease: Bool

    package init(
        key: Bytes, value: Bytes, lease: Int64 = 0, wantsPrevious: Bool = false,
        ignoresValue: Bool = false, ignoresLease: Bool = false
    ) {
        self.key = key
        self.value = value
        self.lease = lease
        self.wantsPrevious = wantsPrevious
        self.ignoresValue = ignoresValue
        self.ignoresLease = ignoresLease
    }
}

/// etcd's `DeleteRangeRequest`.
package struct DeleteRangeRequest: Sendable, Hashable {
    package var range: KeyRange
    package var wantsPrevious: Bool

    package init(_ range: KeyRange, wantsPrevious: Bool = false) {
        self.range = range
        self.wantsPrevious = wantsPrevious
    }
}

/// etcd's `Compare`: holds when every key of the range satisfies it; a key that does not exist
/// counts as version, revisions and lease 0, and never satisfies a comparison of values.
package struct Compare: Sendable, Hashable {
    package enum Relation: UInt8, Sendable, Hashable { case equal, greater, less, notEqual }
    package enum Target: Sendable, Hashable {
        case version(Int64)
        case createRevision(Int64)
        case modRevision(Int64)
        case value(Bytes)
        case lease(Int64)
    }

    package var range: KeyRange
    package var relation: Relation
    package var target: Target

    package init(_ range: KeyRange, _ relation: Relation, _ target: Target) {
        self.range = range
        self.relation = relation
        self.target = target
    }
}

package indirect enum Operation: Sendable, Hashable {
    case range(RangeRequest)
    case put(PutRequest)
    case deleteRange(DeleteRangeRequest)
    case transaction(TransactionRequest)
}

/// etcd's `TxnRequest`: all writes of it share one revision.
package struct TransactionRequest: Sendable, Hashable {
    package var compares: [Compare]
    package var success: [Operation]
    package var failure: [Operation]

    package init(compares: [Compare] = [], success: [Operation], failure: [Operation] = []) {
        self.compares = compares
        self.success = success
        self.failure = failure
    }
}

package struct PutResponse: Sendable, Hashable {
    package var previous: KeyValue?
    package init(previous: KeyValue?) { self.previous = previous }
}

package struct DeleteRangeResponse: Sendable, Hashable {
    package var deleted: Int64
    package var previous: [KeyValue]
    package init(deleted: Int64, previous: [KeyValue]) {
        self.deleted = deleted
        self.previous = previous
    }
}

package indirect enum OperationResponse: Sendable, Hashable {
    case range(RangeResponse)
    case put(PutResponse)
    case deleteRange(DeleteRangeResponse)
    case transaction(TransactionResponse)
}

package struct TransactionResponse: Sendable, Hashable {
    /// The store's revision after the transaction.
    package var revision: Int64
    package var succeeded: Bool
    package var responses: [OperationResponse]

    package init(revision: Int64, succeeded: Bool, responses: [OperationResponse]) {
        self.revision = revision
        self.succeeded = succeeded
        self.responses = responses
    }
}

/// A plugin's commit: all mutations or none, each on a revision of its own, visible together.
///
/// A read at any revision inside the commit sees the whole commit.
package struct CommitRequest: Sendable, Hashable {
    package enum Guard: Sendable, Hashable {
        /// The key's mod revision is still this; 0 means that the key does not exist.
        case modRevision(key: Bytes, equals: Int64)
        /// The key's create revision is still this: how a leader fences its writes.
        case createRevision(key: Bytes, equals: Int64)
        /// No key in the range was put or deleted after this revision.
        case unchanged(KeyRange, since: Int64)
    }

    package enum Mutation: Sendable, Hashable {
        case put(key: Bytes, value: Bytes, lease: Int64)
        case delete(key: Bytes)
    }

    package var guards: [Guard]
    package var mutations: [Mutation]

    package init(guards: [Guard] = [], mutations: [Mutation]) {
        self.guards = guards
        self.mutations = mutations
    }
}

package enum CommitResponse: Sendable, Hashable {
    /// Mutation i has revision `first + i` (deletes of absent keys take none and are dropped
    /// before numbering); `last` is the store's revision after the commit.
    case committed(first: Int64, last: Int64)
    /// The guard with this index did not hold; nothing was written.
    case guardFailed(index: Int, revision: Int64)
}

/// etcd's watch creation, without the stream bookkeeping.
package struct WatchRequest: Sendable, Hashable {
    package var range: KeyRange
    /// First revision to deliver; 0 for what comes after now.
    package var startRevision: Int64
    package var wantsPrevious: Bool
    package var excludesPuts: Bool
    package var excludesDeletes: Bool

    package init(
        _ range: KeyRange, startRevision: Int64 = 0, wantsPrevious: Bool = false,
        excludesPuts: Bool = false, excludesDeletes: Bool = false
    ) {
        self.range = range
        self.startRevision = startRevision
        self.wantsPrevious = wantsPrevious
        self.excludesPuts = excludesPuts
        self.excludesDeletes = excludesDeletes
    }
}

/// Events in revision order; the events of one revision, and of one commit, are never split.
package struct WatchBatch: Sendable, Hashable {
    package var events: [Event]
    /// Every event of the range up to here has been delivered.
    package var revision: Int64

    package init(events: [Event], revision: Int64) {
        self.events = events
        self.revision = revision
    }
}

package struct LeaseStatus: Sendable, Hashable {
    package var id: Int64
    package var grantedTTLSeconds: Int64
    package var remainingTTLSeconds: Int64
    package var keys: [Bytes]

    package init(
        id: Int64, grantedTTLSeconds: Int64, remainingTTLSeconds: Int64, keys: [Bytes] = []
    ) {
        self.id = id
        self.grantedTTLSeconds = grantedTTLSeconds
        self.remainingTTLSeconds = remainingTTLSeconds
        self.keys = keys
    }
}
