import Basics
package import Keyspace

/// A hash of what a read of everything answers at a revision: keys, values, revisions, versions
/// and leases, in the order of the keys. Equal for equal states, however they came about.
package struct StateHash: Sendable, Hashable {
    package private(set) var value: UInt64 = 0xcbf2_9ce4_8422_2325
    package private(set) var keys: Int64 = 0

    package init() {}

    package mutating func add(_ keyValue: KeyValue) {
        var writer = ByteWriter(reserving: keyValue.key.count + keyValue.value.count + 48)
        writer.writeCounted(keyValue.key)
        writer.writeCounted(keyValue.value)
        for number in [
            keyValue.createRevision, keyValue.modRevision, keyValue.version, keyValue.lease,
        ] { writer.writeVarint(number) }
        var value = self.value
        for byte in writer.bytes { value = (value ^ UInt64(byte)) &* 0x100_0000_01b3 }
        self.value = value
        keys += 1
    }
}
