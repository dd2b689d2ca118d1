package import Basics

/// A running hash of everything that happens (FNV-1a), to compare two runs of one seed.
package struct TraceHash: Sendable, Hashable {
    package private(set) var value: UInt64 = 0xcbf2_9ce4_8422_2325

    package init() {}

    package mutating func add(_ number: UInt64) {
        for shift in stride(from: UInt64(0), to: 64, by: 8) {
            addByte(UInt8(truncatingIfNeeded: number >> shift))
        }
    }

    package mutating func add(_ bytes: Bytes) {
        add(UInt64(bytes.count))
        for byte in bytes { addByte(byte) }
    }

    private mutating func addByte(_ byte: UInt8) {
        value = (value ^ UInt64(byte)) &* 0x100_0000_01b3
    }

    /// 16 hexadecimal digits.
    package var text: String {
        let digits = String(value, radix: 16, uppercase: true)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    static func of(_ bytes: Bytes) -> UInt64 {
        var hash = TraceHash()
        hash.add(bytes)
        return hash.value
    }
}
