import Documents

/// RFC 6901.
struct JSONPointer {
    let text: String
    let tokens: [String]

    init(_ text: String) throws(PatchError) {
        self.text = text
        guard !text.isEmpty else {
            tokens = []
            return
        }
        guard text.hasPrefix("/") else {
            throw PatchError(.inapplicable, "invalid JSON pointer: \"\(text)\"")
        }
        tokens = text.dropFirst().split(separator: "/", omittingEmptySubsequences: false).map {
            Self.unescape(String($0))
        }
    }

    private static func unescape(_ token: String) -> String {
        guard token.contains("~") else { return token }
        var out = ""
        var characters = token.makeIterator()
        while let character = characters.next() {
            guard character == "~" else {
                out.append(character)
                continue
            }
            switch characters.next() {
            case "0"?: out.append("~")
            case "1"?: out.append("/")
            case let other?: out += "~" + String(other)
            case nil: out.append("~")
            }
        }
        return out
    }

    /// Whether this points at `other` or at something inside it.
    func isInside(_ other: JSONPointer) -> Bool {
        tokens.count > other.tokens.count && tokens.starts(with: other.tokens)
    }

    func value(in document: JSON) -> JSON? {
        var value = document
        for token in tokens {
            switch value {
            case .object(let object):
                guard let member = object[token] else { return nil }
                value = member
            case .array(let elements):
                guard let index = Self.index(token, count: elements.count),
                    index < elements.count
                else { return nil }
                value = elements[index]
            default:
                return nil
            }
        }
        return value
    }

    /// An index into an array of `count` elements; `count` itself stands for `-`.
    static func index(_ token: String, count: Int) -> Int? {
        if token == "-" { return count }
        guard let index = Int(token), index >= 0, String(index) == token else { return nil }
        return index
    }
}
