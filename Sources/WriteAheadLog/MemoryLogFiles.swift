package import Basics

/// Log files in memory that lose and tear what was not synced, for simulation and tests.
///
/// A crash keeps, of what was not synced, any set of 512-byte sectors, as a disk does that
/// reorders writes; file sizes, creations and removals are kept up to a random point of their
/// order, as a journalling file system does. All chance comes from the generator passed in.
package final class MemoryLogFiles: LogFiles {
    private var live: [(name: String, file: MemoryFile)] = []
    private var durable: [(name: String, file: MemoryFile)] = []
    private var changes: [DirectoryChange] = []
    /// Syncs to come before one fails, counted down; nil for never.
    package var syncsUntilFailure: Int?
    /// Bytes of all files that the device can hold; nil for no end.
    package var capacityBytes: UInt64?
    /// A byte of a file that cannot be read.
    package var unreadable: (name: String, offset: Int)?
    package private(set) var syncs = 0

    private enum DirectoryChange {
        case create(String, MemoryFile)
        case remove(String)
        case rename(String, to: String)
    }

    package init() {}

    package func place(of name: String) -> String { name }

    package func names() throws(LogError) -> [String] {
        live.map(\.name).sorted { isOrderedBefore(Array($0.utf8), Array($1.utf8)) }
    }

    package func create(_ name: String) throws(LogError) -> any LogFile {
        guard !live.contains(where: { $0.name == name }) else {
            throw LogError(.inputOutput, file: name, "cannot create the file: it exists")
        }
        let file = MemoryFile(name: name, files: self)
        live.append((name, file))
        changes.append(.create(name, file))
        return file
    }

    package func open(_ name: String) throws(LogError) -> any LogFile {
        try find(name)
    }

    private func find(_ name: String) throws(LogError) -> MemoryFile {
        guard let found = live.first(where: { $0.name == name }) else {
            throw LogError(.inputOutput, file: name, "cannot open the file: it does not exist")
        }
        return found.file
    }

    package func remove(_ name: String) throws(LogError) {
        _ = try find(name)
        live.removeAll { $0.name == name }
        changes.append(.remove(name))
    }

    package func rename(_ name: String, to newName: String) throws(LogError) {
        let file = try find(name)
        precondition(!live.contains { $0.name == newName }, "\(newName) exists")
        live.removeAll { $0.name == name }
        live.append((newName, file))
        changes.append(.rename(name, to: newName))
    }

    package func syncDirectory() throws(LogError) {
        try countSync(".")
        durable = live
        changes = []
    }

    fileprivate func countSync(_ name: String) throws(LogError) {
        syncs += 1
        guard let left = syncsUntilFailure else { return }
        guard left > 0 else { throw LogError(.syncFailed, file: name, "sync failed: injected") }
        syncsUntilFailure = left - 1
    }

    fileprivate func checkCapacity(_ file: MemoryFile, _ size: UInt64) throws(LogError) {
        guard let capacityBytes else { return }
        let others = live.reduce(UInt64(0)) { $0 + ($1.file === file ? 0 : $1.file.byteCount) }
        if others + size > capacityBytes {
            throw LogError(.full, file: file.name, "cannot reserve space: the device is full")
        }
    }

    /// The power fails: what was synced stays, of the rest any part may.
    package func crash(_ random: inout SeededRandom) {
        var survivors = durable
        for change in changes.prefix(random.below(changes.count + 1)) {
            switch change {
            case .create(let name, let file): survivors.append((name, file))
            case .remove(let name): survivors.removeAll { $0.name == name }
            case .rename(let name, let newName):
                for index in survivors.indices where survivors[index].name == name {
                    survivors[index].name = newName
                }
            }
        }
        for (_, file) in survivors { file.crash(&random) }
        live = survivors
        durable = survivors
        changes = []
        syncsUntilFailure = nil
    }

    /// The directory is lost.
    package func removeAll() {
        live = []
        durable = []
        changes = []
        syncsUntilFailure = nil
        capacityBytes = nil
    }

    /// Some file holds bytes that nobody wrote there, as a spare too; or will be read wrongly.
    package var isHarmed: Bool {
        (live + durable).contains {
            ($0.file.harm != nil && !$0.file.isHarmUnused) || $0.file.misread != nil
        }
    }

    /// Some file is damaged where it holds nothing that counts.
    package var isHarmedWhereUnused: Bool {
        (live + durable).contains { $0.file.harm != nil && $0.file.isHarmUnused }
    }

    /// The next read of a byte gets it wrong, once.
    package func misread(_ name: String, at offset: Int, mask: UInt8) throws(LogError) {
        try find(name).misread = (offset, mask)
    }

    /// Changes one byte of a file, synced or not.
    ///
    /// - Parameter isUnused: nothing that counts stands there.
    package func flip(
        _ name: String, at offset: Int, mask: UInt8, isUnused: Bool = false
    ) throws(LogError) {
        try find(name).flip(offset, mask, isUnused: isUnused)
    }

    /// The file's bytes as a reader sees them now.
    package func content(of name: String) throws(LogError) -> Bytes {
        try find(name).content
    }

    /// Replaces a file's bytes, synced.
    package func setContent(of name: String, _ bytes: Bytes) throws(LogError) {
        try find(name).setContent(bytes)
    }

    /// Puts a sector of a file in the place of another one, as a write that went astray.
    package func misdirect(_ name: String, from: Int, to: Int) throws(LogError) {
        try find(name).misdirect(from, to)
    }
}

