import Basics

/// Fresh names; randomness is an argument.
package enum Names {
    /// Without vowels and look-alikes, so that no words come out.
    private static let alphabet = Bytes("bcdfghjklmnpqrstvwxz2456789".utf8)

    /// The five characters behind a `generateName`.
    package static func suffix(using random: inout some RandomNumberGenerator) -> String {
        suffix(5, using: &random)
    }

    package static func suffix(
        _ count: Int, using random: inout some RandomNumberGenerator
    ) -> String {
        var out = Bytes()
        for _ in 0..<count {
            out.append(alphabet[Int(random.next(upperBound: UInt64(alphabet.count)))])
        }
        return String(decoding: out, as: UTF8.self)
    }

    /// A version 4 UUID.
    package static func uid(using random: inout some RandomNumberGenerator) -> String {
        var bytes = Bytes()
        for _ in 0..<2 {
            let word: UInt64 = random.next()
            for shift in stride(from: 56, through: 0, by: -8) {
                bytes.append(UInt8(truncatingIfNeeded: word >> UInt64(shift)))
            }
        }
        bytes[6] = bytes[6] & 0x0f | 0x40
        bytes[8] = bytes[8] & 0x3f | 0x80
        let hex = Array(bytes.hex.utf8)
        let parts = [0..<8, 8..<12, 12..<16, 16..<20, 20..<32].map { range in
            String(decoding: hex[range], as: UTF8.self)
        }
        return parts.joined(separator: "-")
    }

    /// Upstream's hash of 32 bits as it stands in names: decimal digits through the alphabet.
    package static func safeEncode(_ text: String) -> String {
        String(decoding: text.utf8.map { alphabet[Int($0) % alphabet.count] }, as: UTF8.self)
    }

    /// `generateName` and a suffix, cut to upstream's 63 bytes.
    package static func generated(_ base: String, suffix: String) -> String {
        let room = 63 - suffix.utf8.count
        return String(decoding: base.utf8.prefix(max(0, room)), as: UTF8.self) + suffix
    }
}
