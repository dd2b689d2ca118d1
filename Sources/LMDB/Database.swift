import CLMDB

/// A named B-tree of an environment; keys sort as `memcmp` has it. Valid for the life of the
/// environment once the transaction that opened it has committed.
package struct Database: Sendable, Hashable {
    let identifier: MDB_dbi
}

/// Entries and size of one database.
package struct DatabaseStatistics: Sendable, Hashable {
    package var entries: Int
    package var depth: Int
    package var pages: Int64
}