private final class MemoryFile: LogFile {
    static let sectorBytes = 512

    let name: String
    private unowned let files: MemoryLogFiles
    private(set) var content: Bytes = []
    private var durable: Bytes = []
    private var sizes: [Int] = []
    /// Sectors written since the last sync.
    private var dirty: [Int] = []
    /// The sector that holds damage, until it is durably overwritten.
    private(set) var harm: Int?
    private var isHarmOverwritten = false
    /// Nothing that counts was there.
    private(set) var isHarmUnused = false
    var misread: (offset: Int, mask: UInt8)?

    init(name: String, files: MemoryLogFiles) {
        self.name = name
        self.files = files
    }

    var byteCount: UInt64 { UInt64(content.count) }

    func size() throws(LogError) -> UInt64 { UInt64(content.count) }

    func read(at offset: UInt64, count: Int) throws(LogError) -> Bytes {
        let start = min(Int(offset), content.count)
        if let bad = files.unreadable, bad.name == name, start..<start + count ~= bad.offset {
            throw LogError(.inputOutput, file: name, "cannot read: injected")
        }
        let end = min(start + count, content.count)
        var bytes = Bytes(content[start..<end])
        if let wrong = misread, start..<end ~= wrong.offset {
            misread = nil
            bytes[wrong.offset - start] ^= wrong.mask
        }
        return bytes
    }

    func write(_ bytes: Bytes, at offset: UInt64) throws(LogError) {
        let start = Int(offset)
        let end = start + bytes.count
        if end > content.count { try reserve(UInt64(end)) }
        content.replaceSubrange(start..<end, with: bytes)
        guard !bytes.isEmpty else { return }
        for sector in start / MemoryFile.sectorBytes...(end - 1) / MemoryFile.sectorBytes
        where dirty.last != sector {
            dirty.append(sector)
            if sector == harm { isHarmOverwritten = true }
        }
    }

    func reserve(_ size: UInt64) throws(LogError) {
        guard size > content.count else { return }
        try files.checkCapacity(self, size)
        content.append(contentsOf: Bytes(repeating: 0, count: Int(size) - content.count))
        sizes.append(content.count)
    }

    func truncate(_ size: UInt64) throws(LogError) {
        if size < content.count {
            content.removeLast(content.count - Int(size))
            sizes.append(content.count)
        } else {
            try reserve(size)
        }
    }

    func sync() throws(LogError) {
        try files.countSync(name)
        if isHarmOverwritten || (harm ?? 0) * Self.sectorBytes > content.count { harm = nil }
        durable = content
        sizes = []
        dirty = []
    }

    func close() {}

    func crash(_ random: inout SeededRandom) {
        var image = durable
        for size in sizes.prefix(random.below(sizes.count + 1)) {
            if size < image.count {
                image.removeLast(image.count - size)
            } else {
                image.append(contentsOf: Bytes(repeating: 0, count: size - image.count))
            }
        }
        // All, none, or each sector by itself.
        let mode = random.below(4)
        for sector in dirty {
            guard mode == 0 || mode > 1 && random.chance(1, in: 2) else { continue }
            let start = sector * MemoryFile.sectorBytes
            let end = min(start + MemoryFile.sectorBytes, content.count)
            guard start < end else { continue }
            if image.count < end {
                image.append(contentsOf: Bytes(repeating: 0, count: end - image.count))
            }
            image.replaceSubrange(start..<end, with: content[start..<end])
        }
        content = image
        durable = image
        // A frame that was to replace it may have come but for this sector.
        if isHarmOverwritten { isHarmUnused = false }
        isHarmOverwritten = false
        sizes = []
        dirty = []
    }

    func flip(_ offset: Int, _ mask: UInt8, isUnused: Bool) {
        content[offset] ^= mask
        if offset < durable.count { durable[offset] ^= mask }
        setHarm(offset / Self.sectorBytes)
        isHarmUnused = isUnused
    }

    func misdirect(_ from: Int, _ to: Int) {
        let size = Self.sectorBytes
        let sector = content[from * size..<(from + 1) * size]
        content.replaceSubrange(to * size..<(to + 1) * size, with: sector)
        if (to + 1) * size <= durable.count {
            durable.replaceSubrange(to * size..<(to + 1) * size, with: sector)
        }
        setHarm(to)
    }

    private func setHarm(_ sector: Int) {
        harm = sector
        isHarmOverwritten = false
        isHarmUnused = false
    }

    func setContent(_ bytes: Bytes) {
        content = bytes
        durable = bytes
        sizes = []
        dirty = []
    }
}
