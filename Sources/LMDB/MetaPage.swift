package import Basics
import Glibc

/// The content of one of the two pages that an LMDB file begins with: transaction number, roots of
/// the trees and of the free list, number of the last page. A commit of transaction T writes page
/// T mod 2; the higher transaction counts (`mdb_env_pick_meta` of 0.9.24).
package struct MetaPage: Sendable, Hashable {
    /// Page header (16), and the meta data without what follows on the page.
    package static let bytes = 152

    package let content: Bytes

    /// nil if the bytes are not such a page.
    package init?(_ content: Bytes) {
        guard Self.problem(content[...]) == nil else { return nil }
        self.content = content
    }

    package var transaction: UInt64 { content[...].number(144, 8) }
    package var lastPage: UInt64 { content[...].number(136, 8) }
    package var pageBytes: Int { Int(content[...].number(40, 4)) }

    /// What keeps the bytes from being a meta page; nil if nothing.
    static func problem(_ page: ArraySlice<UInt8>) -> String? {
        guard page.count == bytes else { return "the file ends before it" }
        guard page.number(16, 4) == 0xBEEF_C0DE, page.number(20, 4) == 1,
            page.number(10, 2) & 0x08 != 0
        else { return "it does not say that it is one of LMDB 0.9" }
        let size = Int(page.number(40, 4))
        guard [4096, 8192, 16_384, 32_768, 65_536].contains(size) else {
            return "pages of \(size) bytes"
        }
        guard page.number(136, 8) < 1 << 40 else { return "last page \(page.number(136, 8))" }
        return nil
    }

    /// Makes this state the newest one of a file that nobody has open, and syncs it. The other
    /// page names the same trees under the transaction before, so that no torn rest is left.
    package func lay(over path: String) throws(LMDBError) {
        let file = unsafe open(path, O_RDWR | O_CLOEXEC)
        guard file >= 0 else { throw LMDBError(code: errno, operation: "open \(path)") }
        defer { close(file) }
        for slot in UInt64(0)...1 {
            let isNewest = slot == transaction & 1
            let number = isNewest ? transaction : transaction &- 1
            var page = content
            for index in 0..<8 {
                page[index] = UInt8(truncatingIfNeeded: slot >> UInt64(8 * index))
                page[144 + index] = UInt8(truncatingIfNeeded: number >> UInt64(8 * index))
            }
            let done = unsafe pwrite(file, page, page.count, off_t(slot) * off_t(pageBytes))
            guard done == page.count else {
                throw LMDBError(code: done < 0 ? errno : EIO, operation: "write \(path)")
            }
        }
        guard fdatasync(file) == 0 else {
            throw LMDBError(code: errno, operation: "sync \(path)")
        }
    }
}
