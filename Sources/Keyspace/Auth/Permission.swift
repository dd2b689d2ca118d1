package import Basics

/// What a role may do with a range of keys; numbers are etcd's.
package struct Permission: Sendable, Hashable {
    package enum Kind: UInt8, Sendable, Hashable {
        case read = 0
        case write = 1
        case readWrite = 2
    }

    package var kind: Kind
    package var range: KeyRange

    package init(_ kind: Kind, _ range: KeyRange) {
        self.kind = kind
        self.range = range
    }

    var grantsRead: Bool { kind != .write }
    var grantsWrite: Bool { kind != .read }

    /// etcd takes no empty key, and no range that holds nothing.
    var isValid: Bool {
        guard !range.start.isEmpty else { return false }
        guard case .before(let end) = range.end else { return true }
        return isOrderedBefore(range.start, end)
    }

    /// As etcd sorts a role's permissions: by first key, then by the end as it is spelled.
    package func isBefore(_ other: Permission) -> Bool {
        if range.start != other.range.start {
            return isOrderedBefore(range.start, other.range.start)
        }
        return isOrderedBefore(range.end.spelled, other.range.end.spelled)
    }
}

extension KeyRange.End {
    /// From etcd's `range_end`.
    package init(spelled: Bytes) {
        self = spelled.isEmpty ? .single : spelled == [0] ? .unbounded : .before(spelled)
    }

    /// etcd's `range_end`.
    package var spelled: Bytes {
        switch self {
        case .single: []
        case .before(let end): end
        case .unbounded: [0]
        }
    }
}
