package import Basics

extension JSON {
    /// Compact text, escaped as Go's encoding/json does.
    package func bytes() -> Bytes {
        var out = Bytes()
        out.reserveCapacity(1024)
        write(to: &out)
        return out
    }

    package func write(to out: inout Bytes) {
        switch self {
        case .null: out.append(contentsOf: "null".utf8)
        case .bool(let value): out.append(contentsOf: (value ? "true" : "false").utf8)
        case .integer(let value): Self.write(value, to: &out)
        case .double(let value): Self.write(value, to: &out)
        case .string(let value): Self.write(value, to: &out)
        case .array(let elements):
            out.append(UInt8(ascii: "["))
            for index in elements.indices {
                if index > 0 { out.append(UInt8(ascii: ",")) }
                elements[index].write(to: &out)
            }
            out.append(UInt8(ascii: "]"))
        case .object(let object):
            out.append(UInt8(ascii: "{"))
            var isFirst = true
            for member in object {
                if !isFirst { out.append(UInt8(ascii: ",")) }
                isFirst = false
                Self.write(member.key, to: &out)
                out.append(UInt8(ascii: ":"))
                member.value.write(to: &out)
            }
            out.append(UInt8(ascii: "}"))
        }
    }

    static func write(_ value: Int64, to out: inout Bytes) {
        if value >= 0, value < 10 {
            out.append(0x30 + UInt8(value))
            return
        }
        out.append(contentsOf: String(value).utf8)
    }

    /// Shortest digits that read back the same; exponents only below 1e-6 and from 1e21 on.
    static func write(_ value: Double, to out: inout Bytes) {
        guard value.isFinite, value != 0 else {
            out.append(UInt8(ascii: "0"))
            return
        }
        // Swift's description has the shortest digits, but another layout than Go's.
        var digits = Bytes()
        var exponent = 0
        var pointAt: Int?
        let text = Bytes(value.magnitude.description.utf8)
        for (index, byte) in text.enumerated() {
            if byte == UInt8(ascii: ".") {
                pointAt = digits.count
            } else if byte == UInt8(ascii: "e") {
                exponent = Int(String(decoding: text[(index + 1)...], as: UTF8.self)) ?? 0
                break
            } else {
                digits.append(byte)
            }
        }
        var point = (pointAt ?? digits.count) + exponent
        while digits.count > 1, digits.first == 0x30 {
            digits.removeFirst()
            point -= 1
        }
        while digits.count > 1, digits.last == 0x30 { digits.removeLast() }
        if value < 0 { out.append(UInt8(ascii: "-")) }
        if point <= -6 || point > 21 {
            out.append(digits[0])
            if digits.count > 1 {
                out.append(UInt8(ascii: "."))
                out.append(contentsOf: digits[1...])
            }
            let power = point - 1
            out.append(contentsOf: (power < 0 ? "e-" : "e+").utf8)
            if power.magnitude < 10, power > 0 { out.append(0x30) }
            out.append(contentsOf: String(power.magnitude).utf8)
        } else if point <= 0 {
            out.append(contentsOf: "0.".utf8)
            out.append(contentsOf: repeatElement(0x30, count: -point))
            out.append(contentsOf: digits)
        } else if point >= digits.count {
            out.append(contentsOf: digits)
            out.append(contentsOf: repeatElement(0x30, count: point - digits.count))
        } else {
            out.append(contentsOf: digits[..<point])
            out.append(UInt8(ascii: "."))
            out.append(contentsOf: digits[point...])
        }
    }

    package static func write(_ text: String, to out: inout Bytes) {
        out.append(UInt8(ascii: "\""))
        var text = text
        text.makeContiguousUTF8()
        let span = text.utf8.span
        var plainFrom = 0
        for index in span.indices {
            let byte = span[index]
            if needsNoEscape[Int(byte)] { continue }
            let isSeparator =
                byte == 0xe2 && index + 2 < span.count && span[index + 1] == 0x80
                && span[index + 2] | 1 == 0xa9
            if byte >= 0x80, !isSeparator { continue }
            for plain in plainFrom..<index { out.append(span[plain]) }
            plainFrom = index + 1
            if isSeparator {
                out.append(contentsOf: (span[index + 2] == 0xa8 ? "\\u2028" : "\\u2029").utf8)
                plainFrom = index + 3
            } else {
                writeEscape(byte, to: &out)
            }
        }
        for plain in plainFrom..<span.count { out.append(span[plain]) }
        out.append(UInt8(ascii: "\""))
    }

    private static func writeEscape(_ byte: UInt8, to out: inout Bytes) {
        out.append(UInt8(ascii: "\\"))
        switch byte {
        case 0x22, 0x5c: out.append(byte)
        case 0x08: out.append(UInt8(ascii: "b"))
        case 0x0c: out.append(UInt8(ascii: "f"))
        case 0x0a: out.append(UInt8(ascii: "n"))
        case 0x0d: out.append(UInt8(ascii: "r"))
        case 0x09: out.append(UInt8(ascii: "t"))
        default:
            out.append(contentsOf: "u00".utf8)
            out.append(contentsOf: [byte].hex.utf8)
        }
    }

    /// Bytes below 0x80 that stand for themselves. Go escapes `<`, `>` and `&` too, so that JSON
    /// can stand in HTML.
    private static let needsNoEscape: [Bool] = (0..<256).map { byte in
        switch UInt8(byte) {
        case 0x00..<0x20, 0x22, 0x5c, 0x3c, 0x3e, 0x26: false
        case 0x80...: byte != 0xe2
        default: true
        }
    }
}
