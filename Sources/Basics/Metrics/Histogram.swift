/// How long things took, counted in buckets; any thread, without a lock.
///
/// An observation is two additions. Buckets are summed up only when somebody looks.
package final class Histogram: Sendable {
    /// Upper ends of the buckets in seconds, rising; one more bucket holds what is longer.
    package let bounds: [Double]
    private let nanosecondBounds: [UInt64]
    private let buckets: [Counter]
    private let nanoseconds = Counter()

    package init(_ bounds: [Double]) {
        self.bounds = bounds
        nanosecondBounds = bounds.map { UInt64(($0 * 1e9).rounded()) }
        buckets = (0...bounds.count).map { _ in Counter() }
    }

    /// `count` bounds, each twice the one before.
    package static func doubling(from first: Double, count: Int) -> [Double] {
        var bounds = [first]
        while bounds.count < count { bounds.append(bounds[bounds.count - 1] * 2) }
        return bounds
    }

    package func observe(nanoseconds time: UInt64) {
        var bucket = 0
        while bucket < nanosecondBounds.count, time > nanosecondBounds[bucket] { bucket += 1 }
        buckets[bucket].add()
        nanoseconds.add(Int(truncatingIfNeeded: time))
    }

    package func observe(from start: MonotonicTime, to end: MonotonicTime) {
        observe(nanoseconds: end > start ? end.nanoseconds - start.nanoseconds : 0)
    }

    /// Observations up to each bound, and at last all of them.
    package var cumulative: [UInt64] {
        var sum: UInt64 = 0
        return buckets.map { bucket in
            sum += bucket.value
            return sum
        }
    }

    package var seconds: Double { Double(nanoseconds.value) / 1e9 }
}
