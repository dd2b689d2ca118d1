package import Basics

/// One key as it stands at a revision, with etcd's bookkeeping.
package struct KeyValue: Sendable, Hashable {
    package var key: Bytes
    package var value: Bytes
    /// Revision of the put that made the key.
    package var createRevision: Int64
    /// Revision of the latest put.
    package var modRevision: Int64
    /// Puts since the key was made, that one included.
    package var version: Int64
    /// The lease the key hangs on; 0 for none.
    package var lease: Int64

    package init(
        key: Bytes, value: Bytes, createRevision: Int64, modRevision: Int64, version: Int64,
        lease: Int64 = 0
    ) {
        self.key = key
        self.value = value
        self.createRevision = createRevision
        self.modRevision = modRevision
        self.version = version
        self.lease = lease
    }
}

/// One change of one key, as watchers see it.
package struct Event: Sendable, Hashable {
    package enum Kind: UInt8, Sendable, Hashable {
        case put = 0
        case delete = 1
    }

    package var kind: Kind
    /// After a put the new state; after a delete only `key` and `modRevision` are set.
    package var keyValue: KeyValue
    /// The state before, when it was asked for, existed and is not compacted.
    package var previous: KeyValue?

    package init(kind: Kind, keyValue: KeyValue, previous: KeyValue? = nil) {
        self.kind = kind
        self.keyValue = keyValue
        self.previous = previous
    }
}
