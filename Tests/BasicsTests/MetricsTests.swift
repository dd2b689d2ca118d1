import Basics
import Testing

@Suite struct MetricsTests {
    @Test func histogramsCountUpToTheirBounds() {
        let histogram = Histogram([0.001, 0.002])
        for nanoseconds: UInt64 in [0, 1_000_000, 1_000_001, 2_000_000, 2_000_001, 9_000_000_000] {
            histogram.observe(nanoseconds: nanoseconds)
        }
        #expect(histogram.cumulative == [2, 4, 6])
        #expect(histogram.seconds == 9.006000002)
    }

    @Test func boundsDouble() {
        let bounds = Histogram.doubling(from: 0.001, count: 14).map { MetricsText.number($0) }
        #expect(bounds.first == "0.001")
        #expect(bounds.last == "8.192")
        #expect(Histogram.doubling(from: 0.0001, count: 3) == [0.0001, 0.0002, 0.0004])
    }

    @Test func theTextIsSortedAndEachFamilyStandsOnce() {
        let calls = Counter()
        calls.add(3)
        let histogram = Histogram([1])
        histogram.observe(nanoseconds: 500_000_000)
        var text = MetricsText()
        text.sample("z_total", .counter, "Z.", labels: "a=\"1\"", value: "1")
        text.histogram("m_seconds", "M.", labels: "b=\"x\"", histogram)
        text.sample("z_total", .counter, "Z.", labels: "a=\"2\"", value: "2")
        text.counter("a_total", "A.", calls)
        #expect(
            text.text == """
                # HELP a_total A.
                # TYPE a_total counter
                a_total 3
                # HELP m_seconds M.
                # TYPE m_seconds histogram
                m_seconds_bucket{b="x",le="1"} 1
                m_seconds_bucket{b="x",le="+Inf"} 1
                m_seconds_sum{b="x"} 0.5
                m_seconds_count{b="x"} 1
                # HELP z_total Z.
                # TYPE z_total counter
                z_total{a="1"} 1
                z_total{a="2"} 2

                """)
    }

    @Test func theProcessSaysWhatItUses() {
        let text = MetricsText(of: [ProcessMetrics()]).text
        for name in [
            "process_cpu_seconds_total", "process_open_fds", "process_max_fds",
            "process_resident_memory_bytes", "process_virtual_memory_bytes",
            "process_start_time_seconds",
        ] {
            #expect(text.contains("\n\(name) "), "\(name)")
        }
    }

    @Test func aBucketFillsUpWithTime() {
        let start = MonotonicTime(nanoseconds: 5)
        var bucket = TokenBucket(burst: 10, perSecond: 2, now: start)
        // At which millisecond, how many, and whether they are there.
        let steps: [(UInt64, UInt64, Bool)] = [
            (0, 10, true), (499, 1, false), (500, 1, true),
            // Full again, and not fuller than full.
            (100_000, 11, false), (100_000, 10, true),
            // A clock that goes back gives nothing.
            (0, 1, false),
        ]
        for (millisecond, count, isThere) in steps {
            let taken = bucket.take(count, now: start.advanced(milliseconds: millisecond))
            #expect(taken == isThere, "\(count) at \(millisecond) ms")
        }
    }

    @Test func aBudgetSaysWhenItIsSpent() {
        let budget = MemoryBudget(limitBytes: 100)
        #expect(budget.take(100))
        #expect(!budget.isExhausted)
        #expect(!budget.take(1))
        #expect(budget.isExhausted)
        budget.give(1)
        #expect(!budget.isExhausted)
        #expect(budget.usedBytes == 100)
    }
}
