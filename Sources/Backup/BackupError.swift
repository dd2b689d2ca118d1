package import Keyspace
package import WriteAheadLog

/// Why a restore, a recovery or an archive cannot go on: one line that names the file.
package struct BackupError: Error, Sendable, CustomStringConvertible {
    package var message: String

    package init(_ message: String) {
        self.message = message
    }

    package init(_ error: KeyspaceError) {
        message = error.message
    }

    package init(_ error: LogError) {
        message = error.description
    }

    package var description: String { message }
}

/// Runs calls of the keyspace, and makes their errors the backup's.
func keyspace<Value>(
    _ body: () throws(KeyspaceError) -> Value
) throws(BackupError) -> Value {
    do throws(KeyspaceError) { return try body() } catch { throw BackupError(error) }
}
