extension LabelSelector {
    /// Reads the query form: `a=b,c!=d,e in (f,g),h notin (i),j,!k,l>1`.
    package init(parsing text: String) throws(SelectorError) {
        var parser = LabelSelectorParser(text)
        var requirements = try parser.parse()
        // Upstream sorts, so that equal selectors print alike.
        requirements.sort { $0.key < $1.key }
        self.init(requirements)
    }
}

/// Upstream's recursive descent over its token kinds, for the sake of its error texts.
private struct LabelSelectorParser {
    private enum Token: Equatable {
        case end, comma, open, close, not, identifier
        case compare(LabelSelector.Requirement.Operator)
        case isIn, notIn
    }
    private struct Scanned {
        var token: Token
        var literal: String
    }

    private var tokens: [Scanned] = []
    private var position = 0

    init(_ text: String) {
        var rest = Substring(text)
        while let scanned = Self.scan(&rest) { tokens.append(scanned) }
        tokens.append(Scanned(token: .end, literal: ""))
    }

    private static func scan(_ rest: inout Substring) -> Scanned? {
        rest = rest.drop { $0.isWhitespace }
        guard let first = rest.first else { return nil }
        let symbols: Set<Character> = ["=", "!", "(", ")", ",", ">", "<"]
        guard symbols.contains(first) else {
            let word = rest.prefix { !$0.isWhitespace && !symbols.contains($0) }
            rest = rest.dropFirst(word.count)
            let literal = String(word)
            switch literal {
            case "in": return Scanned(token: .isIn, literal: literal)
            case "notin": return Scanned(token: .notIn, literal: literal)
            default: return Scanned(token: .identifier, literal: literal)
            }
        }
        let table: [(String, Token)] = [
            ("==", .compare(.equals)), ("!=", .compare(.notEquals)), ("=", .compare(.equals)),
            (">", .compare(.greaterThan)), ("<", .compare(.lessThan)), ("!", .not), ("(", .open),
            (")", .close), (",", .comma),
        ]
        for (literal, token) in table where rest.hasPrefix(literal) {
            rest = rest.dropFirst(literal.count)
            return Scanned(token: token, literal: literal)
        }
        return nil
    }

    /// In value position `in` and `notin` are ordinary words.
    private func peek(asValue: Bool = true) -> Scanned {
        var scanned = tokens[position]
        if asValue, scanned.token == .isIn || scanned.token == .notIn {
            scanned.token = .identifier
        }
        return scanned
    }

    private mutating func next(asValue: Bool = true) -> Scanned {
        let scanned = peek(asValue: asValue)
        if position < tokens.count - 1 { position += 1 }
        return scanned
    }

    mutating func parse() throws(SelectorError) -> [LabelSelector.Requirement] {
        var requirements: [LabelSelector.Requirement] = []
        while true {
            let start = peek()
            switch start.token {
            case .identifier, .not:
                do {
                    requirements.append(try requirement())
                } catch {
                    throw SelectorError("unable to parse requirement: \(error.message)")
                }
                let after = next()
                if after.token == .end { return requirements }
                guard after.token == .comma else {
                    throw SelectorError(
                        "found '\(after.literal)', expected: ',' or 'end of string'")
                }
                let following = peek()
                guard following.token == .identifier || following.token == .not else {
                    throw SelectorError(
                        "found '\(following.literal)', expected: identifier after ','")
                }
            case .end:
                return requirements
            default:
                throw SelectorError(
                    "found '\(start.literal)', expected: !, identifier, or 'end of string'")
            }
        }
    }

    private mutating func requirement() throws(SelectorError) -> LabelSelector.Requirement {
        var first = next()
        let isNegated = first.token == .not
        if isNegated { first = next() }
        guard first.token == .identifier else {
            throw SelectorError("found '\(first.literal)', expected: identifier")
        }
        let key = first.literal
        if let problem = LabelSyntax.problem(withKey: key) {
            throw SelectorError("key: Invalid value: \"\(key)\": \(problem)")
        }
        if isNegated { return .init(key: key, operator: .doesNotExist) }
        let after = peek()
        if after.token == .end || after.token == .comma {
            return .init(key: key, operator: .exists)
        }
        let found = next(asValue: false)
        switch found.token {
        case .isIn: return try checked(key, .isIn, try values())
        case .notIn: return try checked(key, .notIn, try values())
        case .compare(let relation): return try checked(key, relation, [try exactValue()])
        default:
            throw SelectorError(
                "found '\(found.literal)', expected: in, notin, =, ==, !=, gt, lt")
        }
    }

    private func checked(
        _ key: String, _ relation: LabelSelector.Requirement.Operator, _ values: [String]
    ) throws(SelectorError) -> LabelSelector.Requirement {
        for (index, value) in values.enumerated() {
            if relation == .greaterThan || relation == .lessThan, Int64(value) == nil {
                throw SelectorError(
                    "values[\(index)]: Invalid value: \"\(value)\": for 'Gt', 'Lt' operators, "
                        + "the value must be an integer")
            }
            if let problem = LabelSyntax.problem(withValue: value) {
                throw SelectorError(
                    "values[\(index)][\(key)]: Invalid value: \"\(value)\": \(problem)")
            }
        }
        return .init(key: key, operator: relation, values: values)
    }

    private mutating func exactValue() throws(SelectorError) -> String {
        let ahead = peek()
        if ahead.token == .end || ahead.token == .comma { return "" }
        let found = next()
        guard found.token == .identifier else {
            throw SelectorError("found '\(found.literal)', expected: identifier")
        }
        return found.literal
    }

    private mutating func values() throws(SelectorError) -> [String] {
        let open = next()
        guard open.token == .open else {
            throw SelectorError("found '\(open.literal)' expected: '('")
        }
        var values: [String] = []
        var expectsValue = true
        while true {
            let found = next()
            switch found.token {
            case .identifier:
                values.append(found.literal)
                expectsValue = false
                let after = peek()
                guard after.token == .comma || after.token == .close else {
                    throw SelectorError("found '\(after.literal)', expected: ',' or ')'")
                }
            case .comma:
                if expectsValue { values.append("") }
                expectsValue = true
            case .close:
                if expectsValue { values.append("") }
                return Array(Set(values)).sorted()
            default:
                throw SelectorError(
                    "found '\(found.literal)', expected: ',', ')' or identifier")
            }
        }
    }
}
