/// The decoded query of a request; a name may come more than once.
struct QueryParameters: Sendable {
    private let items: [(name: String, value: String)]

    init(_ query: String) {
        items = query.split(separator: "&").map { item in
            let parts = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return (
                percentDecoded(parts[0], plusIsSpace: true),
                parts.count > 1 ? percentDecoded(parts[1], plusIsSpace: true) : ""
            )
        }
    }

    /// The first value of `name`; nil when it is absent or empty.
    subscript(_ name: String) -> String? {
        for item in items where item.name == name { return item.value.isEmpty ? nil : item.value }
        return nil
    }

    func has(_ name: String) -> Bool { items.contains { $0.name == name } }

    func all(_ name: String) -> [String] {
        items.filter { $0.name == name && !$0.value.isEmpty }.map(\.value)
    }

    /// As upstream reads booleans: present and neither `false` nor `0` is true.
    func flag(_ name: String) -> Bool {
        for item in items where item.name == name {
            return item.value != "false" && item.value != "0"
        }
        return false
    }
}

/// Decodes `%XX`; what is not such an escape stays as it is.
func percentDecoded(_ text: Substring, plusIsSpace: Bool = false) -> String {
    let bytes = text.utf8
    guard bytes.contains(where: { $0 == 0x25 || (plusIsSpace && $0 == 0x2b) }) else {
        return String(text)
    }
    var out: [UInt8] = []
    out.reserveCapacity(bytes.count)
    var index = bytes.startIndex
    while index < bytes.endIndex {
        let byte = bytes[index]
        index = bytes.index(after: index)
        if byte == 0x2b, plusIsSpace {
            out.append(0x20)
        } else if byte == 0x25,
            let end = bytes.index(index, offsetBy: 2, limitedBy: bytes.endIndex),
            let value = UInt8(text[index..<end], radix: 16)
        {
            out.append(value)
            index = end
        } else {
            out.append(byte)
        }
    }
    return String(decoding: out, as: UTF8.self)
}
