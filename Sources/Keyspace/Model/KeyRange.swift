package import Basics

/// A single key, a half-open range of keys, or everything from a key on.
///
/// etcd spells these with `key` and `range_end`: no end, an end, and the end `"\0"`.
package struct KeyRange: Sendable, Hashable {
    package enum End: Sendable, Hashable {
        case single
        case before(Bytes)
        case unbounded
    }

    package var start: Bytes
    package var end: End

    package init(start: Bytes, end: End) {
        self.start = start
        self.end = end
    }

    package static func key(_ key: Bytes) -> KeyRange {
        KeyRange(start: key, end: .single)
    }

    /// Every key that begins with `prefix`; the empty prefix is every key.
    package static func prefix(_ prefix: Bytes) -> KeyRange {
        KeyRange(start: prefix, end: successor(ofPrefix: prefix).map(End.before) ?? .unbounded)
    }

    package static let all = KeyRange(start: [], end: .unbounded)

    /// No key can be in it.
    package var isEmpty: Bool {
        if case .before(let bound) = end { !isOrderedBefore(start, bound) } else { false }
    }

    /// Of the keys that it is made of.
    package var bytes: Int {
        if case .before(let bound) = end { start.count + bound.count } else { start.count }
    }

    package func contains(_ key: Bytes) -> Bool {
        switch end {
        case .single: key == start
        case .before(let bound): !isOrderedBefore(key, start) && isOrderedBefore(key, bound)
        case .unbounded: !isOrderedBefore(key, start)
        }
    }

    /// The least key above every key with this prefix; nil when there is none.
    private static func successor(ofPrefix prefix: Bytes) -> Bytes? {
        var bound = prefix
        while let last = bound.last {
            if last < 0xff {
                bound[bound.count - 1] = last + 1
                return bound
            }
            bound.removeLast()
        }
        return nil
    }
}
