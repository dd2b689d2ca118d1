/// How long a leader's own writes have gone without becoming durable.
struct DiskWatch: Sendable {
    private var lastPersisted: UInt64 = 0
    /// Ticks since a write became durable, while others waited.
    private(set) var stalledTicks = 0

    mutating func tick(persisted: UInt64, written: UInt64) {
        let isStalled = persisted < written && persisted == lastPersisted
        stalledTicks = isStalled ? stalledTicks + 1 : 0
        lastPersisted = persisted
    }
}
