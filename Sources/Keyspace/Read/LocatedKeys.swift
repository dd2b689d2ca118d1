import Basics

/// Keys of one piece of a range and their states, in order, without values.
///
/// The keys lie one behind the other, so that none takes memory of its own.
struct LocatedKeys {
    private struct Item {
        var entry: IndexEntry
        /// In `keys`, where the next one begins.
        var keyEnd: Int
    }

    private let bytesMax: Int
    private var keys = Bytes()
    private var items: [Item] = []
    /// What they take, encoded.
    private(set) var bytes = 0

    init(bytesMax: Int) {
        self.bytesMax = bytesMax
    }

    var isEmpty: Bool { items.isEmpty }
    var count: Int64 { Int64(items.count) }

    /// Whether a key that takes so many bytes belongs to the piece; the first one always does.
    func hasRoom(for bytes: Int) -> Bool {
        items.isEmpty || self.bytes + bytes <= bytesMax
    }

    mutating func add(_ key: UnsafeRawBufferPointer, _ entry: IndexEntry, bytes: Int) {
        unsafe keys.append(contentsOf: key)
        items.append(Item(entry: entry, keyEnd: keys.count))
        self.bytes += bytes
    }

    func forEach(
        _ body: (UnsafeRawBufferPointer, IndexEntry) throws(KeyspaceError) -> Void
    ) throws(KeyspaceError) {
        try unsafe withRaw(keys) { raw throws(KeyspaceError) -> Void in
            var start = 0
            for item in items {
                let key = unsafe UnsafeRawBufferPointer(rebasing: raw[start..<item.keyEnd])
                try unsafe body(key, item.entry)
                start = item.keyEnd
            }
        }
    }
}
