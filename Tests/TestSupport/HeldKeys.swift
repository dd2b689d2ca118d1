package import Basics
package import Keyspace

/// Keeps the keys of an answer to a range instead of encoding them.
package final class HeldKeys: RangeEncoding {
    package typealias Measure = @Sendable (_ keyBytes: Int, _ valueBytes: Int) -> Int

    private let measure: Measure
    private let held = Locked<[KeyValue]>([])
    private let begun = Locked(
        (KeyValue(key: [], value: [], createRevision: 0, modRevision: 0, version: 0), 0..<0))

    package let wantsTotalsFirst: Bool

    package init(wantsTotalsFirst: Bool = true, _ measure: @escaping Measure) {
        self.wantsTotalsFirst = wantsTotalsFirst
        self.measure = measure
    }

    package func bytes(_ state: KeyValue, keyBytes: Int, valueBytes: Int) -> Int {
        measure(keyBytes, valueBytes)
    }

    /// Only the value is written; where it begins is kept until it is read back.
    package func begin(
        _ state: KeyValue, key: UnsafeRawBufferPointer, valueBytes: Int,
        in writer: inout MeasuredWriter
    ) {
        var begun = state
        unsafe begun.key = Bytes(key)
        self.begun.withLock { [start = writer.count] in
            $0 = (begun, start..<start + valueBytes)
        }
    }

    package func end(_ state: KeyValue, in writer: inout MeasuredWriter) {
        var (keyValue, place) = begun.withLock { $0 }
        precondition(writer.count == place.upperBound, "another value than was announced")
        unsafe keyValue.value = Bytes(writer.written[place])
        held.withLock { [keyValue] in $0.append(keyValue) }
    }

    /// What came since this was asked the last time.
    package func take() -> [KeyValue] {
        held.withLock { held in
            defer { held = [] }
            return held
        }
    }
}
