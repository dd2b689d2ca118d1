import Basics
import Raft
import WriteAheadLog

/// A log of several segments, one of them edited: opening it throws, or answers a prefix of what
/// was written and nothing else.
enum SegmentProperty {
    static func check(_ script: Bytes) {
        guard let which = script.first else { return }
        let (files, entries) = sample()
        do throws(LogError) {
            let names = try files.names()
            let name = names[Int(which) % names.count]
            let old = try files.content(of: name)
            let new = EditScript.apply(Bytes(script.dropFirst()), to: old)
            try files.setContent(of: name, new)
            let (log, recovered) = try WriteAheadLog.open(files, clusterID: 1, options: options)
            log.close()
            for entry in recovered.entries {
                precondition(entries[Int(entry.index) - 1] == entry, "an entry nobody wrote")
            }
            precondition(new != old || recovered.entries.count == entries.count)
        } catch {
            precondition(!error.description.isEmpty)
        }
    }

    private static var options: WriteAheadLog.Options {
        var options = WriteAheadLog.Options()
        options.segmentBytes = 4_096
        options.firstReserveBytes = 2_048
        return options
    }

    /// Made anew each time: opening changes the files.
    private static func sample() -> (MemoryLogFiles, [Entry]) {
        let files = MemoryLogFiles()
        var entries: [Entry] = []
        do throws(LogError) {
            let (log, _) = try WriteAheadLog.open(files, clusterID: 1, options: options)
            for index in UInt64(1)...40 {
                let payload = Bytes(repeating: UInt8(index), count: Int(index) * 13 % 300)
                entries.append(Entry(term: 1 + index / 10, index: index, payload: payload))
                try log.append(
                    hardState: HardState(term: 1 + index / 10, vote: 1, commit: index - 1),
                    entries: [entries[entries.count - 1]])
                if index % 3 == 0 { try log.sync() }
            }
            try log.sync()
            log.close()
        } catch {
            preconditionFailure("the sample log cannot be written: \(error)")
        }
        return (files, entries)
    }
}
