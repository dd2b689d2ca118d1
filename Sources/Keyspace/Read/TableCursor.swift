import Basics
import Glibc
import LMDB

/// A cursor whose errors are the keyspace's, and whose searches end where they have to: LMDB
/// believes the keys of a tree's inner pages, and a damaged one leads it astray.
@unsafe struct TableCursor: ~Copyable {
    private let cursor: Cursor

    init(cursor: consuming Cursor) {
        unsafe self.cursor = cursor
    }

    func first() throws(KeyspaceError) -> Cursor.Entry? {
        do { return unsafe try cursor.first() } catch { throw KeyspaceError(error) }
    }

    func last() throws(KeyspaceError) -> Cursor.Entry? {
        do { return unsafe try cursor.last() } catch { throw KeyspaceError(error) }
    }

    func next() throws(KeyspaceError) -> Cursor.Entry? {
        do { return unsafe try cursor.next() } catch { throw KeyspaceError(error) }
    }

    /// The next entry, which has to be above `key`, where the cursor stands.
    func next(after key: UnsafeRawBufferPointer) throws(KeyspaceError) -> Cursor.Entry? {
        let found = unsafe try next()
        if let found = unsafe found, unsafe !sortsBefore(key, found.key) {
            throw unsafe KeyspaceError(astrayAt: key)
        }
        return unsafe found
    }

    func find(_ key: UnsafeRawBufferPointer) throws(KeyspaceError) -> UnsafeRawBufferPointer? {
        do { return unsafe try cursor.find(key)?.value } catch { throw KeyspaceError(error) }
    }

    func seek(atLeast key: UnsafeRawBufferPointer) throws(KeyspaceError) -> Cursor.Entry? {
        let found: Cursor.Entry?
        do throws(LMDBError) { unsafe found = try cursor.seek(atLeast: key) } catch {
            throw KeyspaceError(error)
        }
        if let found = unsafe found, unsafe sortsBefore(found.key, key) {
            throw unsafe KeyspaceError(astrayAt: key)
        }
        return unsafe found
    }

    /// The last entry below `key`, where the cursor stands afterwards, and the first that is not.
    func neighbours(
        of key: UnsafeRawBufferPointer
    ) throws(KeyspaceError) -> (below: Cursor.Entry?, above: Cursor.Entry?) {
        let above = unsafe try seek(atLeast: key)
        let below: Cursor.Entry?
        do throws(LMDBError) {
            if unsafe above == nil {
                unsafe below = try cursor.last()
            } else {
                unsafe below = try cursor.previous()
            }
        } catch {
            throw KeyspaceError(error)
        }
        if let below = unsafe below, unsafe !sortsBefore(below.key, key) {
            throw unsafe KeyspaceError(astrayAt: key)
        }
        return unsafe (below, above)
    }
}

/// Whether a key sorts before another one as LMDB has it.
func sortsBefore(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Bool {
    let isShorter = left.count < right.count
    guard let leftBytes = left.baseAddress, let rightBytes = right.baseAddress else {
        return isShorter
    }
    let order = unsafe memcmp(leftBytes, rightBytes, min(left.count, right.count))
    return order == 0 ? isShorter : order < 0
}

extension KeyspaceError {
    /// A search for a key of a table, or a step from it, ended where it cannot.
    fileprivate init(astrayAt key: UnsafeRawBufferPointer) {
        let key = unsafe Bytes(key)
        self.init(.corrupt, "table key \(key.readable): a damaged page leads astray from it")
    }
}
