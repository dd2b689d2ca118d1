/// The syntax of label keys and values, with upstream's texts for what is wrong.
package enum LabelSyntax {
    private static let namePattern =
        "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and "
        + "end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', "
        + "regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
    private static let valuePattern =
        "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' "
        + "or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or "
        + "'my_value',  or '12345', regex used for validation is "
        + "'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
    private static let prefixPattern =
        "prefix part a lowercase RFC 1123 subdomain must consist of lower case alphanumeric "
        + "characters, '-' or '.', and must start and end with an alphanumeric character "
        + "(e.g. 'example.com', regex used for validation is "
        + "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"

    /// What is wrong with a qualified name (`prefix/name`), nil when nothing is.
    package static func problem(withKey key: String) -> String? {
        let parts = key.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count <= 2, let last = parts.last else {
            return "a qualified name must consist of alphanumeric characters, '-', '_' or '.', "
                + "and must start and end with an alphanumeric character (e.g. 'MyName',  or "
                + "'my.name',  or '123-abc', regex used for validation is "
                + "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]') with an optional DNS subdomain "
                + "prefix and '/' (e.g. 'example.com/MyName')"
        }
        var problems: [String] = []
        if parts.count == 2 {
            if parts[0].isEmpty {
                problems.append("prefix part must be non-empty")
            } else if !isSubdomain(parts[0].utf8) {
                problems.append(prefixPattern)
            }
        }
        if last.isEmpty {
            problems.append("name part must be non-empty")
        } else if last.utf8.count > 63 {
            problems.append("name part must be no more than 63 bytes")
        }
        if !isName(last.utf8) { problems.append(namePattern) }
        return problems.isEmpty ? nil : problems.joined(separator: "; ")
    }

    package static func problem(withValue value: String) -> String? {
        var problems: [String] = []
        if value.utf8.count > 63 { problems.append("must be no more than 63 bytes") }
        if !value.isEmpty, !isName(value.utf8) { problems.append(valuePattern) }
        return problems.isEmpty ? nil : problems.joined(separator: "; ")
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
    }

    private static func isName(_ bytes: Substring.UTF8View) -> Bool {
        guard let first = bytes.first, let last = bytes.last else { return false }
        return isAlphanumeric(first) && isAlphanumeric(last)
            && bytes.allSatisfy { isAlphanumeric($0) || $0 == 0x2d || $0 == 0x5f || $0 == 0x2e }
    }

    private static func isName(_ bytes: String.UTF8View) -> Bool {
        isName(Substring(String(bytes)).utf8)
    }

    private static func isSubdomain(_ bytes: Substring.UTF8View) -> Bool {
        guard bytes.count <= 253 else { return false }
        let isEdge = { (byte: UInt8) in
            (0x30...0x39).contains(byte) || (0x61...0x7a).contains(byte)
        }
        return bytes.split(separator: 0x2e, omittingEmptySubsequences: false).allSatisfy { label in
            guard let first = label.first, let last = label.last else { return false }
            return isEdge(first) && isEdge(last) && label.allSatisfy { isEdge($0) || $0 == 0x2d }
        }
    }
}
