package import Basics

/// Writes a new bbolt file from sorted buckets with sorted keys. Leaves go to the file as they
/// fill; only the first key of each page is kept for the branches above.
package final class BoltWriter {
    private struct Child {
        var firstKey: Bytes
        var page: UInt64
    }

    private struct Element {
        var flags: UInt32
        var key: Bytes
        var value: Bytes
    }

    private let file: BoltFile
    /// Pages 0 and 1 are the meta pages, page 2 the list of free pages.
    private var nextPage: UInt64 = 3
    private var buckets: [Element] = []
    private var elements: [Element] = []
    private var elementBytes = 0
    private var children: [Child] = []
    private var bucket: Bytes?
    private var lastKey = Bytes()

    /// The file must not exist.
    package init(_ path: String) throws(BoltError) {
        file = try BoltFile(path, creating: true)
    }

    /// Begins a bucket; names come in ascending order.
    package func begin(bucket name: Bytes) throws(BoltError) {
        try endBucket()
        precondition(buckets.last.map { isOrderedBefore($0.key, name) } ?? true)
        bucket = name
    }

    /// Adds to the bucket; keys come in ascending order.
    package func add(_ key: Bytes, _ value: Bytes) throws(BoltError) {
        precondition(bucket != nil)
        precondition(lastKey.isEmpty || isOrderedBefore(lastKey, key))
        lastKey = key
        try add(Element(flags: 0, key: key, value: value))
    }

    /// Ends the last bucket and makes the file whole: the meta pages come last, after a sync.
    package func finish() throws(BoltError) {
        try endBucket()
        for bucket in buckets { try add(bucket) }
        let root = try endTree()
        var free = ByteWriter()
        writeHeader(&free, page: 2, flags: BoltFormat.PageFlags.freelist, count: 0, bytes: 16)
        try write(free, at: 2)
        try file.sync()
        for page in 0..<UInt64(2) { try writeMeta(page, root: root) }
        try file.sync()
    }

    private func endBucket() throws(BoltError) {
        guard let name = bucket else { return }
        var value = ByteWriter()
        value.writeLittleEndian(try endTree())
        value.writeLittleEndian(0 as UInt64)
        buckets.append(Element(flags: BoltFormat.bucketFlag, key: name, value: value.bytes))
        bucket = nil
        lastKey = []
    }

    // MARK: The tree

    private func add(_ element: Element) throws(BoltError) {
        let bytes = BoltFormat.elementBytes + element.key.count + element.value.count
        if !elements.isEmpty,
            BoltFormat.pageHeaderBytes + elementBytes + bytes > BoltFormat.pageBytes
        {
            try writeLeaf()
        }
        elements.append(element)
        elementBytes += bytes
    }

    /// Writes what is left and the branches above; answers the root's page.
    private func endTree() throws(BoltError) -> UInt64 {
        // An empty tree is an empty leaf.
        if !elements.isEmpty || children.isEmpty { try writeLeaf() }
        while children.count > 1 { try writeBranches() }
        defer { children = [] }
        return children[0].page
    }

    private func writeLeaf() throws(BoltError) {
        let bytes = BoltFormat.pageHeaderBytes + elementBytes
        let page = take(bytes)
        var writer = ByteWriter(reserving: bytes)
        writeHeader(
            &writer, page: page, flags: BoltFormat.PageFlags.leaf, count: elements.count,
            bytes: bytes)
        // Positions count from the element that has them.
        var position = elements.count * BoltFormat.elementBytes
        for element in elements {
            writer.writeLittleEndian(element.flags)
            writer.writeLittleEndian(UInt32(position))
            writer.writeLittleEndian(UInt32(element.key.count))
            writer.writeLittleEndian(UInt32(element.value.count))
            position += element.key.count + element.value.count - BoltFormat.elementBytes
        }
        for element in elements {
            writer.write(element.key)
            writer.write(element.value)
        }
        try write(writer, at: page)
        children.append(Child(firstKey: elements.first?.key ?? [], page: page))
        elements = []
        elementBytes = 0
    }

    /// One level of branches over the children, which they replace.
    private func writeBranches() throws(BoltError) {
        let below = children
        children = []
        var start = 0
        while start < below.count {
            var end = start
            var bytes = BoltFormat.pageHeaderBytes
            while end < below.count {
                let more = BoltFormat.elementBytes + below[end].firstKey.count
                // Two at least, or the tree would never come to a root.
                if end - start >= 2, bytes + more > BoltFormat.pageBytes { break }
                bytes += more
                end += 1
            }
            try writeBranch(below[start..<end], bytes)
            start = end
        }
    }

    private func writeBranch(_ below: ArraySlice<Child>, _ bytes: Int) throws(BoltError) {
        let page = take(bytes)
        var writer = ByteWriter(reserving: bytes)
        writeHeader(
            &writer, page: page, flags: BoltFormat.PageFlags.branch, count: below.count,
            bytes: bytes)
        var position = below.count * BoltFormat.elementBytes
        for child in below {
            writer.writeLittleEndian(UInt32(position))
            writer.writeLittleEndian(UInt32(child.firstKey.count))
            writer.writeLittleEndian(child.page)
            position += child.firstKey.count - BoltFormat.elementBytes
        }
        for child in below { writer.write(child.firstKey) }
        try write(writer, at: page)
        children.append(Child(firstKey: below.first?.firstKey ?? [], page: page))
    }

    // MARK: Pages

    private func pages(_ bytes: Int) -> Int {
        (bytes + BoltFormat.pageBytes - 1) / BoltFormat.pageBytes
    }

    /// The number of a page for so many bytes, which takes as many places as it needs.
    private func take(_ bytes: Int) -> UInt64 {
        defer { nextPage += UInt64(pages(bytes)) }
        return nextPage
    }

    private func writeHeader(
        _ writer: inout ByteWriter, page: UInt64, flags: UInt16, count: Int, bytes: Int
    ) {
        precondition(count < 1 << 16)
        writer.writeLittleEndian(page)
        writer.writeLittleEndian(flags)
        writer.writeLittleEndian(UInt16(count))
        writer.writeLittleEndian(UInt32(pages(bytes) - 1))
    }

    private func write(_ writer: ByteWriter, at page: UInt64) throws(BoltError) {
        let full = pages(writer.bytes.count) * BoltFormat.pageBytes
        let rest = Bytes(repeating: 0, count: full - writer.bytes.count)
        try file.write(writer.bytes + rest, at: Int(page) * BoltFormat.pageBytes)
    }

    private func writeMeta(_ page: UInt64, root: UInt64) throws(BoltError) {
        var meta = ByteWriter()
        meta.writeLittleEndian(BoltFormat.magic)
        meta.writeLittleEndian(BoltFormat.version)
        meta.writeLittleEndian(UInt32(BoltFormat.pageBytes))
        meta.writeLittleEndian(0 as UInt32)
        meta.writeLittleEndian(root)
        meta.writeLittleEndian(0 as UInt64)
        meta.writeLittleEndian(2 as UInt64)
        meta.writeLittleEndian(nextPage)
        // The copy with the higher number counts.
        meta.writeLittleEndian(page)
        meta.writeLittleEndian(BoltFormat.checksum(meta.bytes[...]))
        var writer = ByteWriter()
        writeHeader(
            &writer, page: page, flags: BoltFormat.PageFlags.meta, count: 0,
            bytes: BoltFormat.pageHeaderBytes + meta.bytes.count)
        writer.write(meta.bytes)
        try write(writer, at: page)
    }
}
