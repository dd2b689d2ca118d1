import Basics
import Keyspace
import Objects

/// An object as the store has it: bytes that can be copied to the client, decoded only on demand.
struct StoredItem: Sendable {
    let kind: ResourceKind
    let stored: StoredValue
    let revision: Int64

    init(kind: ResourceKind, keyValue: KeyValue) throws(APIError) {
        try self.init(
            kind: kind, key: keyValue.key, value: keyValue.value, revision: keyValue.modRevision)
    }

    init(kind: ResourceKind, key: Bytes, value: Bytes, revision: Int64) throws(APIError) {
        self.kind = kind
        self.revision = revision
        do {
            stored = try StoredValue(value)
        } catch {
            throw .internalError("key \(key.readable): \(error)")
        }
    }

    /// The object as clients get it; what is not stored (a dry run) has no resource version.
    func appendWire(to out: inout Bytes) {
        if revision > 0 {
            stored.appendWire(to: &out, revision: revision)
        } else {
            out += stored.body
        }
    }

    func object() throws(APIError) -> Object {
        do {
            return Object(kind: kind, json: try stored.decode(), revision: revision)
        } catch {
            throw .internalError("\(kind.qualifiedPlural) at revision \(revision): \(error)")
        }
    }
}
