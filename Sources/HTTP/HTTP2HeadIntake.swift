/// Makes heads of the header blocks of one connection, which come one after the other.
///
/// Clients send nearly the same block with every request, and strings are dear: what stood in the
/// same place of the block before is used again, the whole head if the blocks are equal.
struct HTTP2HeadIntake {
    private struct Extent: Hashable {
        var name: Int
        var value: Int
    }

    private struct Block {
        var bytes: [UInt8] = []
        var extents: [Extent] = []
        var fields: [HTTPHeaders.Field] = []

        mutating func clear() {
            bytes.removeAll(keepingCapacity: true)
            extents.removeAll(keepingCapacity: true)
            fields.removeAll(keepingCapacity: true)
        }
    }

    /// A larger block is not kept for comparison.
    private static let keptBytesMax = 4096

    private var current = Block()
    private var last = Block()
    private var head = HTTP2IncomingHead()
    private var count = 0
    private var isCutOff = false

    mutating func begin() {
        current.clear()
        count = 0
        isCutOff = false
    }

    /// Adds a field; one behind `bytesMax` is only counted.
    mutating func add(
        _ name: UnsafeBufferPointer<UInt8>, _ value: UnsafeBufferPointer<UInt8>, bytesMax: Int
    ) {
        count += name.count + value.count + 32
        guard count <= bytesMax else {
            isCutOff = true
            return
        }
        unsafe current.bytes.append(contentsOf: name)
        unsafe current.bytes.append(contentsOf: value)
        current.extents.append(Extent(name: name.count, value: value.count))
    }

    /// The head that the block makes, and whether it is that of the block before.
    mutating func finish() -> (head: HTTP2IncomingHead, isSame: Bool) {
        if !isCutOff, !last.bytes.isEmpty, current.extents == last.extents,
            current.bytes == last.bytes
        {
            return (head, true)
        }
        readFields()
        var head = HTTP2IncomingHead()
        head.bytes = count
        head.headers.reserveCapacity(current.fields.count)
        for field in current.fields { head.take(field) }
        if !isCutOff, current.bytes.count <= Self.keptBytesMax {
            swap(&current, &last)
            self.head = head
        } else {
            current = Block()
        }
        return (head, false)
    }

    /// Makes strings of what differs from the last block in its place.
    private mutating func readFields() {
        var start = 0
        var lastStart = 0
        for (position, extent) in current.extents.enumerated() {
            let range = start..<start + extent.name + extent.value
            start = range.upperBound
            if position < last.extents.count {
                let old = last.extents[position]
                let oldRange = lastStart..<lastStart + old.name + old.value
                lastStart = oldRange.upperBound
                if old == extent, current.bytes[range] == last.bytes[oldRange] {
                    current.fields.append(last.fields[position])
                    continue
                }
            }
            current.fields.append(field(range, nameBytes: extent.name))
        }
    }

    private func field(_ range: Range<Int>, nameBytes: Int) -> HTTPHeaders.Field {
        let middle = range.lowerBound + nameBytes
        return HTTPHeaders.Field(
            name: String(decoding: current.bytes[range.lowerBound..<middle], as: UTF8.self),
            value: String(decoding: current.bytes[middle..<range.upperBound], as: UTF8.self))
    }
}
