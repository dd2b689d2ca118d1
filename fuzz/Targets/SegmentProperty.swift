import Basics
import Raft
import WriteAheadLog

/// A log of several segments, one of them edited: opening it throws, or answers a prefix of what
/// was written and nothing else.
enum SegmentProperty {
    private static let sectorBytes = 512
    private static let clusterID: UInt64 = 1

    static func check(_ script: Bytes) {
        let (files, entries) = sample()
        open(files, script, isMended: false) { recovered, isEdited in
            for entry in recovered.entries {
                precondition(entries[Int(entry.index) - 1] == entry, "an entry nobody wrote")
            }
            precondition(isEdited || recovered.entries.count == entries.count)
        }
    }

    /// With the sectors' checksums put right after the edits: opening throws, or answers entries
    /// that follow one another.
    static func checkMended(_ script: Bytes) {
        let (files, entries) = sample()
        open(files, script, isMended: true) { recovered, isEdited in
            var last = recovered.previousIndex
            for entry in recovered.entries {
                precondition(entry.index - 1 == last, "entry \(entry.index) follows \(last)")
                last = entry.index
            }
            precondition(isEdited || recovered.entries == entries)
        }
    }

    /// Opens the log after edits of the file that the first byte chooses.
    private static func open(
        _ files: MemoryLogFiles, _ script: Bytes, isMended: Bool,
        _ body: (RecoveredLog, _ isEdited: Bool) -> Void
    ) {
        guard let which = script.first else { return }
        do throws(LogError) {
            let names = try files.names()
            let name = names[Int(which) % names.count]
            let old = try files.content(of: name)
            precondition(mended(old) == old, "a good file is changed")
            let edited = EditScript.apply(Bytes(script.dropFirst()), to: old)
            let new = isMended ? mended(edited) : edited
            try files.setContent(of: name, new)
            let (log, recovered) = try WriteAheadLog.open(
                files, clusterID: clusterID, options: options)
            log.close()
            body(recovered, new != old)
        } catch {
            precondition(!error.description.isEmpty)
        }
    }

    /// With the checksums of its sectors put right; docs/formats/write-ahead-log.md.
    private static func mended(_ file: Bytes) -> Bytes {
        var cluster = ByteWriter(reserving: 8)
        cluster.writeLittleEndian(clusterID)
        let salt = CRC32C.checksum(cluster.bytes)
        var file = file
        for number in 0..<(file.count / sectorBytes) {
            let start = number * sectorBytes
            let content = Bytes(file[start..<(start + sectorBytes - 4)])
            // Zeros are a sector that was never written.
            if content.allSatisfy({ $0 == 0 }) { continue }
            // The header's two copies have to be read before the cluster is known.
            let seed = (number < 2 ? 0 : salt) ^ UInt32(number)
            let sum = CRC32C.checksum(content, continuing: seed)
            for index in 0..<4 {
                file[start + sectorBytes - 4 + index] =
                    UInt8(truncatingIfNeeded: sum >> UInt32(8 * index))
            }
        }
        return file
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
            let (log, _) = try WriteAheadLog.open(
                files, clusterID: clusterID, options: options)
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
