package import Basics
package import Keyspace

extension KeyRange {
    /// From etcd's `key` and `range_end`: none is one key, `"\0"` is everything from `key` on.
    /// Without a key it is no range, whatever its end, and does not validate.
    package init(etcdKey key: Bytes, rangeEnd: Bytes) {
        let end = key.isEmpty ? .single : End(spelled: rangeEnd)
        // etcd has no empty key; in a range "\0" stands for the least one.
        self.init(start: end != .single && key == [0] ? [] : key, end: end)
    }

    var etcdKey: Bytes { start.isEmpty && end != .single ? [0] : start }

    var etcdRangeEnd: Bytes { end.spelled }
}
