/// The members of a JSON object in the order in which they came.
///
/// Small objects, which nearly all are, are scanned; large ones have an index, so that no body of
/// a request makes the work grow with the square of its size. Equality ignores the order.
package struct JSONObject: Sendable {
    package struct Member: Sendable {
        package let key: String
        package var value: JSON

        package init(key: String, value: JSON) {
            self.key = key
            self.value = value
        }
    }

    private enum Storage: Sendable {
        case small([Member])
        case large(LargeJSONObject)
    }

    private var storage: Storage

    package init() {
        storage = .small([])
    }

    /// The caller vouches for distinct keys.
    package init(uniqueMembers members: [Member]) {
        storage =
            members.count <= LargeJSONObject.threshold
            ? .small(members) : .large(LargeJSONObject(members))
    }

    /// In order. Of a large object this is a copy: hold on to it.
    package var members: [Member] {
        switch storage {
        case .small(let members): members
        case .large(let large): large.members
        }
    }

    package var keys: [String] { members.map(\.key) }
    package var isEmpty: Bool { count == 0 }

    package var count: Int {
        switch storage {
        case .small(let members): members.count
        case .large(let large): large.count
        }
    }

    package subscript(key: String) -> JSON? {
        get {
            switch storage {
            case .small(let members):
                for member in members where member.key == key { return member.value }
                return nil
            case .large(let large): return large[key]
            }
        }
        set {
            if let newValue {
                replace(key, with: newValue)
            } else {
                remove(key)
            }
        }
    }

    package func contains(_ key: String) -> Bool { self[key] != nil }

    /// Sets a member, at its old place if it has one.
    package mutating func replace(_ key: String, with value: JSON) {
        guard case .small(var members) = storage else {
            changeLarge { $0.replace(key, with: value) }
            return
        }
        // The array is ours alone while it changes.
        storage = .small([])
        if let index = members.firstIndex(where: { $0.key == key }) {
            members[index].value = value
        } else {
            members.append(Member(key: key, value: value))
        }
        self = JSONObject(uniqueMembers: members)
    }

    /// Appends a member that the caller knows to be new.
    package mutating func append(_ key: String, _ value: JSON) {
        replace(key, with: value)
    }

    private mutating func remove(_ key: String) {
        guard case .small(var members) = storage else {
            changeLarge { $0.remove(key) }
            return
        }
        guard let index = members.firstIndex(where: { $0.key == key }) else { return }
        storage = .small([])
        members.remove(at: index)
        storage = .small(members)
    }

    private mutating func changeLarge(_ change: (LargeJSONObject) -> Void) {
        guard case .large(var large) = storage else { return }
        storage = .small([])
        if !isKnownUniquelyReferenced(&large) { large = LargeJSONObject(large.members) }
        change(large)
        storage = .large(large)
    }

    /// Puts a member first, as `kind` and `apiVersion` of an object conventionally are.
    package mutating func prepend(_ key: String, _ value: JSON) {
        self = JSONObject(
            uniqueMembers: [Member(key: key, value: value)] + members.filter { $0.key != key })
    }

    package mutating func removeAll(where isRemoved: (Member) -> Bool) {
        self = JSONObject(uniqueMembers: members.filter { !isRemoved($0) })
    }
}

extension JSONObject: Sequence {
    package func makeIterator() -> IndexingIterator<[Member]> { members.makeIterator() }
}

extension JSONObject: Hashable {
    package static func == (left: JSONObject, right: JSONObject) -> Bool {
        guard left.count == right.count else { return false }
        let (leftMembers, rightMembers) = (left.members, right.members)
        for (member, other) in zip(leftMembers, rightMembers) {
            let partner = member.key == other.key ? other.value : right[member.key]
            guard member.value == partner else { return false }
        }
        return true
    }

    package func hash(into hasher: inout Hasher) {
        var sum = 0
        for member in self {
            var one = Hasher()
            one.combine(member.key)
            one.combine(member.value)
            sum ^= one.finalize()
        }
        hasher.combine(sum)
    }
}
