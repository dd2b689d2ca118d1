import Basics

/// A directory as the recorded operations make it: what programs see, what is surely on the disk,
/// and what may be.
///
/// Of what was not synced a power cut keeps any sectors of 512 bytes; sizes of a file and names of
/// a directory change in their order, as in a journalling file system, up to a point of its own for
/// each file and directory.
final class DiskNode {
    enum NameChange {
        case add(String, DiskNode)
        case remove(String)
        case rename(String, String)
    }

    let isDirectory: Bool
    // A file
    private(set) var content: Bytes = []
    private var durable: Bytes = []
    private var sizes: [Int] = []
    /// Sectors written since the last sync, each once.
    private(set) var dirty: [Int] = []
    // A directory
    private var names: [(name: String, node: DiskNode)] = []
    private var durableNames: [(name: String, node: DiskNode)] = []
    private var changes: [NameChange] = []

    init(isDirectory: Bool) {
        self.isDirectory = isDirectory
    }

    func child(_ name: Substring) -> DiskNode? { names.first { $0.name == name }?.node }

    func add(_ name: Substring, _ node: DiskNode) {
        names.append((String(name), node))
        changes.append(.add(String(name), node))
    }

    func remove(_ name: Substring) {
        names.removeAll { $0.name == name }
        changes.append(.remove(String(name)))
    }

    func rename(_ name: Substring, to target: Substring) {
        changes.append(.rename(String(name), String(target)))
        names = Self.apply(.rename(String(name), String(target)), to: names)
    }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) {
        let end = offset + bytes.count
        if end > content.count { resize(end) }
        unsafe content.replaceSubrange(offset..<end, with: bytes)
        for sector in offset / 512...(end - 1) / 512 where !dirty.contains(sector) {
            dirty.append(sector)
        }
    }

    func resize(_ size: Int) {
        if size < content.count {
            content.removeLast(content.count - size)
        } else {
            content += Bytes(repeating: 0, count: size - content.count)
        }
        sizes.append(size)
    }

    func sync() {
        if isDirectory {
            durableNames = names
            changes = []
        } else {
            durable = content
            sizes = []
            dirty = []
        }
    }

    private static func apply(
        _ change: NameChange, to names: [(name: String, node: DiskNode)]
    ) -> [(name: String, node: DiskNode)] {
        var names = names
        switch change {
        case .add(let name, let node):
            names.append((name, node))
        case .remove(let name):
            names.removeAll { $0.name == name }
        case .rename(let name, let target):
            guard let position = names.firstIndex(where: { $0.name == name }) else { break }
            let node = names[position].node
            names.removeAll { $0.name == name || $0.name == target }
            names.append((target, node))
        }
        return names
    }

    /// A directory after a power cut. `choose` says what of it is kept.
    func survivors(_ choose: inout Choice) -> [(name: String, node: DiskNode)] {
        var names = durableNames
        for change in changes.prefix(choose.prefix(of: changes.count)) {
            names = Self.apply(change, to: names)
        }
        return names
    }

    /// A file after a power cut.
    func image(_ choose: inout Choice) -> Bytes {
        if sizes.isEmpty && dirty.isEmpty { return durable }
        var image = durable
        for size in sizes.prefix(choose.prefix(of: sizes.count)) {
            if size < image.count {
                image.removeLast(image.count - size)
            } else {
                image += Bytes(repeating: 0, count: size - image.count)
            }
        }
        choose.nextFile()
        for sector in dirty where choose.keeps() {
            let start = sector * 512
            let end = min(start + 512, content.count)
            guard start < end else { continue }
            if image.count < end { image += Bytes(repeating: 0, count: end - image.count) }
            image.replaceSubrange(start..<end, with: content[start..<end])
        }
        return image
    }
}

/// What a power cut keeps.
struct Choice {
    /// Sector by sector, from the lowest bit; for all subsets of a few. nil for chance.
    var subset: UInt64?
    var random: SeededRandom
    private var mode = 0

    init(subset: UInt64? = nil, random: SeededRandom) {
        self.subset = subset
        self.random = random
    }

    mutating func prefix(of count: Int) -> Int {
        if count == 0 { return 0 }
        return random.chance(1, in: 2) ? count : random.below(count + 1)
    }

    /// All, nothing, or each sector of a file by itself, more or fewer of them.
    mutating func nextFile() { mode = random.below(6) }

    mutating func keeps() -> Bool {
        if let bits = subset {
            subset = bits >> 1
            return bits & 1 == 1
        }
        switch mode {
        case 0: return true
        case 1: return false
        case 2: return random.chance(1, in: 8)
        case 3: return random.chance(7, in: 8)
        default: return random.chance(1, in: 2)
        }
    }
}
