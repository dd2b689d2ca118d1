import Basics
import Glibc
import LMDB

/// A key with its state but for the value.
struct IndexedKey: Sendable {
    var key: Bytes
    var entry: IndexEntry
}

/// A key that a scan found: the name of a short one in the map, or the key. Must not outlive the
/// visit.
@unsafe enum FoundKey {
    case short(name: UnsafeRawBufferPointer)
    case held(Bytes)

    var count: Int {
        switch unsafe self {
        case .short(let name): unsafe KeyName.shortKeyCount(name)
        case .held(let key): key.count
        }
    }

    var bytes: Bytes {
        switch unsafe self {
        case .short(let name): unsafe KeyName.shortKey(name)
        case .held(let key): key
        }
    }

    func withBytes<Value>(
        _ body: (UnsafeRawBufferPointer) throws(KeyspaceError) -> Value
    ) throws(KeyspaceError) -> Value {
        if case .short(let name) = unsafe self, unsafe KeyName.isKey(name) {
            return unsafe try body(name)
        }
        return unsafe try withRaw(bytes, body)
    }
}

extension StateView {
    /// What a read at `revision` sees: a revision inside a commit reads as the commit's end.
    func roundedUp(_ revision: Int64) throws(KeyspaceError) -> Int64 {
        if revision >= state.revision { return revision }
        if revision <= stored.compactEnd { return stored.compactEnd }
        let first = RecordPosition(revision: revision, sub: 0)
        guard let record = try record(at: first, withValue: false) else { return revision }
        return record.commitEnd
    }

    /// Visits the keys that exist now, in order, until `visit` answers false.
    func scanCurrent(
        _ range: KeyRange, _ visit: (FoundKey, IndexEntry) throws(KeyspaceError) -> Bool
    ) throws(KeyspaceError) {
        if case .single = range.end {
            guard let entry = try current(range.start) else { return }
            _ = unsafe try visit(.held(range.start), entry)
            return
        }
        let bound = try ScanBound(range)
        let cursor = unsafe try cursor(tables.current)
        var next = unsafe try seek(range.start, cursor)
        while let found = unsafe next {
            if unsafe bound.isPassed(by: found.key) { return }
            if unsafe KeyName.isLong(found.key) {
                let bucket = unsafe Bytes(found.key.prefix(KeyName.bucketBytes))
                var keys: [IndexedKey] = []
                while let found = unsafe next, unsafe found.key.starts(with: bucket) {
                    let entry = unsafe try IndexEntry.decode(
                        found.value, under: found.key, in: .current)
                    keys.append(
                        IndexedKey(key: unsafe try key(ofName: found.key), entry: entry))
                    unsafe next = try cursor.next()
                }
                guard unsafe try visitLong(&keys, range, visit) else { return }
                continue
            }
            let entry = unsafe try IndexEntry.decode(found.value, under: found.key, in: .current)
            guard unsafe try visit(.short(name: found.key), entry) else { return }
            unsafe next = try cursor.next()
        }
    }

    /// The keys that exist now. Their entries are not read, and so not verified.
    func countCurrent(_ range: KeyRange) throws(KeyspaceError) -> Int64 {
        if case .single = range.end { return try current(range.start) == nil ? 0 : 1 }
        let bound = try ScanBound(range)
        let cursor = unsafe try cursor(tables.current)
        var count: Int64 = 0
        var next = unsafe try seek(range.start, cursor)
        while let found = unsafe next {
            if unsafe bound.isPassed(by: found.key) { break }
            if unsafe KeyName.isLong(found.key) {
                if range.contains(unsafe try key(ofName: found.key)) { count += 1 }
            } else {
                count += 1
            }
            unsafe next = try cursor.next()
        }
        return count
    }

    /// Long keys whose names stand together do so in the order of their hashes.
    private func visitLong(
        _ keys: inout [IndexedKey], _ range: KeyRange,
        _ visit: (FoundKey, IndexEntry) throws(KeyspaceError) -> Bool
    ) throws(KeyspaceError) -> Bool {
        keys.sort { isOrderedBefore($0.key, $1.key) }
        for item in keys where range.contains(item.key) {
            guard unsafe try visit(.held(item.key), item.entry) else { return false }
        }
        return true
    }

    private func seek(
        _ start: Bytes, _ cursor: borrowing TableCursor
    ) throws(KeyspaceError) -> Cursor.Entry? {
        try unsafe KeyName.withLowerBound(start) { raw throws(KeyspaceError) in
            // LMDB does not take an empty key.
            unsafe raw.isEmpty ? try cursor.first() : try cursor.seek(atLeast: raw)
        }
    }

