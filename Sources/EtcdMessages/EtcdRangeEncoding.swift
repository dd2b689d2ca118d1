package import Basics
package import Keyspace

/// The keys of a `RangeResponse`, written without a `KeyValue` that holds them.
package struct EtcdRangeEncoding: RangeEncoding {
    package let wantsTotalsFirst: Bool

    package init(wantsTotalsFirst: Bool = true) {
        self.wantsTotalsFirst = wantsTotalsFirst
    }

    package func bytes(_ state: KeyValue, keyBytes: Int, valueBytes: Int) -> Int {
        state.elementBytes(keyBytes: keyBytes, valueBytes: valueBytes)
    }

    package func makeEncoder(reserving bytes: Int) -> any RangeEncoder {
        EtcdRangeEncoder(reserving: bytes)
    }
}

final class EtcdRangeEncoder: RangeEncoder {
    private var writer: ProtobufWriter
    private var lease: Int64 = 0

    init(reserving bytes: Int) {
        writer = ProtobufWriter(reserving: bytes)
    }

    var bytes: Bytes { writer.bytes }
    var count: Int { writer.count }

    func begin(_ state: KeyValue, key: UnsafeRawBufferPointer, valueBytes: Int) {
        let count = state.messageBytes(keyBytes: key.count, valueBytes: valueBytes)
        writer.beginElement(2, count: count)
        if unsafe !key.isEmpty {
            writer.beginElement(1, count: key.count)
            unsafe writer.write(raw: key)
        }
        writer.write(2, state.createRevision)
        writer.write(3, state.modRevision)
        writer.write(4, state.version)
        if valueBytes > 0 { writer.beginElement(5, count: valueBytes) }
        lease = state.lease
    }

    func append(_ part: UnsafeRawBufferPointer) {
        unsafe writer.write(raw: part)
    }

    func end() {
        writer.write(6, lease)
    }
}

extension RangeSummary {
    /// What stands before and behind the keys of a `RangeResponse`.
    package func around(header: ResponseHeader) -> (head: Bytes, tail: Bytes) {
        var head = ProtobufWriter()
        head.write(1, header)
        var tail = ProtobufWriter()
        tail.write(3, more)
        tail.write(4, count)
        return (head.bytes, tail.bytes)
    }
}
