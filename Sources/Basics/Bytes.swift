/// Keys, values and messages below the API are bytes; text exists only at the edges.
package typealias Bytes = [UInt8]

extension Array where Element == UInt8 {
    /// Whether the bytes begin with `prefix`.
    package func hasPrefix(_ prefix: Bytes) -> Bool {
        count >= prefix.count && self[..<prefix.count].elementsEqual(prefix)
    }

    /// Bytes as text for people: UTF-8 where it is valid and printable, else hexadecimal.
    package var readable: String {
        if let text = String(validating: self, as: UTF8.self), text.utf8.allSatisfy({ $0 >= 0x20 })
        {
            return text
        }
        return "0x" + hex
    }

    /// Lower-case hexadecimal, two digits a byte.
    package var hex: String {
        let digits = Array("0123456789abcdef".utf8)
        var out = Bytes()
        out.reserveCapacity(count * 2)
        for byte in self {
            out.append(digits[Int(byte >> 4)])
            out.append(digits[Int(byte & 15)])
        }
        return String(decoding: out, as: UTF8.self)
    }
}

/// Orders two keys as `memcmp` does: by unsigned byte, a prefix before its extension.
package func isOrderedBefore(_ left: Bytes, _ right: Bytes) -> Bool {
    left.lexicographicallyPrecedes(right)
}
