/// `resource.Quantity`: an exact amount in units of 10^-9, and the notation it came in.
package struct Quantity: Sendable, Hashable {
    package enum Notation: Sendable, Hashable {
        case decimalSI
        case binarySI
        case decimalExponent
    }

    /// Billionths. Upstream rounds up below that, too.
    package var nanos: Int128
    package var notation: Notation

    package init(nanos: Int128, notation: Notation = .decimalSI) {
        self.nanos = nanos
        self.notation = notation
    }

    /// A whole number of units.
    package init(_ value: Int64, notation: Notation = .decimalSI) {
        self.init(nanos: Int128(value) * 1_000_000_000, notation: notation)
    }

    package init(milli: Int64, notation: Notation = .decimalSI) {
        self.init(nanos: Int128(milli) * 1_000_000, notation: notation)
    }

    package static let zero = Quantity(0)

    /// Whole units, rounded up, as upstream's `Value()`; saturates.
    package var value: Int64 { Self.clamp(Self.divideUp(nanos, 1_000_000_000)) }

    /// Thousandths, rounded up, as upstream's `MilliValue()`; saturates.
    package var milliValue: Int64 { Self.clamp(Self.divideUp(nanos, 1_000_000)) }

    package var isZero: Bool { nanos == 0 }

    private static func clamp(_ value: Int128) -> Int64 { Int64(clamping: value) }

    /// Away from zero.
    static func divideUp(_ value: Int128, _ divisor: Int128) -> Int128 {
        let (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor)
        if remainder == 0 { return quotient }
        return value > 0 ? quotient + 1 : quotient - 1
    }

    package static func == (left: Quantity, right: Quantity) -> Bool { left.nanos == right.nanos }
    package func hash(into hasher: inout Hasher) { hasher.combine(nanos) }
}

extension Quantity: Comparable {
    package static func < (left: Quantity, right: Quantity) -> Bool { left.nanos < right.nanos }

    /// The sum in the notation of the left side, unless that is zero.
    package static func + (left: Quantity, right: Quantity) -> Quantity {
        Quantity(
            nanos: saturate(left.nanos.addingReportingOverflow(right.nanos), left.nanos > 0),
            notation: left.isZero ? right.notation : left.notation)
    }

    package static func - (left: Quantity, right: Quantity) -> Quantity {
        Quantity(
            nanos: saturate(left.nanos.subtractingReportingOverflow(right.nanos), left.nanos > 0),
            notation: left.isZero ? right.notation : left.notation)
    }

    package static func += (left: inout Quantity, right: Quantity) { left = left + right }
    package static func -= (left: inout Quantity, right: Quantity) { left = left - right }

    private static func saturate(
        _ result: (partialValue: Int128, overflow: Bool), _ isPositive: Bool
    ) -> Int128 {
        guard result.overflow else { return result.partialValue }
        return isPositive ? nanosMax : -nanosMax
    }
}
