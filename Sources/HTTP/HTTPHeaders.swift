/// Header fields in the order in which they came; names are lower case.
package struct HTTPHeaders: Sendable, Hashable {
    package struct Field: Sendable, Hashable {
        package var name: String
        package var value: String

        package init(name: String, value: String) {
            self.name = name
            self.value = value
        }
    }

    package private(set) var fields: [Field] = []

    package init() {}

    package init(_ fields: [(String, String)]) {
        for (name, value) in fields { add(name, value) }
    }

    /// The first value of `name`, which must be lower case.
    package func first(_ name: String) -> String? {
        for field in fields where field.name == name { return field.value }
        return nil
    }

    /// Every value of `name`, in order.
    package func all(_ name: String) -> [String] {
        fields.lazy.filter { $0.name == name }.map(\.value)
    }

    package mutating func add(_ name: String, _ value: String) {
        fields.append(Field(name: loweredName(name), value: value))
    }

    /// Replaces every value of `name`.
    package mutating func set(_ name: String, _ value: String) {
        let name = loweredName(name)
        fields.removeAll { $0.name == name }
        fields.append(Field(name: name, value: value))
    }

    package mutating func remove(_ name: String) {
        fields.removeAll { $0.name == name }
    }

    package subscript(_ name: String) -> String? {
        get { first(name) }
        set {
            if let newValue { set(name, newValue) } else { remove(name) }
        }
    }

    /// For names that are known to be lower case already, as HTTP/2 demands of its peers.
    mutating func appendLowered(_ name: String, _ value: String) {
        fields.append(Field(name: name, value: value))
    }

    mutating func reserveCapacity(_ count: Int) {
        fields.reserveCapacity(count)
    }
}

extension HTTPHeaders: ExpressibleByDictionaryLiteral {
    package init(dictionaryLiteral elements: (String, String)...) {
        self.init(elements)
    }
}

extension HTTPHeaders: Sequence {
    package func makeIterator() -> IndexingIterator<[Field]> { fields.makeIterator() }
}

private func loweredName(_ name: String) -> String {
    for byte in name.utf8 where byte >= 0x41 && byte <= 0x5a { return name.lowercased() }
    return name
}
