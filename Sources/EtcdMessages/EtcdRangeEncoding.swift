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

    package func begin(
        _ state: KeyValue, key: UnsafeRawBufferPointer, valueBytes: Int,
        in writer: inout MeasuredWriter
    ) {
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
    }

    package func end(_ state: KeyValue, in writer: inout MeasuredWriter) {
        writer.write(6, state.lease)
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
