import CLMDB

/// Pages that no table uses, as one transaction sees them.
package struct FreeList: Sendable {
    /// In the order of the list; unchecked.
    package var numbers: [UInt64]
    /// Pages of the file have lower numbers.
    package var bound: UInt64
}

extension TransactionView {
    /// Reads the table of free pages, which LMDB keeps under the number 0: for each transaction
    /// that freed pages a count and so many page numbers. Read transactions only.
    package func freeList() throws(LMDBError) -> FreeList {
        let cursor = unsafe try cursor(Database(identifier: 0))
        var info = unsafe MDB_envinfo()
        try check(
            unsafe mdb_env_info(mdb_txn_env(handle), &info), "environment info")
        var list = FreeList(numbers: [], bound: UInt64(unsafe info.me_last_pgno) + 1)
        var next = unsafe try cursor.first()
        let word = MemoryLayout<UInt>.size
        while let found = unsafe next {
            let value = unsafe found.value
            guard unsafe found.key.count == word, value.count >= word,
                unsafe value.loadUnaligned(as: UInt.self) == UInt(value.count / word - 1)
            else { throw LMDBError(code: MDB_CORRUPTED, operation: "read the free list") }
            for offset in stride(from: word, to: value.count, by: word) {
                list.numbers.append(
                    UInt64(unsafe value.loadUnaligned(fromByteOffset: offset, as: UInt.self)))
            }
            unsafe next = try cursor.next()
        }
        return list
    }
}
