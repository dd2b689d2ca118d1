import Basics
import LMDB

/// Names of the databases of a keyspace file.
package enum TableName: String, Sendable, CaseIterable {
    case records, current, history, leases, leaseKeys, longKeys, meta
}

/// The databases of a keyspace file; docs/formats/keyspace.md.
struct Tables: Sendable {
    /// `RecordKey` to record chunk.
    let records: Database
    /// `KeyName` to `IndexEntry`, of the keys that exist.
    let current: Database
    /// `HistoryKey` to `IndexEntry`, of every change that is retained.
    let history: Database
    /// Lease id, big-endian, to `LeaseEntry`.
    let leases: Database
    /// Lease id and `KeyName` to a checksum.
    let leaseKeys: Database
    /// `KeyName` and number to `LongKeyChunk`, of long keys that history has.
    let longKeys: Database
    /// Name to blob.
    let meta: Database

    static let names = TableName.allCases.map(\.rawValue)

    /// In the order of `TableName`.
    var all: [Database] { [records, current, history, leases, leaseKeys, longKeys, meta] }

    func database(_ name: TableName) -> Database {
        switch name {
        case .records: records
        case .current: current
        case .history: history
        case .leases: leases
        case .leaseKeys: leaseKeys
        case .longKeys: longKeys
        case .meta: meta
        }
    }

    /// Makes the tables that are missing.
    init(creatingIn transaction: borrowing WriteTransaction) throws(LMDBError) {
        records = try transaction.create(Self.names[0])
        current = try transaction.create(Self.names[1])
        history = try transaction.create(Self.names[2])
        leases = try transaction.create(Self.names[3])
        leaseKeys = try transaction.create(Self.names[4])
        longKeys = try transaction.create(Self.names[5])
        meta = try transaction.create(Self.names[6])
    }

    /// Nil when a table is missing: not a keyspace, or one that was never finished.
    init?(in view: TransactionView) throws(LMDBError) {
        var opened: [Database] = []
        for name in Self.names {
            guard let database = unsafe try view.open(name) else { return nil }
            opened.append(database)
        }
        records = opened[0]
        current = opened[1]
        history = opened[2]
        leases = opened[3]
        leaseKeys = opened[4]
        longKeys = opened[5]
        meta = opened[6]
    }
}
