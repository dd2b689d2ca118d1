import Basics
import LMDB

extension Keyspace {
    /// Reserves as much address space as it gets.
    static func openEnvironment(
        _ directory: String, _ options: Options, isReadOnly: Bool = false
    ) throws(LMDBError) -> Environment {
        var settings = Environment.Options()
        settings.mapBytes = options.mapBytes
        settings.isReadOnly = isReadOnly
        let outOfMemory: Int32 = 12
        while true {
            do throws(LMDBError) {
                return try Environment(path: directory, options: settings)
            } catch {
                guard error.code == outOfMemory, settings.mapBytes > 1 << 30 else { throw error }
                settings.mapBytes /= 4
            }
        }
    }

    /// Reads the state record, or writes the first one into a new file.
    static func load(
        _ transaction: borrowing WriteTransaction, _ tables: Tables
    ) throws(KeyspaceError) -> StoredState {
        let view = unsafe transaction.view
        let name = Bytes(StoredState.name.utf8)
        let applier = unsafe Applier(
            transaction.changes, tables, StoredState(), loadsPrevious: false)
        if let bytes = try applier.view.get(name, in: tables.meta) {
            return try StoredState(decoding: bytes)
        }
        for table in tables.all {
            do throws(LMDBError) {
                guard unsafe try view.statistics(of: table).entries == 0 else {
                    throw LMDBError(code: 0, operation: "")
                }
            } catch {
                if error.code != 0 { throw KeyspaceError(error) }
                throw KeyspaceError(.corrupt, "keyspace without its state record")
            }
        }
        try applier.storeState()
        return applier.stored
    }
}
