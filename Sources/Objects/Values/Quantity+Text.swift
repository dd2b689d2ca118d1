package import Documents

/// Why a text is not a quantity, in upstream's words.
package enum QuantityError: String, Error, Sendable {
    case format =
        """
        quantities must match the regular expression \
        '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'
        """
    case suffix = "unable to parse quantity's suffix"
    case numeric = "unable to parse numeric part of quantity"
}

extension Quantity {
    /// Beyond it upstream saturates as well (2^63-1 units).
    static let nanosMax = Int128(Int64.max) * 1_000_000_000

    /// nil unless the text is a quantity.
    package init?(_ text: String) {
        do {
            self = try Quantity.parse(text)
        } catch {
            return nil
        }
    }

    /// From JSON, where a number is a quantity too; nil unless it is one.
    package init?(_ json: JSON?) {
        switch json {
        case .string(let text): self.init(text)
        case .integer(let value): self.init(value)
        case .double: self.init(json?.description ?? "")
        default: return nil
        }
    }

    package static func parse(_ text: String) throws(QuantityError) -> Quantity {
        let bytes = Array(text.utf8)
        var position = 0
        var isNegative = false
        if let sign = bytes.first, sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") {
            isNegative = sign == UInt8(ascii: "-")
            position = 1
        }
        var digits: [UInt8] = []
        var fractionDigits = 0
        var hasPoint = false
        let start = position
        while position < bytes.count {
            let byte = bytes[position]
            if byte == UInt8(ascii: "."), !hasPoint {
                hasPoint = true
            } else if byte >= 0x30, byte <= 0x39 {
                digits.append(byte - 0x30)
                if hasPoint { fractionDigits += 1 }
            } else {
                break
            }
            position += 1
        }
        guard position > start else { throw .format }
        guard !digits.isEmpty else { throw .numeric }
        let suffix = String(decoding: bytes[position...], as: UTF8.self)
        let (base, exponent, notation) = try parseSuffix(suffix)
        let nanos = scale(
            digits, tenTo: (base == 10 ? exponent : 0) - fractionDigits + 9,
            twoTo: base == 2 ? exponent : 0)
        return Quantity(nanos: isNegative ? -nanos : nanos, notation: notation)
    }

    private static func parseSuffix(
        _ suffix: String
    ) throws(QuantityError) -> (base: Int, exponent: Int, notation: Notation) {
        switch suffix {
        case "": return (10, 0, .decimalSI)
        case "n": return (10, -9, .decimalSI)
        case "u": return (10, -6, .decimalSI)
        case "m": return (10, -3, .decimalSI)
        case "k": return (10, 3, .decimalSI)
        case "M": return (10, 6, .decimalSI)
        case "G": return (10, 9, .decimalSI)
        case "T": return (10, 12, .decimalSI)
        case "P": return (10, 15, .decimalSI)
        case "E": return (10, 18, .decimalSI)
        case "Ki": return (2, 10, .binarySI)
        case "Mi": return (2, 20, .binarySI)
        case "Gi": return (2, 30, .binarySI)
        case "Ti": return (2, 40, .binarySI)
        case "Pi": return (2, 50, .binarySI)
        case "Ei": return (2, 60, .binarySI)
        default: break
        }
        guard suffix.utf8.first == UInt8(ascii: "e") || suffix.utf8.first == UInt8(ascii: "E"),
            suffix.utf8.count <= 8, let exponent = Int(suffix.dropFirst())
        else { throw suffix.utf8.allSatisfy(isSuffixByte) ? .suffix : .format }
        return (10, exponent, .decimalExponent)
    }

    private static func isSuffixByte(_ byte: UInt8) -> Bool {
        "eEinumkKMGTP+-0123456789".utf8.contains(byte)
    }

    /// digits * 10^tenTo * 2^twoTo, rounded up to a whole number and cut to `nanosMax`.
    private static func scale(_ digits: [UInt8], tenTo: Int, twoTo: Int) -> Int128 {
        var significant = digits[...]
        while let first = significant.first, first == 0 { significant = significant.dropFirst() }
        var power = tenTo
        while let last = significant.last, last == 0 {
            significant = significant.dropLast()
            power += 1
        }
        if significant.isEmpty { return 0 }
        // 2^60 of fractions matters below 10^-18 only; everything longer is rounded up there.
        var roundsUp = false
        if significant.count > 24 {
            power += significant.count - 24
            significant = significant.prefix(24)
            roundsUp = true
        }
        var value: Int128 = 0
        for digit in significant { value = value * 10 + Int128(digit) }
        for _ in 0..<max(0, twoTo) {
            if value > nanosMax << 10 {
                // Decimals that the power of ten takes away again go first.
                guard power < 0 else { return nanosMax }
                if value % 10 != 0 { roundsUp = true }
                value /= 10
                power += 1
            }
            value *= 2
        }
        while power < 0, value > 0 {
            if value % 10 != 0 { roundsUp = true }
            value /= 10
            power += 1
        }
        if roundsUp { value += 1 }
        if value == 0 { return 1 }
        while power > 0 {
            guard value <= nanosMax else { return nanosMax }
            value *= 10
            power -= 1
        }
        return min(value, nanosMax)
    }

    /// Upstream's canonical form: no fractions, the largest suffix that loses nothing.
    package var canonical: String {
        if nanos == 0 { return "0" }
        let limit = Int128(1024) * 1_000_000_000
        // Small and fractional amounts are exact only in decimals.
        if notation == .binarySI, nanos <= -limit || nanos >= limit, nanos % 1_000_000_000 == 0 {
            var mantissa = nanos / 1_000_000_000
            let suffixes = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"]
            var index = 0
            while mantissa % 1024 == 0, index < suffixes.count - 1 {
                mantissa /= 1024
                index += 1
            }
            return "\(mantissa)\(suffixes[index])"
        }
        var mantissa = nanos
        var exponent = -9
        while mantissa % 1000 == 0, notation == .decimalExponent || exponent < 18 {
            mantissa /= 1000
            exponent += 3
        }
        if exponent == 0 { return "\(mantissa)" }
        if notation == .decimalExponent { return "\(mantissa)e\(exponent)" }
        let suffixes = ["n", "u", "m", "", "k", "M", "G", "T", "P", "E"]
        return "\(mantissa)\(suffixes[(exponent + 9) / 3])"
    }
}

extension Quantity: CustomStringConvertible {
    package var description: String { canonical }
}
