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
        /// What was written may be lost, and what is read back proves nothing.
        case syncFailed
    }

    package var code: Code
    package var message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    package init(_ error: LMDBError) {
        switch error.code {
        case -30797, -30796, -30793: code = .corrupt
        case -30794: code = .foreignFormat
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
