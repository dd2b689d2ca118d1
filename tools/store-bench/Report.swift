import Basics

/// What a load measured.
struct Report {
    var times: [UInt32]
    var failed = 0
    var firstFailure = ""
    var seconds: Double
    var bytes = 0
    var writes = 0
    var revision: Int64 = 0

    var json: String {
        let sorted = times.sorted()
        let parts = [
            "\"requests\": \(times.count)", "\"failed\": \(failed)",
            "\"failure\": \"\(escaped(firstFailure))\"", "\"seconds\": \(seconds)",
            "\"per_second\": \(Double(times.count) / seconds)", "\"bytes\": \(bytes)",
            "\"writes\": \(writes)", "\"revision\": \(revision)",
            "\"p50_ms\": \(percentile(sorted, 50))", "\"p99_ms\": \(percentile(sorted, 99))",
        ]
        return "{" + parts.joined(separator: ", ") + "}"
    }

    private func percentile(_ sorted: [UInt32], _ percent: Int) -> Double {
        guard !sorted.isEmpty else { return 0 }
        return Double(sorted[min(sorted.count - 1, sorted.count * percent / 100)]) / 1000
    }

    private func escaped(_ text: String) -> String {
        String(text.map { $0 == "\"" || $0 == "\\" || $0.isNewline ? "'" : $0 })
    }
}
