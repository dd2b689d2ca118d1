import Basics
package import Keyspace

/// Keeps the keys of an answer to a range instead of encoding them.
package final class HeldKeys: RangeEncoding {
    package typealias Measure = @Sendable (_ keyBytes: Int, _ valueBytes: Int) -> Int

    private final class Encoder: RangeEncoder {
        private let held: Locked<[KeyValue]>
        private let measure: Measure
        private var keyValue = KeyValue(
            key: [], value: [], createRevision: 0, modRevision: 0, version: 0)
        private var valueBytes = 0
        private(set) var count = 0
        /// One for each key, whatever the measure: nobody reads them.
        private(set) var bytes = Bytes()

        init(_ held: Locked<[KeyValue]>, _ measure: @escaping Measure) {
            self.held = held
            self.measure = measure
        }

        func begin(_ state: KeyValue, key: UnsafeRawBufferPointer, valueBytes: Int) {
            keyValue = state
            unsafe keyValue.key = Bytes(key)
            keyValue.value = []
            self.valueBytes = valueBytes
            count += measure(key.count, valueBytes)
            bytes.append(0)
        }

        func append(_ part: UnsafeRawBufferPointer) {
            unsafe keyValue.value.append(contentsOf: part)
        }

        func end() {
            precondition(keyValue.value.count == valueBytes, "another value than was announced")
            held.withLock { $0.append(keyValue) }
        }
    }

    private let measure: Measure
    private let held = Locked<[KeyValue]>([])

    package let wantsTotalsFirst: Bool

    package init(wantsTotalsFirst: Bool = true, _ measure: @escaping Measure) {
        self.wantsTotalsFirst = wantsTotalsFirst
        self.measure = measure
    }

    package func bytes(_ state: KeyValue, keyBytes: Int, valueBytes: Int) -> Int {
        measure(keyBytes, valueBytes)
    }

    package func makeEncoder(reserving bytes: Int) -> any RangeEncoder {
        Encoder(held, measure)
    }

    /// What came since this was asked the last time.
    package func take() -> [KeyValue] {
        held.withLock { held in
            defer { held = [] }
            return held
        }
    }
}
