/// A JSON value. Integers stay exact; objects keep the order of their keys but compare without it.
package enum JSON: Sendable, Hashable {
    case null
    case bool(Bool)
    case integer(Int64)
    case double(Double)
    case string(String)
    case array([JSON])
    case object(JSONObject)

    package var isNull: Bool { self == .null }

    package var stringValue: String? {
        if case .string(let value) = self { value } else { nil }
    }

    package var intValue: Int64? {
        switch self {
        case .integer(let value): value
        case .double(let value): Int64(exactly: value)
        default: nil
        }
    }

    package var doubleValue: Double? {
        switch self {
        case .integer(let value): Double(value)
        case .double(let value): value
        default: nil
        }
    }

    package var boolValue: Bool? {
        if case .bool(let value) = self { value } else { nil }
    }

    package var arrayValue: [JSON]? {
        if case .array(let value) = self { value } else { nil }
    }

    package var objectValue: JSONObject? {
        if case .object(let value) = self { value } else { nil }
    }

    /// The elements of an array, or nothing.
    package var elements: [JSON] { arrayValue ?? [] }

    /// A member of an object. Assigning nil removes it; assigning to anything that is not an
    /// object makes it one first.
    package subscript(key: String) -> JSON? {
        get {
            if case .object(let object) = self { object[key] } else { nil }
        }
        set {
            // Moves the payload out, so that the change happens in place.
            var object: JSONObject
            if case .object(let current) = self {
                object = current
                self = .null
            } else {
                if newValue == nil { return }
                object = JSONObject()
            }
            object[key] = newValue
            self = .object(object)
        }
    }

    /// An element of an array; nil outside of it.
    package subscript(index: Int) -> JSON? {
        get {
            guard case .array(let array) = self, array.indices.contains(index) else { return nil }
            return array[index]
        }
        set {
            guard case .array(var array) = self, array.indices.contains(index) else { return }
            self = .null
            if let newValue { array[index] = newValue } else { array.remove(at: index) }
            self = .array(array)
        }
    }

    /// The value behind a chain of keys.
    package func path(_ keys: String...) -> JSON? {
        var value = self
        for key in keys {
            guard let next = value[key] else { return nil }
            value = next
        }
        return value
    }

    /// Sets the value behind a chain of keys, making objects on the way; nil removes it.
    package mutating func set(_ value: JSON?, at keys: String...) {
        set(value, keys[...])
    }

    private mutating func set(_ value: JSON?, _ keys: ArraySlice<String>) {
        guard let key = keys.first else { return }
        if keys.count == 1 {
            self[key] = value
            return
        }
        if value == nil, self[key] == nil { return }
        var member = self[key] ?? .object(JSONObject())
        member.set(value, keys.dropFirst())
        self[key] = member
    }

    /// Changes a member in place; the body sees `.null` where there is none, and leaving `.null`
    /// removes it.
    package mutating func update(_ key: String, _ body: (inout JSON) -> Void) {
        var member = self[key] ?? .null
        if case .object(var object) = self {
            self = .null
            object.replace(key, with: .null)
            self = .object(object)
        }
        body(&member)
        self[key] = member == .null ? nil : member
    }

    /// Changes every element of an array member in place.
    package mutating func updateEach(_ key: String, _ body: (inout JSON) -> Void) {
        guard case .array(var array)? = self[key] else { return }
        for index in array.indices { body(&array[index]) }
        self[key] = .array(array)
    }
}

extension JSON: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByBooleanLiteral, ExpressibleByFloatLiteral, ExpressibleByArrayLiteral,
    ExpressibleByDictionaryLiteral
{
    package init(stringLiteral value: String) { self = .string(value) }
    package init(integerLiteral value: Int64) { self = .integer(value) }
    package init(booleanLiteral value: Bool) { self = .bool(value) }
    package init(floatLiteral value: Double) { self = .double(value) }
    // No nil literal: in `json[key] = condition ? value : nil` it would store a null.
    package init(arrayLiteral elements: JSON...) { self = .array(elements) }
    package init(dictionaryLiteral elements: (String, JSON)...) {
        var object = JSONObject()
        for (key, value) in elements { object[key] = value }
        self = .object(object)
    }
}

extension JSON: CustomStringConvertible {
    package var description: String { String(decoding: bytes(), as: UTF8.self) }
}
