import CLMDB

/// One LMDB file, mapped. A file may be opened once in a process.
///
/// Safe to share: LMDB serialises writers with its own mutex, and readers take no lock.
/// Transactions keep their environment alive.
@safe package final class Environment: @unchecked Sendable {
    package struct Options: Sendable {
        /// Address space to reserve, and so the largest file. Memory is not used for it.
        package var mapBytes = 1 << 40
        package var databasesMax: UInt32 = 16
        package var readersMax: UInt32 = 254
        package var isReadOnly = false
        /// Leave syncing to the operating system: commits survive a killed process, not a
        /// power cut.
        package var skipsSync = true

        package init() {}
    }

    package struct Usage: Sendable, Hashable {
        /// Pages that were ever used, in bytes: the size of the file.
        package var fileBytes: Int64
        /// Pages that hold data now, in bytes.
        package var bytesInUse: Int64
    }

    let handle: OpaquePointer
    package let path: String

    /// Opens `path`, a directory that exists, and clears the reader slots of dead processes.
    package init(path: String, options: Options = Options()) throws(LMDBError) {
        var created: OpaquePointer?
        try check(unsafe mdb_env_create(&created), "create environment")
        guard let environment = unsafe created else {
            throw LMDBError(code: MDB_PANIC, operation: "create environment")
        }
        do throws(LMDBError) {
            unsafe try Self.open(environment, path: path, options: options)
        } catch {
            unsafe mdb_env_close(environment)
            throw error
        }
        unsafe handle = environment
        self.path = path
    }

    private static func open(
        _ environment: OpaquePointer, path: String, options: Options
    ) throws(LMDBError) {
        try check(
            unsafe mdb_env_set_mapsize(environment, options.mapBytes), "reserve address space")
        try check(
            unsafe mdb_env_set_maxdbs(environment, options.databasesMax), "set database count")
        try check(
            unsafe mdb_env_set_maxreaders(environment, options.readersMax), "set reader count")
        var flags = UInt32(MDB_NOTLS | MDB_NORDAHEAD)
        if options.skipsSync { flags |= UInt32(MDB_NOSYNC) }
        if options.isReadOnly { flags |= UInt32(MDB_RDONLY) }
        try check(unsafe mdb_env_open(environment, path, flags, 0o600), "open \(path)")
        var dead: Int32 = 0
        try check(unsafe mdb_reader_check(environment, &dead), "check readers of \(path)")
    }

    deinit {
        unsafe mdb_env_close(handle)
    }

    /// Forces what is committed to disk. A failure is fatal for the file: what the kernel reads
    /// back afterwards is not to be trusted.
    package func sync() throws(LMDBError) {
        try check(unsafe mdb_env_sync(handle, 1), "sync \(path)")
    }

    /// Writes a compacted copy of the newest state to `path`, a directory that exists.
    package func copy(to path: String) throws(LMDBError) {
        try check(unsafe mdb_env_copy2(handle, path, UInt32(MDB_CP_COMPACT)), "copy to \(path)")
    }

    package func beginRead() throws(LMDBError) -> ReadTransaction {
        var transaction: OpaquePointer?
        try check(
            unsafe mdb_txn_begin(handle, nil, UInt32(MDB_RDONLY), &transaction),
            "begin read of \(path)")
        guard let transaction = unsafe transaction else {
            throw LMDBError(code: MDB_PANIC, operation: "begin read")
        }
        return unsafe ReadTransaction(handle: transaction, self)
    }

    /// Waits for other writers. The transaction belongs to the calling thread.
    package func beginWrite() throws(LMDBError) -> WriteTransaction {
        var transaction: OpaquePointer?
        try check(
            unsafe mdb_txn_begin(handle, nil, 0, &transaction), "begin write to \(path)")
        guard let transaction = unsafe transaction else {
            throw LMDBError(code: MDB_PANIC, operation: "begin write")
        }
        return unsafe WriteTransaction(handle: transaction, self)
    }

    /// Size of the file, and of the pages that `databases` use.
    package func usage(of databases: [Database]) throws(LMDBError) -> Usage {
        var info = unsafe MDB_envinfo()
        try check(unsafe mdb_env_info(handle, &info), "environment info")
        var statistics = MDB_stat()
        try check(unsafe mdb_env_stat(handle, &statistics), "environment statistics")
        let pageBytes = Int64(statistics.ms_psize)
        var pages = statistics.pages + 2
        let read = try beginRead()
        for database in databases {
            pages += unsafe try read.view.statistics(of: database).pages
        }
        return Usage(
            fileBytes: unsafe (Int64(info.me_last_pgno) + 1) * pageBytes,
            bytesInUse: pages * pageBytes)
    }
}

extension MDB_stat {
    var pages: Int64 { Int64(ms_branch_pages + ms_leaf_pages + ms_overflow_pages) }
}
