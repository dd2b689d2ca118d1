import Basics
import LMDB

/// Checks LMDB's list of free pages: a page that is on it twice, or that is none, would be given
/// to two owners. The list has no checksum.
enum FreeListCheck {
    /// Answers the number of free pages.
    static func run(_ view: StateView) throws(KeyspaceError) -> Int {
        let pages = try lmdb { () throws(LMDBError) in unsafe try view.transaction.freeList() }
        var seen = [UInt64](repeating: 0, count: Int(pages.bound / 64) + 1)
        for page in pages.numbers {
            // The first two are the meta pages.
            guard page >= 2, page < pages.bound else {
                throw KeyspaceError(.corrupt, "free list: there is no page \(page)")
            }
            let word = Int(page / 64)
            guard seen[word] & 1 << (page % 64) == 0 else {
                throw KeyspaceError(.corrupt, "free list: page \(page) stands there twice")
            }
            seen[word] |= 1 << (page % 64)
        }
        return pages.numbers.count
    }
}
