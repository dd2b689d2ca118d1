import Basics
import Bolt

/// An edited bbolt file is refused or read to its end; only its meta pages have checksums, which an
/// odd first byte puts right.
enum BoltProperty {
    private struct Item: Equatable {
        var bucket: Bytes
        var key: Bytes
        var value: Bytes
    }

    private static let pageBytes = 4096
    private static let items = makeItems()
    private static let sample = makeSample()

    static func check(_ input: Bytes) {
        guard let choice = input.first else { return }
        var file = EditScript.apply(Bytes(input.dropFirst()), to: sample)
        if choice & 1 != 0 { file = mended(file) }
        Scratch.withFolder { folder in
            Scratch.write(file, to: folder + "/edited")
            do {
                let found = try read(folder + "/edited")
                precondition(found == items || file != sample, "a good file is read as another")
            } catch {
                precondition(file != sample, "a good file is refused: \(error)")
                precondition(!"\(error)".isEmpty)
            }
        }
    }

    private static func read(_ path: String) throws -> [Item] {
        let reader = try BoltReader(path)
        var found: [Item] = []
        for bucket in try reader.buckets() {
            _ = try reader.forEach(in: bucket) { key, value in
                found.append(Item(bucket: bucket, key: Bytes(key), value: Bytes(value)))
            }
        }
        return found
    }

    /// FNV-1a of 64 bits behind the 56 bytes that it covers, in both meta pages.
    private static func mended(_ file: Bytes) -> Bytes {
        var file = file
        for start in [16, pageBytes + 16] where start + 64 <= file.count {
            var sum: UInt64 = 0xcbf2_9ce4_8422_2325
            for byte in file[start..<(start + 56)] {
                sum = (sum ^ UInt64(byte)) &* 0x100_0000_01b3
            }
            for index in 0..<8 {
                file[start + 56 + index] = UInt8(truncatingIfNeeded: sum >> UInt64(8 * index))
            }
        }
        return file
    }

    /// A bucket of several pages below a branch, and one with a value of several pages.
    private static func makeItems() -> [Item] {
        var items: [Item] = []
        for index in 0..<300 {
            items.append(
                Item(
                    bucket: Bytes("key".utf8), key: Bytes(String(1_000 + index).utf8),
                    value: Bytes(repeating: UInt8(index & 255), count: 40)))
        }
        items.append(
            Item(
                bucket: Bytes("meta".utf8), key: [1], value: Bytes(repeating: 5, count: 9_000)))
        return items
    }

    private static func makeSample() -> Bytes {
        Scratch.withFolder { folder -> Bytes in
            let path = folder + "/sample"
            do throws(BoltError) {
                let writer = try BoltWriter(path)
                var bucket = Bytes()
                for item in items {
                    if item.bucket != bucket { try writer.begin(bucket: item.bucket) }
                    bucket = item.bucket
                    try writer.add(item.key, item.value)
                }
                try writer.finish()
            } catch {
                preconditionFailure("the sample cannot be written: \(error)")
            }
            let file = Scratch.read(path)
            precondition(mended(file) == file, "a good file is changed")
            return file
        }
    }
}
