import Basics
import Glibc
import LMDB

/// Damage in the file of a keyspace: a bit of a value flips, under the map of a running process,
/// where a checksum has to find it. Not in what LMDB needs to find its way: that would end this
/// process, as it ends a replica's.
enum KeyspaceRot {
    /// Returns the name of the table that was hit; nil if there is nothing to hit.
    static func strike(_ path: String, _ random: inout SeededRandom) -> String? {
        guard let file = try? PageFile(path), let meta = file.metas().metas.first else {
            return nil
        }
        let tables = file.tables(meta) { _ in }
        guard !tables.isEmpty else { return nil }
        let table = tables[random.below(tables.count)]
        var places: [(offset: UInt64, count: Int)] = []
        file.walk(table.tree, after: nil) { node in
            if let offset = file.offset(of: node) { places.append((offset, node.value.count)) }
            return true
        } damaged: { _ in
        }
        guard !places.isEmpty else { return nil }
        let (offset, count) = places[random.below(places.count)]
        let isFlipped = flip(
            path, at: offset + UInt64(random.below(count)), mask: UInt8(1 << random.below(8)))
        return isFlipped ? table.name : nil
    }

    private static func flip(_ path: String, at offset: UInt64, mask: UInt8) -> Bool {
        let descriptor = unsafe open(path, O_RDWR | O_CLOEXEC)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        var byte: UInt8 = 0
        guard unsafe pread(descriptor, &byte, 1, off_t(offset)) == 1 else { return false }
        byte ^= mask
        return unsafe pwrite(descriptor, &byte, 1, off_t(offset)) == 1
    }

    /// Tells a file from the one that takes its place; nil if there is none.
    static func identity(of path: String) -> UInt64? {
        var status = stat()
        return unsafe stat(path, &status) == 0 ? UInt64(status.st_ino) : nil
    }
}
