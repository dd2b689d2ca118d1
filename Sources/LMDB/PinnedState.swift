import Basics
import CLMDB
import Glibc

/// A committed state of a file whose pages stay as they are while this object lives.
///
/// It is a read transaction: LMDB reuses the pages that transaction K freed only when all readers
/// see K or later (`mdb_page_alloc`, `mdb_find_oldest` of 0.9.24), and it never writes to a page in
/// place that an earlier transaction wrote.
package final class PinnedState: @unchecked Sendable {
    // Sendable because nothing is read through the transaction, and with MDB_NOTLS it may end on
    // any thread.
    private let transaction: ReadTransaction
    /// With it the state can be made the newest one again.
    package let meta: MetaPage
    /// Length of the file: all pages of the state lie within.
    package let fileBytes: UInt64

    fileprivate init(_ transaction: consuming ReadTransaction, _ meta: MetaPage, _ bytes: UInt64) {
        self.transaction = transaction
        self.meta = meta
        fileBytes = bytes
    }
}

extension Environment {
    /// Pins the newest committed state. For the thread that writes, between its transactions.
    package func pinNewest() throws(LMDBError) -> PinnedState {
        let transaction = try beginRead()
        let number = UInt64(unsafe mdb_txn_id(transaction.view.handle))
        var statistics = MDB_stat()
        try check(unsafe mdb_env_stat(handle, &statistics), "environment statistics")
        var file: Int32 = -1
        try check(unsafe mdb_env_get_fd(handle, &file), "environment file")
        // Without MDB_WRITEMAP the page is written with pwrite, and read back from the same cache.
        let offset = off_t(number & 1) * off_t(statistics.ms_psize)
        var count = 0
        let content = unsafe Bytes(unsafeUninitializedCapacity: MetaPage.bytes) { room, filled in
            unsafe count = pread(file, room.baseAddress, MetaPage.bytes, offset)
            filled = max(0, count)
        }
        var status = stat()
        guard let meta = MetaPage(content), meta.transaction == number,
            unsafe fstat(file, &status) == 0
        else { throw LMDBError(code: MDB_PANIC, operation: "pin transaction \(number)") }
        return PinnedState(transaction, meta, UInt64(status.st_size))
    }
}
