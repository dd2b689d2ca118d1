import Basics

/// The layout of a bbolt file, the database that etcd keeps its data in: pages of a B+tree in the
/// byte order of x86 (bbolt's `page.go`, `db.go`, `bucket.go`).
enum BoltFormat {
    static let magic: UInt32 = 0xED0C_DAED
    static let version: UInt32 = 2
    static let pageBytes = 4096
    /// Page id, flags, count of elements, pages that follow and belong to it.
    static let pageHeaderBytes = 16
    /// Of an element of a leaf (flags, position, lengths of key and value) and of a branch
    /// (position, length of the key, page).
    static let elementBytes = 16
    /// Magic to checksum.
    static let metaBytes = 64
    /// Root page and sequence, which stand where a bucket's value would.
    static let bucketBytes = 16
    /// Nobody's tree is as deep; a file whose pages form a ring would be.
    static let depthMax = 40

    struct PageFlags {
        static let branch: UInt16 = 0x01
        static let leaf: UInt16 = 0x02
        static let meta: UInt16 = 0x04
        static let freelist: UInt16 = 0x10
    }

    /// An element of a leaf that is a bucket.
    static let bucketFlag: UInt32 = 0x01

    /// FNV-1a of 64 bits: the checksum of a meta page.
    static func checksum(_ bytes: ArraySlice<UInt8>) -> UInt64 {
        var value: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in bytes { value = (value ^ UInt64(byte)) &* 0x100_0000_01b3 }
        return value
    }
}

/// Why a file cannot be read or written, with its name and the byte.
package struct BoltError: Error, Sendable, CustomStringConvertible {
    package var description: String

    init(_ path: String, at offset: Int? = nil, _ reason: String) {
        description = path + (offset.map { " at byte \($0)" } ?? "") + ": " + reason
    }
}
