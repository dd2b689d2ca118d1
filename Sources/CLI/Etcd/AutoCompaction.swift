package import Basics

/// When etcd's auto-compaction forgets what: an instance, told the time and the revision.
package struct AutoCompaction: Sendable, Equatable {
    package enum Mode: Sendable, Equatable {
        /// History of so many seconds is kept.
        case periodic(seconds: UInt64)
        /// So many revisions are kept.
        case revisions(Int64)
    }

    package let mode: Mode
    /// Revisions as they were, oldest first.
    private var samples: [Sample] = []
    private var compacted: Int64 = 0

    private struct Sample: Equatable {
        var time: MonotonicTime
        var revision: Int64
    }

    package init(_ mode: Mode) {
        self.mode = mode
    }

    /// nil when it is off.
    package init?(_ flags: EtcdFlags) throws(EtcdFlags.Failure) {
        let text = flags.text("auto-compaction-retention", default: "0")
        let source = flags.source("auto-compaction-retention")
        switch flags.text("auto-compaction-mode", default: "periodic") {
        case "periodic":
            if text == "0" || text == "0s" || text.isEmpty { return nil }
            // A bare number is hours.
            let hours = UInt64(text).flatMap { $0 < 1 << 20 ? $0 * 3600 : nil }
            guard let seconds = hours ?? Self.seconds(text) else {
                throw EtcdFlags.Failure(
                    description: "\(source): \(text) is not a time as 30m or 1h")
            }
            self.init(.periodic(seconds: seconds))
        case "revision":
            guard let count = Int64(text), count >= 0 else {
                throw EtcdFlags.Failure(
                    description: "\(source): \(text) is not a number of revisions")
            }
            if count == 0 { return nil }
            self.init(.revisions(count))
        case let other:
            throw EtcdFlags.Failure(
                description: "\(flags.source("auto-compaction-mode")): \(other) is neither periodic"
                    + " nor revision")
        }
    }

    /// Go's durations as far as whole seconds go: `1h30m`, `45s`.
    package static func seconds(_ text: String) -> UInt64? {
        let units: [Character: UInt64] = ["s": 1, "m": 60, "h": 3600]
        var (sum, digits): (UInt64, String) = (0, "")
        for character in text {
            if character.isASCII, character.isNumber {
                digits.append(character)
            } else if let unit = units[character], let count = UInt64(digits), count < 1 << 20 {
                sum += count * unit
                digits = ""
            } else {
                return nil
            }
        }
        return digits.isEmpty && sum > 0 ? sum : nil
    }

    /// How often to ask: a tenth of the time kept, a tenth of an hour at most; by revisions, etcd's
    /// five minutes.
    package var pauseMilliseconds: UInt64 {
        switch mode {
        case .periodic(let seconds): max(100, min(seconds, 3600) * 100)
        case .revisions: 300_000
        }
    }

    /// The revision to compact to now, if any. Only a leader compacts; whoever follows goes on
    /// counting, so that it has history to judge by when it leads.
    package mutating func next(
        revision: Int64, isLeader: Bool, now: MonotonicTime
    ) -> Int64? {
        let target: Int64
        switch mode {
        case .periodic(let seconds):
            samples.append(Sample(time: now, revision: revision))
            var old: Sample?
            while let first = samples.first, now.milliseconds(since: first.time) >= seconds * 1000 {
                old = first
                samples.removeFirst()
            }
            guard let old else { return nil }
            target = old.revision
        case .revisions(let kept):
            target = revision - kept
        }
        guard isLeader, target > compacted, target > 0 else { return nil }
        compacted = target
        return target
    }
}
