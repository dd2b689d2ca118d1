package import Basics

/// Standard base64 with padding, as JSON carries bytes.
package enum Base64 {
    private static let alphabet = Bytes(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    private static let values: [UInt8] = {
        var values = [UInt8](repeating: 0xff, count: 256)
        for (index, byte) in alphabet.enumerated() { values[Int(byte)] = UInt8(index) }
        return values
    }()

    package static func encode(_ bytes: some Collection<UInt8>) -> String {
        var out = Bytes()
        out.reserveCapacity((bytes.count + 2) / 3 * 4)
        var group: UInt32 = 0
        var count = 0
        for byte in bytes {
            group = group << 8 | UInt32(byte)
            count += 1
            if count == 3 {
                for shift in [UInt32(18), 12, 6, 0] {
                    out.append(alphabet[Int(group >> shift & 63)])
                }
                group = 0
                count = 0
            }
        }
        if count > 0 {
            group <<= UInt32(8 * (3 - count))
            for index in 0..<4 {
                let isPadding = index > count
                out.append(
                    isPadding
                        ? UInt8(ascii: "=") : alphabet[Int(group >> UInt32(18 - 6 * index) & 63)])
            }
        }
        return String(decoding: out, as: UTF8.self)
    }

    /// The bytes, or the offset of the first byte that does not belong. Line ends are skipped, as
    /// Go does.
    package static func decode(_ text: String) -> Result<Bytes, Base64Error> {
        var out = Bytes()
        out.reserveCapacity(text.utf8.count / 4 * 3)
        var group: UInt32 = 0
        var count = 0
        var padding = 0
        var offset = 0
        for byte in text.utf8 {
            defer { offset += 1 }
            if byte == 0x0a || byte == 0x0d { continue }
            if byte == UInt8(ascii: "="), count >= 2, count + padding < 4 {
                padding += 1
                continue
            }
            let value = values[Int(byte)]
            guard value != 0xff, padding == 0 else { return .failure(Base64Error(offset: offset)) }
            group = group << 6 | UInt32(value)
            count += 1
            if count == 4 {
                out.append(UInt8(truncatingIfNeeded: group >> 16))
                out.append(UInt8(truncatingIfNeeded: group >> 8))
                out.append(UInt8(truncatingIfNeeded: group))
                group = 0
                count = 0
            }
        }
        guard (count + padding) % 4 == 0 else { return .failure(Base64Error(offset: offset)) }
        if count >= 2 {
            group <<= UInt32(6 * (4 - count))
            out.append(UInt8(truncatingIfNeeded: group >> 16))
            if count == 3 { out.append(UInt8(truncatingIfNeeded: group >> 8)) }
        }
        return .success(out)
    }
}

package struct Base64Error: Error, Sendable, Hashable {
    package let offset: Int
    package var description: String { "illegal base64 data at input byte \(offset)" }
}
