package import Documents
package import Basics
package import Keyspace
package import Objects

/// What one reconcile wants: a commit of several objects, and what it depends on.
///
/// Every object that is written is guarded by the revision at which it was read, so a plan made
/// on a view that has fallen behind is refused by the store instead of overwriting.
package struct Plan: Sendable {
    package private(set) var guards: [CommitRequest.Guard] = []
    package private(set) var mutations: [CommitRequest.Mutation] = []
    package private(set) var events: [EventRecord] = []
    /// Bytes of the values that are put.
    package private(set) var byteCount = 0
    /// Reconcile again after this long, whatever happens until then.
    package private(set) var requeueAfterMilliseconds: UInt64?
    /// Something could not be done: commit the rest and try again with back-off.
    package private(set) var failure: String?

    package init() {}

    package var isEmpty: Bool { mutations.isEmpty && events.isEmpty }

    // MARK: Writing

    /// Writes an object that must not exist yet.
    package mutating func create(_ object: Object) {
        let key = object.key
        guards.append(.modRevision(key: key, equals: 0))
        put(object, key)
    }

    /// Writes an object that still stands as `old`; equal ones are left alone.
    package mutating func update(_ old: Object, to json: JSON) {
        guard json != old.json else { return }
        var object = old
        object.json = json
        let key = old.key
        guards.append(.modRevision(key: key, equals: old.revision))
        if Strategy.isDeletionComplete(old.kind, json) {
            mutations.append(.delete(key: key))
        } else {
            put(object, key)
        }
    }

    /// Removes an object that still stands as `old`, whatever its finalizers.
    package mutating func remove(_ old: Object) {
        let key = old.key
        guards.append(.modRevision(key: key, equals: old.revision))
        mutations.append(.delete(key: key))
    }

    /// Deletes as a client's DELETE would: gracefully, and with respect for finalizers.
    package mutating func delete(
        _ old: Object, _ options: DeleteOptions = DeleteOptions(), now: WallTime
    ) {
        do throws(APIError) {
            switch try Strategy.prepareDelete(old.kind, old: old, options: options, now: now) {
            case .remove: remove(old)
            case .update(let json): update(old, to: json)
            case .unchanged: break
            }
        } catch {
            fail(error.message)
        }
    }

    private mutating func put(_ object: Object, _ key: Bytes) {
        let value = object.encodeStored()
        byteCount += key.count + value.count
        mutations.append(.put(key: key, value: value, lease: 0))
    }

    // MARK: Depending

    /// The object must still stand as it was read.
    package mutating func require(_ object: Object) {
        guards.append(.modRevision(key: object.key, equals: object.revision))
    }

    package mutating func requireAbsent(_ reference: ObjectReference) {
        let key = reference.kind.key(namespace: reference.namespace, name: reference.name)
        guards.append(.modRevision(key: key, equals: 0))
    }

    /// Nothing in the range may have changed since the view's revision.
    package mutating func requireUnchanged(_ range: KeyRange, since revision: Int64) {
        guards.append(.unchanged(range, since: revision))
    }

    // MARK: The rest

    package mutating func record(_ event: EventRecord) {
        events.append(event)
    }

    package mutating func requeue(afterMilliseconds delay: UInt64) {
        requeueAfterMilliseconds = min(delay, requeueAfterMilliseconds ?? .max)
    }

    package mutating func requeue(at time: WallTime, now: WallTime) {
        let delay = max(0, time.microseconds - now.microseconds)
        requeue(afterMilliseconds: UInt64(delay / 1000) + 1)
    }

    package mutating func fail(_ message: String) {
        failure = failure ?? message
    }

    /// Adds what another plan wants; the two must not write the same object.
    package mutating func append(_ other: Plan) {
        guards += other.guards
        mutations += other.mutations
        events += other.events
        byteCount += other.byteCount
        if let delay = other.requeueAfterMilliseconds { requeue(afterMilliseconds: delay) }
        if let failure = other.failure { fail(failure) }
    }
}
