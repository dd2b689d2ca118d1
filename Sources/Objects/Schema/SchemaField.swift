/// What a field holds. Messages whose JSON is not an object of their fields have own cases.
package enum SchemaType: Sendable, Hashable {
    case string
    case int32
    case int64
    case bool
    case double
    /// Base64 in JSON.
    case bytes
    /// `resource.Quantity`: a string such as `500m`, or a number.
    case quantity
    /// `meta/v1 Time`: RFC 3339 with whole seconds.
    case time
    /// `meta/v1 MicroTime`: RFC 3339 with microseconds.
    case microTime
    case intOrString
    /// `runtime.RawExtension` and `meta/v1 FieldsV1`: any JSON, which protobuf carries as text.
    case raw
    /// Index into `Schema.messages`.
    case message(Int)
}

/// One field of an API message.
package struct SchemaField: Sendable, Hashable {
    package enum Cardinality: Sendable, Hashable {
        case single
        case repeated
        /// A map with string keys.
        case map
    }

    /// As in JSON.
    package var name: String
    /// Of protobuf.
    package var number: Int
    package var cardinality: Cardinality
    /// Of one element, where there are several.
    package var type: SchemaType
    /// JSON shows the message's fields in place of this one.
    package var isInline = false
    /// Absent and zero differ; otherwise a zero is left out of JSON.
    package var keepsZero = false
    package var isRequired = false
    /// `atomic`, `set` or `map` of a list, for server-side apply.
    package var listType: String?
    package var listKeys: [String] = []
    /// `atomic` of a map.
    package var mapType: String?
    /// Of strategic merge patch: any of `merge`, `replace`, `retainKeys`.
    package var patchStrategies: [String] = []
    package var mergeKey: String?
    /// JSON text.
    package var defaultValue: String?

    /// The message of the elements, if they are messages of fields.
    package var message: SchemaMessage? {
        if case .message(let index) = type { Schema.messages[index] } else { nil }
    }
}

/// One message of the API, such as `api.core.v1.Pod`.
package struct SchemaMessage: Sendable {
    /// Package and name; OpenAPI has `io.k8s.` in front.
    package let name: String
    /// As protobuf has them, ordered as upstream declares them.
    package let fields: [SchemaField]
    /// As JSON has them: inline messages are replaced by their fields.
    package internal(set) var properties: [SchemaField] = []
    private var indexByName: [String: Int] = [:]
    /// Field index by protobuf number, -1 for none.
    private var indexByNumber: [Int] = []

    /// `Pod` of `api.core.v1.Pod`.
    package var shortName: String {
        String(
            name.utf8.lastIndex(of: UInt8(ascii: ".")).map { name[name.index(after: $0)...] }
                ?? name[...])
    }

    /// `v1.Pod`, as errors of Go's decoder name types.
    var goName: String {
        name.split(separator: ".").suffix(2).joined(separator: ".")
    }

    init(name: String, fields: [SchemaField]) {
        self.name = name
        self.fields = fields
        let largest = fields.map(\.number).max() ?? 0
        indexByNumber = Array(repeating: -1, count: largest + 1)
        for (index, field) in fields.enumerated() { indexByNumber[field.number] = index }
    }

    mutating func setProperties(_ properties: [SchemaField]) {
        self.properties = properties
        for (index, field) in properties.enumerated() { indexByName[field.name] = index }
    }

    /// The field of this name in JSON.
    package func property(_ name: String) -> SchemaField? {
        indexByName[name].map { properties[$0] }
    }

    func field(number: UInt64) -> SchemaField? {
        guard number < UInt64(indexByNumber.count) else { return nil }
        let index = indexByNumber[Int(number)]
        return index < 0 ? nil : fields[index]
    }
}
