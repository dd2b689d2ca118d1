package import Basics

extension JSON {
    /// Nesting that a document may have; Go's decoder allows 10,000, which no API object needs.
    package static let depthMax = 512

    /// Duplicate or unknown fields that are reported; more of them tell nothing new.
    package static let faultsMax = 100

    /// Parses one document. Of a key given twice the last value counts, as with Go.
    package static func parse(_ bytes: Bytes) throws(JSONError) -> JSON {
        var duplicates: [String] = []
        return try parse(bytes, duplicates: &duplicates)
    }

    /// The same, and collects the paths of keys given twice, such as `spec.replicas`.
    package static func parse(
        _ bytes: Bytes, duplicates: inout [String]
    ) throws(JSONError) -> JSON {
        var parser = JSONParser(bytes)
        let value = try parser.parseDocument()
        duplicates = parser.duplicates
        return value
    }

    package static func parse(_ text: String) throws(JSONError) -> JSON {
        try parse(Bytes(text.utf8))
    }
}

/// A recursive-descent parser over bytes.
struct JSONParser {
    private let bytes: Bytes
    private var position = 0
    private var depth = 0
    /// Where the parser stands, for the paths of duplicates.
    private var path: [PathStep] = []
    private(set) var duplicates: [String] = []

    private enum PathStep {
        case key(String)
        case index(Int)
    }

    init(_ bytes: Bytes) {
        self.bytes = bytes
    }

    mutating func parseDocument() throws(JSONError) -> JSON {
        if bytes.starts(with: [0xef, 0xbb, 0xbf]) { position = 3 }
        let value = try parseValue()
        skipSpace()
        guard position == bytes.count else { throw unexpected("after top-level value") }
        return value
    }

    private mutating func skipSpace() {
        while position < bytes.count {
            switch bytes[position] {
            case 0x20, 0x09, 0x0a, 0x0d: position += 1
            default: return
            }
        }
    }

    private mutating func parseValue() throws(JSONError) -> JSON {
        skipSpace()
        guard position < bytes.count else { throw endOfInput() }
        switch bytes[position] {
        case UInt8(ascii: "{"): return .object(try parseObject())
        case UInt8(ascii: "["): return .array(try parseArray())
        case UInt8(ascii: "\""): return .string(try parseString())
        case UInt8(ascii: "t"): return try parseWord("true", .bool(true))
        case UInt8(ascii: "f"): return try parseWord("false", .bool(false))
        case UInt8(ascii: "n"): return try parseWord("null", .null)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try parseNumber()
        default: throw unexpected("looking for beginning of value")
        }
    }

    private mutating func parseWord(
        _ word: StaticString, _ value: JSON
    ) throws(JSONError) -> JSON {
        let text = Bytes("\(word)".utf8)
        for index in text.indices {
            guard position < bytes.count else { throw endOfInput() }
            guard bytes[position] == text[index] else {
                let expected = Character(Unicode.Scalar(text[index]))
                throw unexpected("in literal \(word) (expecting '\(expected)')")
            }
            position += 1
        }
        return value
    }

    private mutating func enter() throws(JSONError) {
        depth += 1
        guard depth <= JSON.depthMax else { throw JSONError("exceeded max depth", at: position) }
        position += 1
        skipSpace()
        guard position < bytes.count else { throw endOfInput() }
    }

