import Basics
import LMDB

extension Keyspace {
    /// As `checkFile`, for a file that another process may be writing: what looks like damage in
    /// the middle of a commit does not come again.
    static func checkFileInUse(in directory: String) throws(KeyspaceError) {
        for _ in 1..<5 {
            do throws(KeyspaceError) { return try checkFile(in: directory) } catch {}
        }
        try checkFile(in: directory)
    }

    /// Before LMDB believes a file: throws when it is damaged, or none of ours.
    static func checkFile(in directory: String) throws(KeyspaceError) {
        let path = directory + "/" + fileName
        // LMDB begins anew in a file without a byte, which it may have made just before a kill.
        guard Files.exists(path) else { return }
        let file = try lmdb { () throws(LMDBError) in try PageFile(path) }
        guard file.fileBytes > 0 else { return }
        if let damage = file.damageAtOpening() {
            throw KeyspaceError(.corrupt, "\(path) at byte \(damage.offset): \(damage.reason)")
        }
        guard let newest = file.metas().metas.first, newest.main.entries > 0 else { return }
        let names = file.tables(newest, { _ in }).map(\.name)
        if !names.contains(where: { TableName(rawValue: $0) != nil }) {
            throw KeyspaceError(
                .foreignFormat,
                "\(path) is not a keyspace of Martlet, but something else's LMDB file")
        }
    }

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
    ///
    /// - Parameter isWhole: whether none of the tables had to be made.
    static func load(
        _ transaction: borrowing WriteTransaction, _ tables: Tables, isWhole: Bool
    ) throws(KeyspaceError) -> StoredState {
        let view = unsafe transaction.view
        let name = Bytes(StoredState.name.utf8)
        let applier = unsafe Applier(
            transaction.changes, tables, StoredState(), loadsPrevious: false)
        if let bytes = try applier.view.get(name, in: tables.meta) {
            let stored = try StoredState(decoding: bytes)
            // All of them were made before the state: a damaged name hides one.
            guard isWhole else { throw KeyspaceError(.corrupt, "keyspace without all its tables") }
            return stored
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

    static func loadAuth(
        _ transaction: borrowing WriteTransaction, _ tables: Tables
    ) throws(KeyspaceError) -> AuthSnapshot {
        let applier = unsafe Applier(
            transaction.changes, tables, StoredState(), loadsPrevious: false)
        guard let blob = try applier.view.blob(authName) else { return .initial }
        do throws(DecodingFailure) {
            return AuthSnapshot(try AuthState(decoding: blob))
        } catch {
            throw KeyspaceError(.corrupt, "table meta, key auth: \(error)")
        }
    }
}
