import Basics

/// A set of keys as spans that are sorted, and neither overlap nor touch.
package struct KeySpans: Sendable, Hashable {
    /// Half-open; no end stands for all the rest.
    struct Span: Sendable, Hashable {
        var start: Bytes
        var end: Bytes?
    }

    private(set) var spans: [Span] = []

    package init(_ ranges: [KeyRange]) {
        let sorted = ranges.compactMap(Span.init).sorted { isOrderedBefore($0.start, $1.start) }
        for span in sorted {
            guard let last = spans.last, last.reaches(span.start) else {
                spans.append(span)
                continue
            }
            spans[spans.count - 1].end = Self.later(last.end, span.end)
        }
    }

    /// Whether every key of the range is in one span. A range without keys counts as its first key.
    package func covers(_ range: KeyRange) -> Bool {
        let wanted = Span(range) ?? Span(single: range.start)
        guard let span = lastSpan(from: wanted.start) else { return false }
        guard let end = span.end else { return true }
        guard let wantedEnd = wanted.end else { return false }
        return !isOrderedBefore(end, wantedEnd)
    }

    /// The last span that does not begin after the key.
    private func lastSpan(from key: Bytes) -> Span? {
        var (low, high) = (0, spans.count)
        while low < high {
            let middle = (low + high) / 2
            if isOrderedBefore(key, spans[middle].start) { high = middle } else { low = middle + 1 }
        }
        guard low > 0, spans[low - 1].reaches(key), spans[low - 1].end != key else { return nil }
        return spans[low - 1]
    }

    private static func later(_ left: Bytes?, _ right: Bytes?) -> Bytes? {
        guard let left, let right else { return nil }
        return isOrderedBefore(left, right) ? right : left
    }
}

extension KeySpans.Span {
    /// Just this key: up to the next one that there can be.
    init(single key: Bytes) {
        self.init(start: key, end: key + [0])
    }

    /// Nil for a range that holds nothing. No key is empty, so a range from the empty key begins
    /// with the least key there is.
    init?(_ range: KeyRange) {
        let start = range.start.isEmpty ? [0] : range.start
        switch range.end {
        case .single: self.init(single: start)
        case .before(let end):
            guard isOrderedBefore(start, end) else { return nil }
            self.init(start: start, end: end)
        case .unbounded: self.init(start: start, end: nil)
        }
    }

    /// Whether the key is inside, or is the first one behind.
    func reaches(_ key: Bytes) -> Bool {
        guard let end else { return true }
        return !isOrderedBefore(end, key)
    }
}