    private mutating func parseObject() throws(JSONError) -> JSONObject {
        try enter()
        defer { depth -= 1 }
        var members: [JSONObject.Member] = []
        // Hashing pays only where an object is large.
        var seen: [String: Int] = [:]
        if bytes[position] == UInt8(ascii: "}") {
            position += 1
            return JSONObject()
        }
        while true {
            skipSpace()
            guard position < bytes.count else { throw endOfInput() }
            guard bytes[position] == UInt8(ascii: "\"") else {
                throw unexpected("looking for beginning of object key string")
            }
            let key = try parseString()
            skipSpace()
            guard position < bytes.count else { throw endOfInput() }
            guard bytes[position] == UInt8(ascii: ":") else { throw unexpected("after object key") }
            position += 1
            path.append(.key(key))
            let value = try parseValue()
            if let index = Self.duplicate(of: key, in: members, &seen) {
                if duplicates.count < JSON.faultsMax { duplicates.append(describedPath) }
                members[index].value = value
            } else {
                members.append(JSONObject.Member(key: key, value: value))
            }
            path.removeLast()
            skipSpace()
            guard position < bytes.count else { throw endOfInput() }
            let byte = bytes[position]
            guard byte == UInt8(ascii: ",") || byte == UInt8(ascii: "}") else {
                throw unexpected("after object key:value pair")
            }
            position += 1
            if byte == UInt8(ascii: "}") { return JSONObject(uniqueMembers: members) }
        }
    }

    private static func duplicate(
        of key: String, in members: [JSONObject.Member], _ seen: inout [String: Int]
    ) -> Int? {
        guard members.count >= 24 else { return members.firstIndex { $0.key == key } }
        if seen.isEmpty {
            for (index, member) in members.enumerated() { seen[member.key] = index }
        }
        if let index = seen[key] { return index }
        seen[key] = members.count
        return nil
    }

    private mutating func parseArray() throws(JSONError) -> [JSON] {
        try enter()
        defer { depth -= 1 }
        var elements: [JSON] = []
        if bytes[position] == UInt8(ascii: "]") {
            position += 1
            return elements
        }
        while true {
            path.append(.index(elements.count))
            elements.append(try parseValue())
            path.removeLast()
            skipSpace()
            guard position < bytes.count else { throw endOfInput() }
            let byte = bytes[position]
            guard byte == UInt8(ascii: ",") || byte == UInt8(ascii: "]") else {
                throw unexpected("after array element")
            }
            position += 1
            if byte == UInt8(ascii: "]") { return elements }
        }
    }

    private var describedPath: String {
        var text = ""
        for step in path {
            switch step {
            case .key(let key): text += text.isEmpty ? key : "." + key
            case .index(let index): text += "[\(index)]"
            }
        }
        return text
    }

    func endOfInput() -> JSONError {
        JSONError("unexpected end of JSON input", at: bytes.count)
    }

    func unexpected(_ place: String) -> JSONError {
        guard position < bytes.count else { return endOfInput() }
        return JSONError("invalid character \(quoted(bytes[position...])) \(place)", at: position)
    }

    /// The character at the start, quoted as Go's `strconv.Quote` would in single quotes.
    private func quoted(_ rest: ArraySlice<UInt8>) -> String {
        switch rest.first ?? 0 {
        case 0x27: return "'\\''"
        case 0x0a: return "'\\n'"
        case 0x0d: return "'\\r'"
        case 0x09: return "'\\t'"
        case let byte where byte < 0x20 || byte == 0x7f: return "'\\x" + [byte].hex + "'"
        default:
            let first = String(decoding: rest.prefix(4), as: UTF8.self).unicodeScalars.first
            return "'\(first.map(String.init) ?? "")'"
        }
    }
}

// Scalars.
extension JSONParser {
    private mutating func parseString() throws(JSONError) -> String {
        position += 1
        let start = position
        while position < bytes.count {
            let byte = bytes[position]
            if byte == UInt8(ascii: "\"") {
                defer { position += 1 }
                return String(decoding: bytes[start..<position], as: UTF8.self)
            }
            if byte == UInt8(ascii: "\\") { return try parseEscapedString(from: start) }
            guard byte >= 0x20 else { throw unexpected("in string literal") }
            position += 1
        }
        throw endOfInput()
    }

