/// A parsed field selector. Every requirement is an equality or its negation.
package struct FieldSelector: Sendable, Hashable {
    package struct Requirement: Sendable, Hashable {
        package var field: String
        package var isEqual: Bool
        package var value: String

        package init(field: String, isEqual: Bool, value: String) {
            self.field = field
            self.isEqual = isEqual
            self.value = value
        }
    }

    package var requirements: [Requirement]

    package init(_ requirements: [Requirement] = []) {
        self.requirements = requirements
    }

    package var isEverything: Bool { requirements.isEmpty }

    /// The one name that can match, when the selector asks for one.
    package var requiredName: String? { required("metadata.name") }
    package var requiredNamespace: String? { required("metadata.namespace") }

    private func required(_ field: String) -> String? {
        requirements.first { $0.field == field && $0.isEqual }?.value
    }

    /// Reads `a=b,c==d,e!=f`; a backslash takes the next `,`, `=` or backslash as itself.
    package init(parsing text: String) throws(SelectorError) {
        var requirements: [Requirement] = []
        for term in Self.terms(text) where !term.isEmpty {
            guard let split = Self.split(term) else {
                throw SelectorError("invalid selector: '\(text)'; can't understand '\(term)'")
            }
            requirements.append(
                Requirement(
                    field: split.field, isEqual: split.isEqual,
                    value: try Self.unescape(split.value)))
        }
        self.init(requirements)
    }

    private static func terms(_ text: String) -> [String] {
        var terms: [String] = []
        var term = ""
        var isEscaped = false
        for character in text {
            if isEscaped {
                isEscaped = false
            } else if character == "\\" {
                isEscaped = true
            } else if character == "," {
                terms.append(term)
                term = ""
                continue
            }
            term.append(character)
        }
        terms.append(term)
        return terms
    }

    private static func split(_ term: String) -> (field: String, isEqual: Bool, value: String)? {
        var index = term.startIndex
        while index < term.endIndex {
            let rest = term[index...]
            for (symbol, isEqual) in [("!=", false), ("==", true), ("=", true)]
            where rest.hasPrefix(symbol) {
                return (
                    String(term[..<index]), isEqual, String(rest.dropFirst(symbol.count))
                )
            }
            index = term.index(after: index)
        }
        return nil
    }

    private static func unescape(_ value: String) throws(SelectorError) -> String {
        var out = ""
        var isEscaped = false
        for character in value {
            if isEscaped {
                guard character == "\\" || character == "," || character == "=" else {
                    throw SelectorError(
                        "invalid field selector: invalid escape sequence: \\\(character)")
                }
                out.append(character)
                isEscaped = false
            } else if character == "\\" {
                isEscaped = true
            } else if character == "," || character == "=" {
                throw SelectorError(
                    "invalid field selector: unescaped character in value: \(character)")
            } else {
                out.append(character)
            }
        }
        if isEscaped { throw SelectorError("invalid field selector: invalid escape sequence: \\") }
        return out
    }
}

extension FieldSelector: CustomStringConvertible {
    package var description: String {
        requirements.map { $0.field + ($0.isEqual ? "=" : "!=") + $0.value }
            .joined(separator: ",")
    }
}
