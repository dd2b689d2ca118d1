import CLMDB

/// An error code of LMDB or of the operating system, with what was being done.
package struct LMDBError: Error, Equatable, CustomStringConvertible {
    /// LMDB's code (negative) or an `errno` value.
    package var code: Int32
    package var operation: String

    package init(code: Int32, operation: String) {
        self.code = code
        self.operation = operation
    }

    package var message: String { unsafe String(cString: mdb_strerror(code)) }
    package var description: String { "LMDB \(operation): \(message) (\(code))" }

    /// The map is as large as it may get.
    package var isMapFull: Bool { code == MDB_MAP_FULL }
}

/// Throws for every result but success.
func check(_ result: Int32, _ operation: @autoclosure () -> String) throws(LMDBError) {
    if result != MDB_SUCCESS { throw LMDBError(code: result, operation: operation()) }
}
