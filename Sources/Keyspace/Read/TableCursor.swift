import LMDB

/// A cursor whose errors are the keyspace's.
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

    func find(_ key: UnsafeRawBufferPointer) throws(KeyspaceError) -> UnsafeRawBufferPointer? {
        do { return unsafe try cursor.find(key)?.value } catch { throw KeyspaceError(error) }
    }

    func seek(atLeast key: UnsafeRawBufferPointer) throws(KeyspaceError) -> Cursor.Entry? {
        do { return unsafe try cursor.seek(atLeast: key) } catch { throw KeyspaceError(error) }
    }

    func seek(below key: UnsafeRawBufferPointer) throws(KeyspaceError) -> Cursor.Entry? {
        do { return unsafe try cursor.seek(below: key) } catch { throw KeyspaceError(error) }
    }
}
