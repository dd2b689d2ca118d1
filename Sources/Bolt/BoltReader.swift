package import Basics

/// Reads the buckets of a bbolt file, page by page: memory does not depend on the file's size.
///
/// The file must not be in use. Every length and page number is checked, so a damaged file gives
/// an error with its place and nothing else.
package final class BoltReader {
    private let file: BoltFile
    private let fileBytes: Int
    private let pageBytes: Int
    private let root: UInt64
    /// Pages from here on do not exist.
    private let pageEnd: UInt64

    package init(_ path: String) throws(BoltError) {
        file = try BoltFile(path, creating: false)
        fileBytes = try file.size()
        guard fileBytes >= 2 * BoltFormat.pageBytes else {
            throw BoltError(path, "not a bbolt file: it has \(fileBytes) bytes")
        }
        // The second copy stands one page on; its size is known from either.
        var best: Meta?
        for offset in [0, 4096, 8192, 16384, 65536] {
            guard let meta = try Meta(file, at: offset, fileBytes) else { continue }
            if meta.transaction >= best?.transaction ?? 0 { best = meta }
        }
        guard let best else {
            throw BoltError(path, at: 0, "not a bbolt file: neither of its meta pages is whole")
        }
        pageBytes = best.pageBytes
        root = best.root
        pageEnd = best.pageEnd
    }

    private struct Meta {
        var pageBytes: Int
        var root: UInt64
        var pageEnd: UInt64
        var transaction: UInt64

        /// Nil if there is none, or none whole.
        init?(_ file: BoltFile, at offset: Int, _ fileBytes: Int) throws(BoltError) {
            let start = offset + BoltFormat.pageHeaderBytes
            guard start + BoltFormat.metaBytes <= fileBytes else { return nil }
            let bytes = try file.read(BoltFormat.metaBytes, at: start)
            guard bytes.number(at: 0, width: 4) == UInt64(BoltFormat.magic),
                bytes.number(at: 4, width: 4) == UInt64(BoltFormat.version),
                bytes.number(at: 56, width: 8) == BoltFormat.checksum(bytes[..<56])
            else { return nil }
            pageBytes = Int(bytes.number(at: 8, width: 4))
            root = bytes.number(at: 16, width: 8)
            pageEnd = bytes.number(at: 40, width: 8)
            transaction = bytes.number(at: 48, width: 8)
            guard pageBytes >= 512, pageBytes <= 1 << 20, offset == 0 || offset == pageBytes
            else { return nil }
        }
    }

    /// Calls `body` with every key and value of a top-level bucket, ascending; false if there is
    /// no such bucket.
    package func forEach<Failure: Error>(
        in bucket: Bytes, _ body: (ArraySlice<UInt8>, ArraySlice<UInt8>) throws(Failure) -> Void
    ) throws -> Bool {
        guard let place = try place(of: bucket) else { return false }
        try walk(place, depth: 0) { key, value, isBucket throws(Failure) in
            if !isBucket { try body(key, value) }
        }
        return true
    }

    /// Names of the top-level buckets.
    package func buckets() throws -> [Bytes] {
        var names: [Bytes] = []
        try walk(.page(root), depth: 0) { key, _, isBucket in
            if isBucket { names.append(Bytes(key)) }
        }
        return names
    }

    private enum Place {
        case page(UInt64)
        /// A small bucket lies, as one page, within its parent's value.
        case inline(Bytes)
    }

    private func place(of bucket: Bytes) throws -> Place? {
        var found: Place?
        try walk(.page(root), depth: 0) { key, value, isBucket in
            guard isBucket, key.elementsEqual(bucket), value.count >= BoltFormat.bucketBytes
            else { return }
            let page = Bytes(value.prefix(8)).number(at: 0, width: 8)
            found =
                page == 0
                ? .inline(Bytes(value.dropFirst(BoltFormat.bucketBytes))) : .page(page)
        }
        return found
    }

    private func walk<Failure: Error>(
        _ place: Place, depth: Int,
        _ body: (ArraySlice<UInt8>, ArraySlice<UInt8>, Bool) throws(Failure) -> Void
    ) throws {
        let (bytes, offset) = try page(at: place)
        guard depth < BoltFormat.depthMax else {
            throw BoltError(file.path, at: offset, "the tree has no end")
        }
        let flags = UInt16(bytes.number(at: 8, width: 2))
        let count = Int(bytes.number(at: 10, width: 2))
        guard BoltFormat.pageHeaderBytes + count * BoltFormat.elementBytes <= bytes.count else {
            throw BoltError(file.path, at: offset, "a page of \(count) elements is too short")
        }
        for index in 0..<count {
            let element = BoltFormat.pageHeaderBytes + index * BoltFormat.elementBytes
            switch flags {
            case BoltFormat.PageFlags.leaf:
                let start = element + Int(bytes.number(at: element + 4, width: 4))
                let keyEnd = start + Int(bytes.number(at: element + 8, width: 4))
                let end = keyEnd + Int(bytes.number(at: element + 12, width: 4))
                guard end <= bytes.count else {
                    throw BoltError(
                        file.path, at: offset + element, "an element passes the page's end")
                }
                let isBucket = bytes.number(at: element, width: 4) == UInt64(BoltFormat.bucketFlag)
                try body(bytes[start..<keyEnd], bytes[keyEnd..<end], isBucket)
            case BoltFormat.PageFlags.branch:
                let child = bytes.number(at: element + 8, width: 8)
                try walk(.page(child), depth: depth + 1, body)
            default:
                throw BoltError(file.path, at: offset, "neither a branch nor a leaf")
            }
        }
    }

    /// The whole of a page and where it begins in the file; 0 for one within another.
    private func page(at place: Place) throws(BoltError) -> (Bytes, Int) {
        let number: UInt64
        switch place {
        case .inline(let bytes):
            guard bytes.count >= BoltFormat.pageHeaderBytes else {
                throw BoltError(file.path, "a bucket within a page is too short")
            }
            return (bytes, 0)
        case .page(let page): number = page
        }
        guard number >= 2, number < pageEnd, number < UInt64(fileBytes / pageBytes) else {
            throw BoltError(file.path, "page \(number) is outside of the file")
        }
        let offset = Int(number) * pageBytes
        let header = try file.read(BoltFormat.pageHeaderBytes, at: offset)
        let count = 1 + Int(header.number(at: 12, width: 4))
        guard header.number(at: 0, width: 8) == number else {
            throw BoltError(file.path, at: offset, "page \(number) says it is another")
        }
        guard count <= fileBytes / pageBytes - Int(number) else {
            throw BoltError(file.path, at: offset, "page \(number) passes the end of the file")
        }
        return (try file.read(count * pageBytes, at: offset), offset)
    }
}

extension Array where Element == UInt8 {
    /// A little-endian number; whoever asks has checked that it is there.
    func number(at offset: Int, width: Int) -> UInt64 {
        var value: UInt64 = 0
        for index in (0..<width).reversed() { value = value << 8 | UInt64(self[offset + index]) }
        return value
    }
}
