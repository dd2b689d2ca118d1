import Basics
import Keyspace
import Objects
import Store

/// The agent's reads and writes of single objects.
struct ObjectAccess: Sendable {
    enum WriteResult: Sendable {
        case written(Object)
        /// Somebody else wrote first; nil if the object is gone.
        case conflict(Object?)
        case failed(StoreError)
    }

    let store: any Store

    func get(_ key: Bytes) async throws(StoreError) -> Object? {
        let response = try await store.range(RangeRequest(.key(key)))
        guard let found = response.keyValues.first else { return nil }
        do {
            return try Object.decode(found)
        } catch {
            throw StoreError(.corrupt, "\(error)")
        }
    }

    /// Writes the object if it still is the one that was read; `revision` 0 creates it.
    func put(_ object: Object, lease: Int64 = 0) async -> WriteResult {
        let key = object.key
        let request = CommitRequest(
            guards: [.modRevision(key: key, equals: object.revision)],
            mutations: [.put(key: key, value: object.encodeStored(), lease: lease)])
        do {
            switch try await store.commit(request) {
            case .committed(let first, _):
                var written = object
                written.revision = first
                return .written(written)
            case .guardFailed: return .conflict(try await get(key))
            }
        } catch {
            return .failed(error)
        }
    }

    func delete(_ object: Object) async -> WriteResult {
        let key = object.key
        let request = CommitRequest(
            guards: [.modRevision(key: key, equals: object.revision)],
            mutations: [.delete(key: key)])
        do {
            switch try await store.commit(request) {
            case .committed: return .written(object)
            case .guardFailed: return .conflict(try await get(key))
            }
        } catch {
            return .failed(error)
        }
    }

    /// Those of the references that exist.
    func sources(
        _ references: [ConfigSources.Reference], namespace: String
    ) async throws(StoreError) -> ConfigSources {
        var sources = ConfigSources()
        for reference in references {
            let kind = reference.kind == .configMap ? ResourceKind.configMap : ResourceKind.secret
            let key = kind.key(namespace: namespace, name: reference.name)
            sources.objects[reference] = try await get(key)
        }
        return sources
    }
}
