package import Documents
package import Basics
package import Keyspace

/// An API object and the revision it was last written at.
package struct Object: Sendable, Hashable {
    package let kind: ResourceKind
    /// Without `metadata.resourceVersion`.
    package var json: JSON
    /// The store's revision of the latest write; 0 for an object that is not stored.
    package var revision: Int64

    package init(kind: ResourceKind, json: JSON, revision: Int64 = 0) {
        self.kind = kind
        self.json = json
        self.revision = revision
        if self.json["metadata"]?["resourceVersion"] != nil {
            self.json.set(nil, at: "metadata", "resourceVersion")
        }
    }

    /// Decodes what the store holds under a key of a known kind.
    package static func decode(_ keyValue: KeyValue) throws(ObjectError) -> Object {
        guard let place = ResourceKind.parse(key: keyValue.key) else {
            throw ObjectError(key: keyValue.key, reason: "the key names no object of a known kind")
        }
        return try decode(keyValue, as: place.kind)
    }

    /// Decodes what the store holds under a key of this kind.
    package static func decode(
        _ keyValue: KeyValue, as kind: ResourceKind
    ) throws(ObjectError) -> Object {
        do throws(StoredValueError) {
            let json = try StoredValue(keyValue.value).decode()
            return Object(kind: kind, json: json, revision: keyValue.modRevision)
        } catch {
            throw ObjectError(key: keyValue.key, reason: error.description)
        }
    }

    package func encodeStored() -> Bytes { StoredValue.encode(json) }

    /// The object as clients get it, resource version included when it is stored.
    package var wireJSON: JSON {
        var copy = json
        if revision > 0 {
            copy.set(.string(String(revision)), at: "metadata", "resourceVersion")
        }
        return copy
    }

    package var key: Bytes { kind.key(namespace: namespace, name: name) }
}

/// A value of the store that is not the object its key promises.
package struct ObjectError: Error, Sendable, Hashable, CustomStringConvertible {
    package let key: Bytes
    package let reason: String

    package var description: String { "\(key.readable): \(reason)" }
}
