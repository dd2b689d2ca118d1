import Basics
package import Keyspace

/// A hash of an answer, to compare answers of several state machines.
package enum ResultDigest {
    package static func of(_ result: CommandResult) -> UInt64 {
        var hash = TraceHash()
        switch result {
        case .transaction(.success(let response)):
            hash.add(1)
            add(response, to: &hash)
        case .commit(.success(.committed(let first, let last))):
            hash.add(2)
            hash.add(UInt64(bitPattern: first))
            hash.add(UInt64(bitPattern: last))
        case .commit(.success(.guardFailed(let index, let revision))):
            hash.add(3)
            hash.add(UInt64(index))
            hash.add(UInt64(bitPattern: revision))
        case .revision(.success(let revision)), .auth(.success(let revision)):
            hash.add(4)
            hash.add(UInt64(bitPattern: revision))
        case .lease(.success(let status)):
            hash.add(5)
            hash.add(UInt64(bitPattern: status.id))
        case .none, .hash:
            // The model has no hash; the replicas compare it among themselves.
            hash.add(6)
        case .transaction(.failure(let error)), .commit(.failure(let error)),
            .revision(.failure(let error)), .lease(.failure(let error)),
            .auth(.failure(let error)):
            hash.add(7)
            hash.add(Array(error.message.utf8))
        }
        return hash.value
    }

    private static func add(_ response: TransactionResponse, to hash: inout TraceHash) {
        hash.add(UInt64(bitPattern: response.revision))
        hash.add(response.succeeded ? 1 : 0)
        for part in response.responses {
            switch part {
            case .range(let range):
                hash.add(UInt64(bitPattern: range.count))
                for item in range.keyValues { add(item, to: &hash) }
            case .put(let put):
                hash.add(put.previous == nil ? 0 : 1)
                if let previous = put.previous { add(previous, to: &hash) }
            case .deleteRange(let deletion):
                hash.add(UInt64(bitPattern: deletion.deleted))
                for item in deletion.previous { add(item, to: &hash) }
            case .transaction(let inner):
                add(inner, to: &hash)
            }
        }
    }

    static func add(_ item: KeyValue, to hash: inout TraceHash) {
        hash.add(item.key)
        hash.add(item.value)
        for number in [item.createRevision, item.modRevision, item.version, item.lease] {
            hash.add(UInt64(bitPattern: number))
        }
    }

    package static func of(_ response: RangeResponse) -> UInt64 {
        var hash = TraceHash()
        hash.add(UInt64(bitPattern: response.revision))
        hash.add(UInt64(bitPattern: response.count))
        for item in response.keyValues { add(item, to: &hash) }
        return hash.value
    }

    package static func of(_ error: StoreError) -> UInt64 {
        var hash = TraceHash()
        hash.add(8)
        hash.add(Array(error.message.utf8))
        return hash.value
    }

    /// Of one key and what it holds.
    static func of(_ item: KeyValue) -> UInt64 {
        var hash = TraceHash()
        add(item, to: &hash)
        return hash.value
    }

    /// Of the whole state of a replica.
    static func ofState(
        _ items: [KeyValue], revision: Int64, _ compactRevision: Int64, _ leases: [Int64]
    ) -> UInt64 {
        ofState(
            items.reduce(0) { $0 &+ of($1) }, revision: revision, compactRevision, leases)
    }

    /// Keys are part of what is hashed and differ from each other, so that the sum says as much
    /// as their sequence would.
    static func ofState(
        _ itemsHash: UInt64, revision: Int64, _ compactRevision: Int64, _ leases: [Int64]
    ) -> UInt64 {
        var hash = TraceHash()
        hash.add(UInt64(bitPattern: revision))
        hash.add(UInt64(bitPattern: compactRevision))
        hash.add(itemsHash)
        for lease in leases { hash.add(UInt64(bitPattern: lease)) }
        return hash.value
    }
}
