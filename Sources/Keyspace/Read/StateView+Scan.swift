import Basics
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
        if let record = try record(at: first, withValue: false) { return record.commitEnd }
        // A revision that no write has had.
        try unsafe withRaw(of: RecordKey(first)) { raw throws(KeyspaceError) in
            unsafe try checkNeighbours(of: raw, in: .records)
        }
        return revision
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
        var walk = try CurrentWalk(self, range)
        var next = unsafe try walk.first()
        while let found = unsafe next {
            if unsafe KeyName.isLong(found.key) {
                let bucket = unsafe Bytes(found.key.prefix(KeyName.bucketBytes))
                var keys: [IndexedKey] = []
                while let found = unsafe next, unsafe found.key.starts(with: bucket) {
                    let entry = unsafe try IndexEntry.decode(
                        found.value, under: found.key, in: .current)
                    keys.append(
                        IndexedKey(key: unsafe try key(ofName: found.key), entry: entry))
                    unsafe next = try walk.next()
                }
                guard unsafe try visitLong(&keys, range, visit) else { return }
                continue
            }
            let entry = unsafe try IndexEntry.decode(found.value, under: found.key, in: .current)
            guard unsafe try visit(.short(name: found.key), entry) else { return }
            unsafe next = try walk.next()
        }
    }

    /// The keys that exist now. Few of their entries are read, and so verified.
    func countCurrent(_ range: KeyRange) throws(KeyspaceError) -> Int64 {
        if case .single = range.end { return try current(range.start) == nil ? 0 : 1 }
        var walk = try CurrentWalk(self, range)
        var count: Int64 = 0
        var next = unsafe try walk.first()
        while let found = unsafe next {
            if unsafe KeyName.isLong(found.key) {
                if range.contains(unsafe try key(ofName: found.key)) { count += 1 }
            } else {
                count += 1
            }
            unsafe next = try walk.next()
        }
        return count
    }

    /// The keys behind those of a list, which nobody sees: names rise, and no more is asked.
    /// A list in pages counts all the rest with each page, for which history would be too dear.
    func countUnseen(_ range: KeyRange) throws(KeyspaceError) -> Int64 {
        let bound = try ScanBound(range)
        let low = try unsafe KeyName.withLowerBound(range.start) { raw in unsafe Bytes(raw) }
        let cursor = unsafe try cursor(tables.current)
        var count: Int64 = 0
        var next = unsafe try seek(low, cursor)
        while let found = unsafe next {
            if unsafe bound.isPassed(by: found.key) { break }
            if unsafe KeyName.isLong(found.key) {
                if range.contains(unsafe try key(ofName: found.key)) { count += 1 }
            } else {
                count += 1
            }
            unsafe next = try cursor.next(after: found.key)
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
        return unsafe bound.withUnsafeBytes { bound in unsafe !sortsBefore(name, bound) }
    }
}
