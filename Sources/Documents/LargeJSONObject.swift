/// Members with an index; what is removed leaves a gap until half of the places are gaps.
///
/// A reference type under copy-on-write: `JSONObject` changes it only while it holds the one
/// reference, hence Sendable.
final class LargeJSONObject: @unchecked Sendable {
    /// Up to so many members a scan is as fast as hashing.
    static let threshold = 32

    private var places: [JSONObject.Member?]
    /// For lookups only; never iterated.
    private var indexByKey: [String: Int] = [:]

    init(_ members: [JSONObject.Member]) {
        places = members
        index()
    }

    private func index() {
        indexByKey.removeAll(keepingCapacity: true)
        indexByKey.reserveCapacity(places.count)
        for (index, member) in places.enumerated() {
            if let member { indexByKey[member.key] = index }
        }
    }

    var count: Int { indexByKey.count }
    var members: [JSONObject.Member] { places.compactMap { $0 } }

    subscript(key: String) -> JSON? {
        indexByKey[key].flatMap { places[$0]?.value }
    }

    func replace(_ key: String, with value: JSON) {
        if let index = indexByKey[key] {
            places[index]?.value = value
        } else {
            indexByKey[key] = places.count
            places.append(JSONObject.Member(key: key, value: value))
        }
    }

    func remove(_ key: String) {
        guard let index = indexByKey.removeValue(forKey: key) else { return }
        places[index] = nil
        if places.count > 2 * (count + Self.threshold) {
            places = members
            self.index()
        }
    }
}
