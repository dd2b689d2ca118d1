package import Basics
import Glibc

/// Reads a file of LMDB 0.9 page by page, without LMDB: for files that may be damaged, in which
/// LMDB itself would trip over a wrong number. Everything is checked before it is followed, and
/// what is wrong is told, never thrown.
///
/// The layout is that of `mdb.c` on a 64-bit little-endian machine: a page begins with its number
/// (8), padding (2), flags (2), and lower and upper bound of its free space (2 each) or, of an
/// overflow page, a count (4); two-byte offsets of its nodes follow. One thread at a time.
package final class PageFile {
    package struct Damage: Sendable, Hashable {
        /// Byte of the file.
        package var offset: UInt64
        package var page: UInt64
        package var reason: String
        /// Keys from here on, and up to there, may stand below the damaged page.
        package var from: Bytes?
        package var to: Bytes?
    }

    /// One of the two pages that name the newest trees.
    package struct Meta: Sendable, Hashable {
        package var transaction: UInt64
        package var lastPage: UInt64
        var free: Tree
        package var main: Tree
    }

    /// A table's description: 48 bytes.
    package struct Tree: Sendable, Hashable {
        static let bytes = 48
        package var entries: UInt64
        var depth: UInt16
        var root: UInt64

        init(_ bytes: ArraySlice<UInt8>) {
            depth = UInt16(truncatingIfNeeded: bytes.number(6, 2))
            entries = bytes.number(32, 8)
            root = bytes.number(40, 8)
        }
    }

    package let path: String
    private let descriptor: Int32
    package private(set) var pageBytes = 4096
    package let fileBytes: UInt64
    var cache: [UInt64: Bytes] = [:]

    package init(_ path: String) throws(LMDBError) {
        self.path = path
        descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw LMDBError(code: errno, operation: "open \(path)") }
        let size = lseek(descriptor, 0, SEEK_END)
        fileBytes = UInt64(max(0, size))
    }

    deinit {
        close(descriptor)
    }

    func bytes(at offset: UInt64, count: Int) -> Bytes {
        var done = 0
        return unsafe Bytes(unsafeUninitializedCapacity: count) { room, filled in
            while done < count {
                let part = unsafe pread(
                    descriptor, room.baseAddress.map { unsafe $0 + done }, count - done,
                    off_t(offset) + off_t(done))
                if part <= 0 { break }
                done += part
            }
            filled = done
        }
    }

    /// A whole page; nil beyond the end of the file.
    func page(_ number: UInt64) -> Bytes? {
        guard number < fileBytes / UInt64(pageBytes) + 1 else { return nil }
        if let found = cache[number] { return found }
        let found = bytes(at: number * UInt64(pageBytes), count: pageBytes)
        guard found.count == pageBytes else { return nil }
        if cache.count > 4096 { cache = [:] }
        cache[number] = found
        return found
    }

    /// The meta pages as they are now, and what is wrong with them. The newest comes first.
    package func metas() -> (metas: [Meta], damage: [Damage]) {
        var metas: [Meta] = []
        var damage: [Damage] = []
        for number in UInt64(0)...1 {
            let offset = number * UInt64(pageBytes)
            let page = bytes(at: offset, count: 152)[...]
            func bad(_ reason: String) {
                damage.append(
                    Damage(offset: offset, page: number, reason: "meta page: \(reason)"))
            }
            guard page.count == 152 else {
                bad("the file ends before it")
                continue
            }
            guard page.number(16, 4) == 0xBEEF_C0DE, page.number(20, 4) == 1,
                page.number(10, 2) & 0x08 != 0
            else {
                bad("it does not say that it is one of LMDB 0.9")
                continue
            }
            let size = Int(page.number(40, 4))
            guard [4096, 8192, 16_384, 32_768, 65_536].contains(size) else {
                bad("pages of \(size) bytes")
                continue
            }
            pageBytes = size
            let meta = Meta(
                transaction: page.number(144, 8), lastPage: page.number(136, 8),
                free: Tree(page[40..<88]), main: Tree(page[88..<136]))
            guard meta.lastPage < 1 << 40 else {
                bad("last page \(meta.lastPage)")
                continue
            }
            metas.append(meta)
        }
        return (metas.sorted { $0.transaction > $1.transaction }, damage)
    }

    /// The tables that a meta page leads to.
    package func tables(
        _ meta: Meta, _ damaged: (Damage) -> Void
    ) -> [(name: String, tree: Tree)] {
        var found: [(name: String, tree: Tree)] = []
        cache = [:]
        walk(meta.main, after: nil) { node in
            if node.flags & 0x02 != 0, node.value.count == Tree.bytes {
                found.append((String(decoding: node.key, as: UTF8.self), Tree(node.value[...])))
            }
            return true
        } damaged: {
            damaged($0)
        }
        return found
    }
}

extension ArraySlice where Element == UInt8 {
    /// A little-endian number at an offset from the start of the slice.
    func number(_ offset: Int, _ count: Int) -> UInt64 {
        var value: UInt64 = 0
        for index in (0..<count).reversed() {
            value = value << 8 | UInt64(self[startIndex + offset + index])
        }
        return value
    }
}
