import Basics
package import Keyspace

/// One watcher across all its streams: what it was sent, against the events that there were.
///
/// Nine guarantees, as etcd's robustness tests name them: filter, ordered, unique, atomic,
/// bookmarkable, resumable, reliable, is-create, previous value.
package struct WatchOracle: Sendable {
    package let request: WatchRequest
    /// The first revision that may still come.
    package private(set) var position: Int64
    /// The revision of the last batch of this stream.
    private var bookmark: Int64 = 0

    package init(_ request: WatchRequest, position: Int64) {
        self.request = request
        self.position = position
    }

    /// The watcher goes on with another stream, perhaps of a replica that is behind.
    package mutating func reopened() { bookmark = 0 }

    /// Checks a batch and moves on behind it.
    ///
    /// - Parameter history: everything that became visible, in order.
    package mutating func take(
        _ batch: WatchBatch, _ history: [CommittedLog.Group], compactRevision: Int64
    ) throws(Violation) {
        try checkForm(batch)
        bookmark = batch.revision
        // Progress of a stream that begins in the future.
        if batch.events.isEmpty, batch.revision < position { return }
        let from = history.partitioningIndex { $0.last >= position }
        var expected: [Event] = []
        for group in history[from...] {
            if group.first > batch.revision { break }
            let wanted = group.events.filter {
                $0.keyValue.modRevision >= position && wants($0)
            }
            expected += wanted
            guard group.last <= batch.revision || wanted.isEmpty else {
                throw .correctness(
                    "watch, atomic: revision \(batch.revision) is inside \(group.first) to "
                        + "\(group.last)")
            }
        }
        try compare(batch.events, expected, compactRevision)
        position = batch.revision + 1
    }

    /// The stream has ended because what is to come next is compacted.
    package func checkCompacted(_ error: StoreError, compactRevision: Int64) throws(Violation) {
        guard position < compactRevision else {
            throw .correctness(
                "watch, reliable: told of a compaction at \(error.compactRevision) that was not")
        }
    }

    private func wants(_ event: Event) -> Bool {
        switch event.kind {
        case .put where request.excludesPuts: false
        case .delete where request.excludesDeletes: false
        default: request.range.contains(event.keyValue.key)
        }
    }

    private func checkForm(_ batch: WatchBatch) throws(Violation) {
        guard batch.revision >= bookmark else {
            throw .correctness(
                "watch, bookmarkable: revision \(batch.revision) after \(bookmark)")
        }
        var last: Int64 = 0
        for event in batch.events {
            guard wants(event) else {
                throw .correctness("watch, filter: \(Self.text(event)) was not asked for")
            }
            let revision = event.keyValue.modRevision
            guard revision >= position else {
                throw .correctness(
                    "watch, resumable: \(Self.text(event)) again, the position is \(position)")
            }
            guard revision >= last else {
                throw .correctness("watch, ordered: \(Self.text(event)) after \(last)")
            }
            last = revision
        }
        guard last <= batch.revision else {
            throw .correctness(
                "watch, bookmarkable: event \(last) in a batch up to \(batch.revision)")
        }
    }

    private func compare(
        _ events: [Event], _ expected: [Event], _ compactRevision: Int64
    ) throws(Violation) {
        var left = expected[...]
        var seen: [Event] = []
        for event in events {
            let isSame = { (other: Event) in
                other.keyValue.key == event.keyValue.key
                    && other.keyValue.modRevision == event.keyValue.modRevision
            }
            if seen.contains(where: isSame) {
                throw .correctness("watch, unique: \(Self.text(event)) came twice")
            }
            seen.append(event)
            guard let true_ = left.first, isSame(true_) else {
                if let missed = left.first, expected.contains(where: isSame) {
                    throw .correctness("watch, reliable: \(Self.text(missed)) did not come")
                }
                throw .correctness("watch: \(Self.text(event)) never happened")
            }
            left.removeFirst()
            try compare(event, true_, compactRevision)
        }
        if let missed = left.first {
            throw .correctness("watch, reliable: \(Self.text(missed)) did not come")
        }
    }

    private func compare(
        _ event: Event, _ other: Event, _ compactRevision: Int64
    ) throws(Violation) {
        guard event.kind == other.kind else {
            throw .correctness("watch: \(Self.text(event)) is of the wrong kind")
        }
        if event.kind == .put {
            let isNew = event.keyValue.version == 1
            guard isNew == (event.keyValue.createRevision == event.keyValue.modRevision),
                isNew == (other.keyValue.version == 1)
            else { throw .correctness("watch, is-create: \(Self.text(event))") }
            guard event.keyValue == other.keyValue else {
                throw .correctness("watch: \(Self.text(event)) has not the value that was put")
            }
        }
        guard request.wantsPrevious else { return }
        if event.previous == nil, let previous = other.previous,
            previous.modRevision <= compactRevision
        {
            return
        }
        guard event.previous == other.previous else {
            throw .correctness("watch, previous value: of \(Self.text(event))")
        }
    }

    private static func text(_ event: Event) -> String {
        let key = String(decoding: event.keyValue.key, as: UTF8.self)
        return "\(event.kind) of \(key) at \(event.keyValue.modRevision)"
    }
}

extension Array {
    /// First position whose element satisfies the predicate, if those that do come last.
    fileprivate func partitioningIndex(_ isLate: (Element) -> Bool) -> Int {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if isLate(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
