import Backup
import Basics
import Raft

/// An edited archive of the log is refused, or nothing was changed. With a first byte of 0x80 or
/// more it is edited under its checksums, and what is read is as many entries as its name says.
enum ArchiveProperty {
    private struct Sample {
        var name: String
        var file: Bytes
        var entries: [Entry]
    }

    private static let sample = makeSample()
    private static let content = ChunkedContent(sample.file)

    static func check(_ input: Bytes) {
        guard let choice = input.first else { return }
        let script = Bytes(input.dropFirst())
        let isUnder = choice >= 0x80
        let file =
            isUnder
            ? content.edited(choice & 0x7f, script) : EditScript.apply(script, to: sample.file)
        Scratch.withFolder { folder in
            Scratch.write(file, to: folder + "/" + sample.name)
            do throws(BackupError) {
                let found = try entries(in: folder)
                precondition(file == sample.file || isUnder, "a damaged archive passes")
                precondition(found == sample.entries || file != sample.file)
                precondition(found.map(\.index) == sample.entries.map(\.index))
            } catch {
                precondition(file != sample.file, "a good archive is refused: \(error)")
                precondition(!error.message.isEmpty)
            }
        }
    }

    private static func entries(in folder: String) throws(BackupError) -> [Entry] {
        let files = try ArchiveFile.all(in: folder)
        precondition(files.count == 1)
        return try files[0].entries(clusterID: 7)
    }

    /// Of two chunks.
    private static func makeSample() -> Sample {
        var entries: [Entry] = []
        for index in UInt64(1)...40 {
            entries.append(
                Entry(
                    term: 1 + index / 10, index: index,
                    kind: index % 7 == 0 ? .membership : .normal,
                    payload: Bytes(repeating: UInt8(index), count: Int(index) * 401)))
        }
        return Scratch.withFolder { folder -> Sample in
            do throws(BackupError) {
                try ArchiveFile.write(entries[...], clusterID: 7, folder: folder)
                let path = try ArchiveFile.all(in: folder)[0].path
                return Sample(
                    name: String(path.dropFirst(folder.count + 1)), file: Scratch.read(path),
                    entries: entries)
            } catch {
                preconditionFailure("the sample archive cannot be written: \(error)")
            }
        }
    }
}
