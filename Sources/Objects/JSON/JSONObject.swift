/// The members of a JSON object in the order in which they came.
///
/// Lookup is linear: API objects have few members at each level, and a scan over an array beats
/// hashing there. Equality ignores the order.
package struct JSONObject: Sendable {
    package struct Member: Sendable {
        package let key: String
        package var value: JSON
    }

    package private(set) var members: [Member] = []

    package init() {}

    /// The caller vouches for distinct keys.
    init(uniqueMembers members: [Member]) {
        self.members = members
    }

    package var keys: [String] { members.map(\.key) }
    package var isEmpty: Bool { members.isEmpty }
    package var count: Int { members.count }

    package subscript(key: String) -> JSON? {
        get {
            for member in members where member.key == key { return member.value }
            return nil
        }
        set {
            guard let newValue else {
                if let index = index(of: key) { members.remove(at: index) }
                return
            }
            replace(key, with: newValue)
        }
    }

    /// Sets a member, at its old place if it has one.
    package mutating func replace(_ key: String, with value: JSON) {
        if let index = index(of: key) {
            members[index].value = value
        } else {
            members.append(Member(key: key, value: value))
        }
    }

    /// Appends a member that the caller knows to be new.
    mutating func append(_ key: String, _ value: JSON) {
        members.append(Member(key: key, value: value))
    }

    /// Puts a member first, as `kind` and `apiVersion` of an object conventionally are.
    mutating func prepend(_ key: String, _ value: JSON) {
        members.insert(Member(key: key, value: value), at: 0)
    }

    package func contains(_ key: String) -> Bool { index(of: key) != nil }

    package mutating func removeAll(where isRemoved: (Member) -> Bool) {
        members.removeAll(where: isRemoved)
    }

    private func index(of key: String) -> Int? {
        for index in members.indices where members[index].key == key { return index }
        return nil
    }
}

extension JSONObject: Sequence {
    package func makeIterator() -> IndexingIterator<[Member]> { members.makeIterator() }
}

extension JSONObject: Hashable {
    package static func == (left: JSONObject, right: JSONObject) -> Bool {
        guard left.count == right.count else { return false }
        var index = 0
        while index < left.members.count, left.members[index].key == right.members[index].key {
            guard left.members[index].value == right.members[index].value else { return false }
            index += 1
        }
        if index == left.members.count { return true }
        if left.count > 32 { return left.dictionary == right.dictionary }
        for member in left.members[index...] where right[member.key] != member.value {
            return false
        }
        return true
    }

    package func hash(into hasher: inout Hasher) {
        var sum = 0
        for member in members {
            var one = Hasher()
            one.combine(member.key)
            one.combine(member.value)
            sum ^= one.finalize()
        }
        hasher.combine(sum)
    }

    /// For lookups in large objects only; never iterated.
    private var dictionary: [String: JSON] {
        var result: [String: JSON] = [:]
        for member in members { result[member.key] = member.value }
        return result
    }
}
