/// Rules for names and keys; each answers what is wrong, in upstream's words, or nothing.
package enum NameRules {
    private static func isLower(_ byte: UInt8) -> Bool { byte >= 0x61 && byte <= 0x7a }
    private static func isDigit(_ byte: UInt8) -> Bool { byte >= 0x30 && byte <= 0x39 }
    private static func isUpper(_ byte: UInt8) -> Bool { byte >= 0x41 && byte <= 0x5a }
    private static func isLowerAlphanumeric(_ byte: UInt8) -> Bool {
        isLower(byte) || isDigit(byte)
    }
    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        isLowerAlphanumeric(byte) || isUpper(byte)
    }

    private static let labelRegex = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"

    private static func tooLong(_ bytesMax: Int) -> String {
        "must be no more than \(bytesMax) bytes"
    }

    /// Upstream's way to show examples and the pattern, double blank included.
    private static func pattern(_ text: String, _ regex: String, _ examples: [String]) -> String {
        let list = examples.map { "'\($0)', " }.joined(separator: " or ")
        return "\(text) (e.g. \(list)regex used for validation is '\(regex)')"
    }

    private static func isLabel(_ text: Substring.UTF8View) -> Bool {
        guard let first = text.first, let last = text.last else { return false }
        return isLowerAlphanumeric(first) && isLowerAlphanumeric(last)
            && text.allSatisfy { isLowerAlphanumeric($0) || $0 == UInt8(ascii: "-") }
    }

    /// RFC 1123 label: at most 63 bytes.
    package static func dnsLabel(_ text: String) -> [String] {
        var faults: [String] = []
        if text.utf8.count > 63 { faults.append(tooLong(63)) }
        if !isLabel(text[...].utf8) {
            faults.append(
                pattern(
                    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters "
                        + "or '-', and must start and end with an alphanumeric character",
                    labelRegex, ["my-name", "123-abc"]))
        }
        return faults
    }

    /// RFC 1123 subdomain: labels with dots between, at most 253 bytes.
    package static func dnsSubdomain(_ text: String) -> [String] {
        var faults: [String] = []
        if text.utf8.count > 253 { faults.append(tooLong(253)) }
        let labels = text.split(separator: ".", omittingEmptySubsequences: false)
        if !labels.allSatisfy({ isLabel($0.utf8) }) {
            faults.append(
                pattern(
                    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric "
                        + "characters, '-' or '.', and must start and end with an alphanumeric "
                        + "character", "\(labelRegex)(\\.\(labelRegex))*", ["example.com"]))
        }
        return faults
    }

    /// DNS-1035 label: as a DNS label, but begins with a letter.
    package static func dns1035Label(_ text: String) -> [String] {
        var faults: [String] = []
        if text.utf8.count > 63 { faults.append(tooLong(63)) }
        if !isLabel(text[...].utf8) || !(text.utf8.first.map(isLower) ?? false) {
            faults.append(
                pattern(
                    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', "
                        + "start with an alphabetic character, and end with an alphanumeric "
                        + "character", "[a-z]([-a-z0-9]*[a-z0-9])?", ["my-name", "abc-123"]))
        }
        return faults
    }

    private static func isQualified(_ text: Substring.UTF8View) -> Bool {
        guard let first = text.first, let last = text.last else { return false }
        return isAlphanumeric(first) && isAlphanumeric(last)
            && text.allSatisfy { isAlphanumeric($0) || "-_.".utf8.contains($0) }
    }

    private static let qualifiedText =
        "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "
        + "alphanumeric character"
    private static let qualifiedRegex = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
    private static let qualifiedExamples = ["MyName", "my.name", "123-abc"]

    /// Keys of labels, annotations and the like: an optional prefix, `/` and a name.
    package static func qualifiedName(_ text: String) -> [String] {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        var faults: [String] = []
        guard parts.count <= 2 else {
            return [
                pattern("a qualified name \(qualifiedText)", qualifiedRegex, qualifiedExamples)
                    + " with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
            ]
        }
        if parts.count == 2 {
            if parts[0].isEmpty {
                faults.append("prefix part must be non-empty")
            } else {
                faults += dnsSubdomain(String(parts[0])).map { "prefix part \($0)" }
            }
        }
        let name = parts[parts.count - 1]
        if name.isEmpty {
            faults.append("name part must be non-empty")
        } else if name.utf8.count > 63 {
            faults.append("name part \(tooLong(63))")
        }
        if !isQualified(name.utf8) {
            faults.append(
                "name part " + pattern(qualifiedText, qualifiedRegex, qualifiedExamples))
        }
        return faults
    }

    /// Values of labels.
    package static func labelValue(_ text: String) -> [String] {
        var faults: [String] = []
        if text.utf8.count > 63 { faults.append(tooLong(63)) }
        if !text.isEmpty, !isQualified(text[...].utf8) {
            faults.append(
                pattern(
                    "a valid label must be an empty string or consist of alphanumeric characters, "
                        + "'-', '_' or '.', and must start and end with an alphanumeric character",
                    "(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?",
                    ["MyValue", "my_value", "12345"]))
        }
        return faults
    }

    /// Keys of ConfigMaps and Secrets.
    package static func configKey(_ text: String) -> [String] {
        var faults: [String] = []
        if text.utf8.count > 253 { faults.append(tooLong(253)) }
        if text.isEmpty || !text.utf8.allSatisfy({ isAlphanumeric($0) || "-_.".utf8.contains($0) })
        {
            faults.append(
                pattern(
                    "a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
                    "[-._a-zA-Z0-9]+", ["key.name", "KEY_NAME", "key-name"]))
        }
        if text == "." { faults.append("must not be '.'") }
        if text == ".." { faults.append("must not be '..'") }
        if text.hasPrefix(".."), text != ".." { faults.append("must not start with '..'") }
        return faults
    }

    /// Names of environment variables: printable ASCII but `=`.
    package static func environmentName(_ text: String) -> [String] {
        text.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "=") }
            ? []
            : [
                "a valid environment variable name must consist only of printable ASCII characters "
                    + "other than '='"
            ]
    }

    /// Names of container ports (`IANA_SVC_NAME`).
    package static func portName(_ text: String) -> [String] {
        var faults: [String] = []
        if text.utf8.count > 15 { faults.append("must be no more than 15 characters") }
        if !text.utf8.allSatisfy({ isLowerAlphanumeric($0) || $0 == UInt8(ascii: "-") }) {
            faults.append(
                "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)")
        }
        if !text.utf8.contains(where: isLower) {
            faults.append("must contain at least one letter (a-z)")
        }
        if text.contains("--") { faults.append("must not contain consecutive hyphens") }
        if text.hasPrefix("-") || text.hasSuffix("-") {
            faults.append("must not begin or end with a hyphen")
        }
        return faults
    }
}