    private mutating func parseEscapedString(from start: Int) throws(JSONError) -> String {
        var out = Bytes(bytes[start..<position])
        while position < bytes.count {
            let byte = bytes[position]
            switch byte {
            case UInt8(ascii: "\""):
                position += 1
                return String(decoding: out, as: UTF8.self)
            case UInt8(ascii: "\\"):
                position += 1
                try parseEscape(into: &out)
            case 0x00..<0x20: throw unexpected("in string literal")
            default:
                out.append(byte)
                position += 1
            }
        }
        throw endOfInput()
    }

    private mutating func parseEscape(into out: inout Bytes) throws(JSONError) {
        guard position < bytes.count else { throw endOfInput() }
        switch bytes[position] {
        case UInt8(ascii: "\""): out.append(0x22)
        case UInt8(ascii: "\\"): out.append(0x5c)
        case UInt8(ascii: "/"): out.append(0x2f)
        case UInt8(ascii: "b"): out.append(0x08)
        case UInt8(ascii: "f"): out.append(0x0c)
        case UInt8(ascii: "n"): out.append(0x0a)
        case UInt8(ascii: "r"): out.append(0x0d)
        case UInt8(ascii: "t"): out.append(0x09)
        case UInt8(ascii: "u"):
            position += 1
            var scalar = UInt32(try parseHex())
            if scalar & 0xfc00 == 0xd800, position + 1 < bytes.count,
                bytes[position] == UInt8(ascii: "\\"), bytes[position + 1] == UInt8(ascii: "u")
            {
                let back = position
                position += 2
                let low = UInt32(try parseHex())
                if low & 0xfc00 == 0xdc00 {
                    scalar = 0x10000 + (scalar & 0x3ff) << 10 + (low & 0x3ff)
                } else {
                    position = back
                }
            }
            // A lone surrogate becomes U+FFFD, as with Go.
            let valid = Unicode.Scalar(scalar) ?? "\u{fffd}"
            out.append(contentsOf: Character(valid).utf8)
            return
        default: throw unexpected("in string escape code")
        }
        position += 1
    }

    private mutating func parseHex() throws(JSONError) -> UInt16 {
        var value: UInt16 = 0
        for _ in 0..<4 {
            guard position < bytes.count else { throw endOfInput() }
            let digit: UInt8
            switch bytes[position] {
            case let byte where byte >= 0x30 && byte <= 0x39: digit = byte - 0x30
            case let byte where byte >= 0x41 && byte <= 0x46: digit = byte - 0x37
            case let byte where byte >= 0x61 && byte <= 0x66: digit = byte - 0x57
            default: throw unexpected("in \\u hexadecimal character escape")
            }
            value = value << 4 | UInt16(digit)
            position += 1
        }
        return value
    }

    private mutating func skipDigits() -> Int {
        let start = position
        while position < bytes.count, bytes[position] >= 0x30, bytes[position] <= 0x39 {
            position += 1
        }
        return position - start
    }

    private mutating func parseNumber() throws(JSONError) -> JSON {
        let start = position
        if bytes[position] == UInt8(ascii: "-") { position += 1 }
        let leadingZero = position < bytes.count && bytes[position] == 0x30
        if leadingZero {
            position += 1
        } else if skipDigits() == 0 {
            throw unexpected("in numeric literal")
        }
        var isInteger = true
        if position < bytes.count, bytes[position] == UInt8(ascii: ".") {
            isInteger = false
            position += 1
            guard skipDigits() > 0 else {
                throw unexpected("after decimal point in numeric literal")
            }
        }
        if position < bytes.count, bytes[position] | 0x20 == UInt8(ascii: "e") {
            isInteger = false
            position += 1
            if position < bytes.count,
                bytes[position] == UInt8(ascii: "+") || bytes[position] == UInt8(ascii: "-")
            {
                position += 1
            }
            guard skipDigits() > 0 else { throw unexpected("in exponent of numeric literal") }
        }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        if isInteger, let value = Int64(text) { return .integer(value) }
        guard let value = Double(text), value.isFinite else {
            throw JSONError(
                "json: cannot unmarshal number \(text) into Go value of type float64", at: start)
        }
        return .double(value)
    }
}
