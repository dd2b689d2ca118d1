import Basics
import Keyspace

/// A chunked file taken apart, so that what stands under its checksums and its compression can be
/// edited: put together again it is a file that is in order as far as that goes.
struct ChunkedContent {
    private let kind: ChunkedFile
    private let fields: Bytes
    private let chunks: [Bytes]
    /// Of all chunks, as the trailer says.
    private let entries: Int

    init(_ file: Bytes) {
        // Behind the magic; every version so far fits its lowest byte.
        let kind = ChunkedFile(
            magic: String(decoding: file[..<8], as: UTF8.self), version: UInt32(file[8]),
            name: "the sample")
        self.kind = kind
        // Of the trailer: entries, hash of eight bytes, checksum of four.
        var count = 0
        for byte in file[(file.count - 20)..<(file.count - 12)].reversed() {
            count = count << 8 | Int(byte)
        }
        entries = count
        (fields, chunks) = Scratch.withFolder { folder -> (Bytes, [Bytes]) in
            Scratch.write(file, to: folder + "/sample")
            do throws(KeyspaceError) {
                return try Self.parts(folder + "/sample", kind, entries: count)
            } catch {
                preconditionFailure("the sample cannot be read: \(error)")
            }
        }
        let again = edited(0, [])
        precondition(again == file, "the sample comes out as another file")
    }

    private static func parts(
        _ path: String, _ kind: ChunkedFile, entries: Int
    ) throws(KeyspaceError) -> (Bytes, [Bytes]) {
        let reader = try ChunkedReader(path, kind)
        reader.entries = UInt64(entries)
        var chunks: [Bytes] = []
        while let chunk = try reader.next() { chunks.append(chunk) }
        return (reader.fields, chunks)
    }

    /// The file with one part edited: 0 for the header's fields, else the chunk of that number.
    func edited(_ number: UInt8, _ script: Bytes) -> Bytes {
        let part = Int(number) % (chunks.count + 1)
        var writer = ChunkedWriter(kind)
        var file = writer.header(part == 0 ? EditScript.apply(script, to: fields) : fields)
        do throws(KeyspaceError) {
            for (index, chunk) in chunks.enumerated() {
                let content = part == index + 1 ? EditScript.apply(script, to: chunk) : chunk
                // Only their sum is written.
                file += try writer.chunk(content, entries: index == 0 ? entries : 0)
            }
        } catch {
            preconditionFailure("the edited file cannot be made: \(error)")
        }
        return file + writer.trailer()
    }
}
