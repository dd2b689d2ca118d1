/// Sets of references by a string: pods by node, objects by owner, and so on.
struct NameIndex: Sendable {
    private var buckets: [String: Set<ObjectReference>] = [:]

    mutating func insert(_ reference: ObjectReference, under key: String) {
        buckets[key, default: []].insert(reference)
    }

    mutating func remove(_ reference: ObjectReference, under key: String) {
        buckets[key]?.remove(reference)
        if buckets[key]?.isEmpty == true { buckets[key] = nil }
    }

    func count(under key: String) -> Int {
        buckets[key]?.count ?? 0
    }

    /// The bucket in the order of the references, which does not depend on the process.
    func sorted(under key: String) -> [ObjectReference] {
        guard let bucket = buckets[key] else { return [] }
        return bucket.sorted()
    }
}
