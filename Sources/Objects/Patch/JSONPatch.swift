package import Documents

/// RFC 6902, with the error texts that kubectl's users know from upstream.
package struct JSONPatch: Sendable {
    enum Operation: Sendable {
        case add(String, JSON)
        case remove(String)
        case replace(String, JSON)
        case move(from: String, String)
        case copy(from: String, String)
        case test(String, JSON)
    }

    /// Operations of one patch at most, as upstream.
    package static let operationsMax = 10_000

    private let operations: [Operation]

    package init(_ patch: JSON) throws(PatchError) {
        guard case .array(let elements) = patch else {
            throw PatchError(
                .malformed,
                "error decoding patch: json: cannot unmarshal object into Go value of type "
                    + "jsonpatch.Patch")
        }
        guard elements.count <= Self.operationsMax else {
            throw PatchError(
                .inapplicable,
                "The allowed maximum operations in a JSON patch is \(Self.operationsMax), got "
                    + "\(elements.count)")
        }
        var operations: [Operation] = []
        for element in elements { operations.append(try Self.operation(element)) }
        self.operations = operations
    }

    private static func operation(_ element: JSON) throws(PatchError) -> Operation {
        guard case .object = element else {
            throw PatchError(.malformed, "error decoding patch: an operation must be an object")
        }
        let name = element["op"]?.stringValue ?? "unknown"
        func text(_ key: String) throws(PatchError) -> String {
            guard let text = element[key]?.stringValue else {
                throw PatchError(
                    .inapplicable,
                    "\(name) operation does not apply: missing or invalid \"\(key)\" field")
            }
            return text
        }
        func value() throws(PatchError) -> JSON {
            guard let value = element["value"] else {
                throw PatchError(
                    .inapplicable, "\(name) operation does not apply: missing \"value\" field")
            }
            return value
        }
        switch name {
        case "add": return .add(try text("path"), try value())
        case "remove": return .remove(try text("path"))
        case "replace": return .replace(try text("path"), try value())
        case "move": return .move(from: try text("from"), try text("path"))
        case "copy": return .copy(from: try text("from"), try text("path"))
        case "test": return .test(try text("path"), element["value"] ?? .null)
        default: throw PatchError(.inapplicable, "Unexpected kind: \(name)")
        }
    }

    package func apply(to document: JSON) throws(PatchError) -> JSON {
        var document = document
        for operation in operations {
            switch operation {
            case .add(let path, let value):
                try Self.add(value, at: path, "add", &document)
            case .remove(let path):
                try Self.remove(path, "remove", &document)
            case .replace(let path, let value):
                try Self.replace(path, value, &document)
            case .move(let from, let path):
                let source = try JSONPointer(from)
                let target = try JSONPointer(path)
                guard let value = source.value(in: document) else {
                    throw Self.missing("move", from)
                }
                if target.isInside(source) {
                    throw PatchError(
                        .inapplicable,
                        "move operation does not apply: path \"\(path)\" is inside \"\(from)\"")
                }
                try Self.remove(from, "move", &document)
                try Self.add(value, at: path, "move", &document)
            case .copy(let from, let path):
                guard let value = try JSONPointer(from).value(in: document) else {
                    throw Self.missing("copy", from)
                }
                try Self.add(value, at: path, "copy", &document)
            case .test(let path, let value):
                let found = try JSONPointer(path).value(in: document)
                guard found ?? .null == value else {
                    throw PatchError(.inapplicable, "testing value \(path) failed: test failed")
                }
            }
        }
        return document
    }

    private static func missing(_ operation: String, _ path: String) -> PatchError {
        PatchError(
            .inapplicable,
            "\(operation) operation does not apply: doc is missing key: \(path): missing value")
    }

    /// Changes the container that holds the pointer's last token.
    private static func edit(
        _ document: inout JSON, _ tokens: ArraySlice<String>, _ failure: PatchError,
        _ change: (inout JSON, String) throws(PatchError) -> Void
    ) throws(PatchError) {
        guard let token = tokens.first else { throw failure }
        if tokens.count == 1 { return try change(&document, token) }
        switch document {
        case .object(var object):
            guard var member = object[token] else { throw failure }
            document = .null
            try edit(&member, tokens.dropFirst(), failure, change)
            object[token] = member
            document = .object(object)
        case .array(var elements):
            guard let index = JSONPointer.index(token, count: elements.count),
                index < elements.count
            else { throw failure }
            document = .null
            try edit(&elements[index], tokens.dropFirst(), failure, change)
            document = .array(elements)
        default:
            throw failure
        }
    }

    private static func add(
        _ value: JSON, at path: String, _ name: String, _ document: inout JSON
    ) throws(PatchError) {
        let pointer = try JSONPointer(path)
        guard !pointer.tokens.isEmpty else {
            document = value
            return
        }
        let failure = PatchError(
            .inapplicable,
            "\(name) operation does not apply: doc is missing path: \"\(path)\": missing value")
        try edit(&document, pointer.tokens[...], failure) {
            (container, token) throws(PatchError) in
            switch container {
            case .object(var object):
                object[token] = value
                container = .object(object)
            case .array(var elements):
                guard let index = JSONPointer.index(token, count: elements.count),
                    index <= elements.count
                else {
                    throw PatchError(
                        .inapplicable,
                        "\(name) operation does not apply: Unable to access invalid index: "
                            + "\(token): invalid index referenced")
                }
                elements.insert(value, at: index)
                container = .array(elements)
            default:
                throw failure
            }
        }
    }

    private static func remove(
        _ path: String, _ name: String, _ document: inout JSON
    ) throws(PatchError) {
        let pointer = try JSONPointer(path)
        let failure = PatchError(
            .inapplicable,
            "\(name) operation does not apply: doc is missing path: \"\(path)\": missing value")
        try edit(&document, pointer.tokens[...], failure) {
            (container, token) throws(PatchError) in
            switch container {
            case .object(var object):
                guard object[token] != nil else {
                    throw PatchError(
                        .inapplicable,
                        "error in \(name) for path: '\(path)': Unable to remove nonexistent key: "
                            + "\(token): missing value")
                }
                object[token] = nil
                container = .object(object)
            case .array(var elements):
                guard let index = JSONPointer.index(token, count: elements.count),
                    index < elements.count
                else {
                    throw PatchError(
                        .inapplicable,
                        "error in \(name) for path: '\(path)': Unable to access invalid index: "
                            + "\(token): invalid index referenced")
                }
                elements.remove(at: index)
                container = .array(elements)
            default:
                throw failure
            }
        }
    }

    private static func replace(
        _ path: String, _ value: JSON, _ document: inout JSON
    ) throws(PatchError) {
        let pointer = try JSONPointer(path)
        guard !pointer.tokens.isEmpty else {
            document = value
            return
        }
        let failure = missing("replace", path)
        try edit(&document, pointer.tokens[...], failure) {
            (container, token) throws(PatchError) in
            switch container {
            case .object(var object):
                guard object[token] != nil else { throw failure }
                object[token] = value
                container = .object(object)
            case .array(var elements):
                guard let index = JSONPointer.index(token, count: elements.count),
                    index < elements.count
                else { throw failure }
                elements[index] = value
                container = .array(elements)
            default:
                throw failure
            }
        }
    }
}
