import Basics

/// How many keys lists in pages have still before them.
///
/// With each page comes the count of all keys from its first one on, as etcd has it, for which the
/// rest of the range has to be walked over. What stands at a revision does not change: the page
/// before says how many there are.
package final class PageCounts: Sendable {
    private struct Known {
        var range: KeyRange
        var revision: Int64
        var count: Int64
    }

    private struct Ring {
        var known: [Known] = []
        /// The oldest, once it is full.
        var next = 0
    }

    /// Lists under way; one that was pushed out counts once more.
    package static let listsMax = 64

    private let ring = Locked(Ring())

    package init() {}

    /// How many keys a range has at a revision, if the page before it was read lately.
    package func count(of range: KeyRange, at revision: Int64) -> Int64? {
        ring.withLock { ring in
            ring.known.first { $0.revision == revision && $0.range == range }?.count
        }
    }

    /// A page ended before `range`, which has so many keys.
    package func note(_ count: Int64, of range: KeyRange, at revision: Int64) {
        let new = Known(range: range, revision: revision, count: count)
        ring.withLock { ring in
            if ring.known.contains(where: { $0.revision == revision && $0.range == range }) {
                return
            }
            if ring.known.count < Self.listsMax {
                ring.known.append(new)
            } else {
                ring.known[ring.next] = new
                ring.next = (ring.next + 1) % Self.listsMax
            }
        }
    }
}

extension PageCounts {
    func count(of request: RangeRequest, at revision: Int64) -> Int64? {
        request.isPage ? count(of: request.range, at: revision) : nil
    }

    func note(_ selection: RangeSelection, at revision: Int64) {
        let request = selection.request
        guard request.isPage, selection.more, let last = selection.found.last else { return }
        note(
            selection.count - Int64(selection.found.count),
            of: KeyRange(start: last.key + [0], end: request.range.end), at: revision)
    }
}
