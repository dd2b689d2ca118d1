import Basics
import LMDB

// Compaction at C keeps of every key the newest change up to C, unless that is a deletion before
// C, and everything from C on: what a read at C or later needs, and what a watch from C on
// delivers. Readers go by the compact revision at once; the records are removed afterwards, some
// with each batch, by walking the changes since the last compaction once: each of them makes the
// change before it, of the same key, superfluous.

extension Applier {
    mutating func compact(to target: Int64) throws(KeyspaceError) -> Result<Int64, StoreError> {
        let old = stored.state.compactRevision
        if target <= old { return .failure(.compacted(at: old)) }
        if target > revision { return .failure(.futureRevision) }
        stored.compactEnd = try view.roundedUp(target)
        stored.state.compactRevision = target
        // A deletion at the old compact revision was kept, and may go now.
        let again = RecordPosition(revision: old, sub: 0)
        if again < stored.compactScan { stored.compactScan = again }
        return .success(revision)
    }

    private struct Doomed {
        var key: Bytes
        var position: RecordPosition
    }

    /// Looks at `count` records at most.
    mutating func removeCompacted(records count: Int) throws(KeyspaceError) {
        guard stored.isCompacting, count > 0 else { return }
        for item in try findCompacted(count) {
            try erase(item.key, at: item.position)
            if Mutant.isOn(.hashFollowsCompaction) { stored.contentHash &-= 1 }
        }
    }

    /// Moves the scan on, and answers what it found to be superfluous.
    private mutating func findCompacted(_ count: Int) throws(KeyspaceError) -> [Doomed] {
        let target = stored.state.compactRevision
        var doomed: [Doomed] = []
        let view = view
        let cursor = unsafe try view.cursor(tables.records)
        let start = RecordKey(stored.compactScan)
        var next = unsafe try withRaw(of: start) { raw throws(KeyspaceError) in
            unsafe try cursor.seek(atLeast: raw)
        }
        var seen = 0
        while let found = unsafe next {
            guard let recordKey = unsafe RecordKey(found.key) else {
                throw unsafe KeyspaceError(damaged: .records, found.key, "not a record's key")
            }
            let position = recordKey.position
            if position.revision > target { break }
            if recordKey.chunk == 0 {
                if seen == count {
                    stored.compactScan = position
                    return doomed
                }
                seen += 1
                let record = unsafe try view.decode(found.value, recordKey, withValue: false)
                let previous = record.header.previous
                // Only an etcd transaction that puts and deletes a key in two nested
                // transactions changes it twice on one revision.
                if previous != .none, previous.revision < target {
                    doomed.append(Doomed(key: record.key, position: previous))
                }
                let isPast =
                    position.revision < target || Mutant.isOn(.compactionDropsDeletion)
                if record.header.isDelete, isPast {
                    doomed.append(Doomed(key: record.key, position: position))
                }
            }
            unsafe next = try cursor.next(after: found.key)
        }
        stored.compactScan = RecordPosition(revision: target, sub: 0)
        stored.compactDone = target
        return doomed
    }
}
