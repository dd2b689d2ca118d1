/// Appends that left for one member and are not acknowledged.
///
/// Bounded in number, so that a slow member does not make the queues of its connection long, and in
/// bytes, so that large entries do not either. One append always fits.
struct Inflights: Sendable {
    private struct Sent {
        var lastIndex: UInt64
        var bytes: Int
    }

    /// Rising by index.
    private var sent: [Sent] = []
    private(set) var bytes = 0

    var count: Int { sent.count }

    mutating func add(lastIndex: UInt64, bytes: Int) {
        precondition(lastIndex > sent.last?.lastIndex ?? 0, "\(lastIndex) is already in flight")
        sent.append(Sent(lastIndex: lastIndex, bytes: bytes))
        self.bytes += bytes
    }

    /// Everything up to `index` arrived.
    mutating func acknowledged(_ index: UInt64) {
        let count = sent.prefix { $0.lastIndex <= index }.count
        for append in sent.prefix(count) { bytes -= append.bytes }
        sent.removeFirst(count)
        precondition(bytes >= 0 && (bytes == 0 || !sent.isEmpty))
    }

    mutating func forget() {
        sent = []
        bytes = 0
    }

    func isFull(countMax: Int, bytesMax: Int) -> Bool {
        sent.count >= countMax || bytes >= bytesMax
    }
}
