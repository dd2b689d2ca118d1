package import Documents
package import Basics
import Yams

/// YAML bodies: one document, converted to JSON as sigs.k8s.io/yaml does.
package enum YAML {
    /// Aliases multiply nodes; this many is more than any object in a body of 3 MiB has.
    private static let nodesMax = 400_000

    package static func parse(_ bytes: Bytes) throws(JSONError) -> JSON {
        var duplicates: [String] = []
        return try parse(bytes, duplicates: &duplicates)
    }

    package static func parse(
        _ bytes: Bytes, duplicates: inout [String]
    ) throws(JSONError) -> JSON {
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw JSONError("yaml: invalid leading UTF-8 octet", at: 0)
        }
        let node: Node?
        do {
            node = try Yams.compose(yaml: text)
        } catch {
            throw JSONError("yaml: \(describe(error))", at: 0)
        }
        guard let node else { return .null }
        var converter = Converter(nodesLeft: nodesMax)
        let json = try converter.convert(node, path: "", depth: 0)
        duplicates = converter.duplicates
        return json
    }

    /// The first line of the parser's complaint; the rest of it quotes the document.
    private static func describe(_ error: any Error) -> String {
        if let error = error as? YamlError {
            switch error {
            case .scanner(let context, let problem, let mark, _),
                .parser(let context, let problem, let mark, _),
                .composer(let context, let problem, let mark, _):
                let place = context.map { "\($0.text) " } ?? ""
                return "line \(mark.line): \(place)\(problem)"
            case .duplicatedKeysInMapping(let keys, _):
                return "key \(keys) already set in map"
            default: break
            }
        }
        return String(String(describing: error).prefix { $0 != "\n" })
    }

    private struct Converter {
        var nodesLeft: Int
        var duplicates: [String] = []

        mutating func convert(
            _ node: Node, path: String, depth: Int
        ) throws(JSONError) -> JSON {
            nodesLeft -= 1
            guard nodesLeft > 0 else {
                throw JSONError("yaml: document contains excessive aliasing", at: 0)
            }
            guard depth < JSON.depthMax else { throw JSONError("yaml: exceeded max depth", at: 0) }
            switch node {
            case .scalar(let scalar): return try convert(scalar, node)
            case .sequence(let sequence):
                var elements: [JSON] = []
                for (index, element) in sequence.enumerated() {
                    elements.append(
                        try convert(element, path: "\(path)[\(index)]", depth: depth + 1))
                }
                return .array(elements)
            case .mapping(let mapping):
                return .object(try convert(mapping, path: path, depth: depth))
            case .alias:
                throw JSONError("yaml: unknown anchor referenced", at: 0)
            }
        }

        private mutating func convert(
            _ mapping: Node.Mapping, path: String, depth: Int
        ) throws(JSONError) -> JSONObject {
            var object = JSONObject()
            var merged: [JSON] = []
            for (key, value) in mapping {
                guard case .scalar(let scalar) = key else {
                    throw JSONError("yaml: a key of a mapping is not a scalar", at: 0)
                }
                let name = scalar.string
                let inner = path.isEmpty ? name : "\(path).\(name)"
                let converted = try convert(value, path: inner, depth: depth + 1)
                if name == "<<", scalar.style == .plain {
                    merged += converted.arrayValue ?? [converted]
                    continue
                }
                if object.contains(name) { duplicates.append(inner) }
                object.replace(name, with: converted)
            }
            for source in merged {
                guard let members = source.objectValue else {
                    throw JSONError("yaml: map merge requires map or sequence of maps", at: 0)
                }
                for member in members where !object.contains(member.key) {
                    object.replace(member.key, with: member.value)
                }
            }
            return object
        }

        private func convert(_ scalar: Node.Scalar, _ node: Node) throws(JSONError) -> JSON {
            switch node.tag.description {
            case "tag:yaml.org,2002:null": return .null
            case "tag:yaml.org,2002:bool": return node.bool.map(JSON.bool) ?? .string(scalar.string)
            case "tag:yaml.org,2002:int":
                if let value = node.int { return .integer(Int64(value)) }
                return try number(scalar.string)
            case "tag:yaml.org,2002:float": return try number(scalar.string)
            default: return .string(scalar.string)
            }
        }

        private func number(_ text: String) throws(JSONError) -> JSON {
            let plain = text.filter { $0 != "_" }
            guard let value = Double(plain), value.isFinite else {
                throw JSONError("yaml: \(text) is not a number that JSON has", at: 0)
            }
            if let whole = Int64(exactly: value) { return .integer(whole) }
            return .double(value)
        }
    }
}
