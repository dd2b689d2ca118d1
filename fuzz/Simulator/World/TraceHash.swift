package import Basics

/// A running hash of everything that happens, to compare two runs of one seed.
package struct TraceHash: Sendable, Hashable {
    package private(set) var value: UInt64 = 0xcbf2_9ce4_8422_2325

    package init() {}

    package mutating func add(_ number: UInt64) {
        var mixed = (value ^ number) &* 0x9e37_79b9_7f4a_7c15
        mixed ^= mixed >> 29
        value = mixed &* 0xbf58_476d_1ce4_e5b9
    }

    package mutating func add(_ bytes: Bytes) {
        add(UInt64(bytes.count))
        unsafe bytes.withUnsafeBytes { raw in
            var offset = 0
            while offset + 8 <= raw.count {
                add(unsafe raw.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
                offset += 8
            }
            guard offset < raw.count else { return }
            var word: UInt64 = 0
            for index in offset..<raw.count { word = unsafe word << 8 | UInt64(raw[index]) }
            add(word)
        }
    }

    /// 16 hexadecimal digits.
    package static func text(_ value: UInt64) -> String {
        let digits = String(value, radix: 16, uppercase: true)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    static func of(_ bytes: Bytes) -> UInt64 {
        var hash = TraceHash()
        hash.add(bytes)
        return hash.value
    }
}
