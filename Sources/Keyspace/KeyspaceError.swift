package import Basics
package import LMDB

/// Why a replica's keyspace could not do its work: not an answer to a client, but a condition of
/// the directory.
package struct KeyspaceError: Error, Sendable, CustomStringConvertible {
    package enum Code: Sendable, Hashable {
        /// Stored bytes fail their checksum or contradict each other.
        case corrupt
        /// Made by a newer Martlet, or not by Martlet.
        case foreignFormat
        /// The disk or the map is full.
        case noSpace
        /// A snapshot file is cut off, altered or not a snapshot.
        case badSnapshot
        /// The directory that should be empty is not.
        case notEmpty
        case inputOutput
        /// The keyspace was stopped.
        case closed
        /// What was written may be lost, and what is read back proves nothing.
        case syncFailed
    }

    /// Where damage is.
    package struct Place: Sendable, Hashable {
        package var table: String
        /// The table's key, not the store's.
        package var key: Bytes
    }

    package var code: Code
    package var message: String
    /// Of `corrupt`, when it is one entry that fails.
    package var place: Place?

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    static let closed = KeyspaceError(.closed, "the keyspace is closed")

    /// An entry that fails its checksum, or contradicts what points to it.
    init(damaged table: TableName, _ key: UnsafeRawBufferPointer, _ reason: String) {
        let place = unsafe Place(table: table.rawValue, key: Bytes(key))
        self.init(.corrupt, "table \(place.table), key \(place.key.readable): \(reason)")
        self.place = place
    }

    package init(_ error: LMDBError) {
        switch error.code {
        // Page not found, corrupted, panic, version mismatch, not an LMDB file, a tree deeper than
        // any, a page without the room that it had, a table that is none. LMDB 0.9 has had one
        // version of its file since it was released, so that another one is damage too.
        case -30797, -30796, -30795, -30794, -30793, -30787, -30786, -30784: code = .corrupt
        default: code = error.isMapFull || error.code == 28 ? .noSpace : .inputOutput
        }
        message = error.description
    }

    package var description: String { message }
}

/// Runs calls of LMDB, and makes their errors the keyspace's.
func lmdb<Value: ~Copyable>(
    _ body: () throws(LMDBError) -> Value
) throws(KeyspaceError) -> Value {
    do throws(LMDBError) { return try body() } catch { throw KeyspaceError(error) }
}