    /// Visits the keys that existed at `revision`, in order, until `visit` answers false.
    func scanHistory(
        _ range: KeyRange, at revision: Int64,
        _ visit: (Bytes, IndexEntry) throws(KeyspaceError) -> Bool
    ) throws(KeyspaceError) {
        let cursor = unsafe try cursor(tables.history)
        func visitKey(_ key: Bytes) throws(KeyspaceError) -> Bool {
            let entry = unsafe try latest(key, upTo: revision, cursor)
            guard let entry, !entry.isDelete else { return true }
            return try visit(key, entry)
        }
        if case .single = range.end {
            _ = try visitKey(range.start)
            return
        }
        let bound = try ScanBound(range)
        var next = unsafe try name(of: seek(range.start, cursor))
        while let name = next {
            let isPassed = unsafe withRaw(name) { raw in unsafe bound.isPassed(by: raw) }
            if isPassed { return }
            var last = name
            if name.count > KeyName.shortBytesMax {
                let bucket = Bytes(name[..<KeyName.bucketBytes])
                var keys: [Bytes] = []
                while let name = next, name.hasPrefix(bucket) {
                    keys.append(
                        unsafe try withRaw(name) { raw throws(KeyspaceError) in
                            unsafe try key(ofName: raw)
                        })
                    last = name
                    next = unsafe try nextName(after: name, cursor)
                }
                for key in keys.sorted(by: isOrderedBefore) where range.contains(key) {
                    guard try visitKey(key) else { return }
                }
            } else {
                let key = unsafe withRaw(name) { raw in unsafe KeyName.shortKey(raw) }
                guard try visitKey(key) else { return }
            }
            next = unsafe try nextName(after: last, cursor)
        }
    }

    /// The newest change of a key that is not after `revision`.
    func latest(
        _ key: Bytes, upTo revision: Int64, _ cursor: borrowing TableCursor
    ) throws(KeyspaceError) -> IndexEntry? {
        let bound = RecordPosition(
            revision: revision == Int64.max ? revision : revision + 1, sub: 0)
        return try unsafe HistoryKey.with(key, bound) { raw throws(KeyspaceError) in
            guard let found = unsafe try cursor.seek(below: raw),
                unsafe Self.isSameKey(found.key, raw)
            else { return nil }
            return unsafe try IndexEntry.decode(found.value, under: found.key, in: .history)
        }
    }

    private func nextName(
        after name: Bytes, _ cursor: borrowing TableCursor
    ) throws(KeyspaceError) -> Bytes? {
        try unsafe HistoryKey.withEnd(ofName: name) { raw throws(KeyspaceError) in
            unsafe try self.name(of: cursor.seek(atLeast: raw))
        }
    }

    private func name(of entry: Cursor.Entry?) throws(KeyspaceError) -> Bytes? {
        guard let entry = unsafe entry else { return nil }
        guard let name = unsafe HistoryKey.name(of: entry.key) else {
            throw unsafe KeyspaceError(damaged: .history, entry.key, "not a key of history")
        }
        return unsafe Bytes(name)
    }

    private static func isSameKey(
        _ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer
    ) -> Bool {
        let prefix = left.count - HistoryKey.suffixBytes
        guard left.count == right.count, prefix >= 0 else { return false }
        return unsafe left[..<prefix].elementsEqual(right[..<prefix])
    }
}

/// Where a scan over names ends.
struct ScanBound {
    private var bound: Bytes?

    init(_ range: KeyRange) throws(KeyspaceError) {
        guard case .before(let end) = range.end else { return }
        bound = try unsafe KeyName.with(end) { name in
            // All keys that begin as a long bound does have to be looked at.
            guard unsafe KeyName.isLong(name) else { return unsafe Bytes(name) }
            return unsafe Bytes(name.prefix(KeyName.bucketBytes))
                + Bytes(repeating: 0xff, count: KeyName.bytesMax)
        }
    }

    func isPassed(by name: UnsafeRawBufferPointer) -> Bool {
        guard let bound else { return false }
        let common = min(name.count, bound.count)
        let isNotShorter = name.count >= bound.count
        return unsafe bound.withUnsafeBytes { bound in
            guard let name = name.baseAddress, let bound = bound.baseAddress else {
                return isNotShorter
            }
            let order = unsafe memcmp(name, bound, common)
            return order == 0 ? isNotShorter : order > 0
        }
    }
}
