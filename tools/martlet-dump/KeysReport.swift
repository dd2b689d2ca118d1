import Documents
import Objects
import Basics
import Keyspace

/// `keys`: how many keys of which size stand where; with a prefix, which.
struct KeysReport {
    /// What a group of keys amounts to.
    private struct Group {
        var prefix: Bytes
        var keys = 0
        var bytes: Int64 = 0
        var changes = 0
        var changeBytes: Int64 = 0
        var valueBytes: Int64 = 0
    }

    private let source: Source
    private let prefix: Bytes
    private let limit: Int

    init(_ source: Source, prefix: Bytes, limit: Int) {
        self.source = source
        self.prefix = prefix
        self.limit = limit
    }

    func write(to output: Output) throws {
        if prefix.isEmpty { try writeGroups(to: output) } else { try writeKeys(to: output) }
    }

    /// Bytes of values that a compaction up to now would free.
    private func deadBytes(_ group: Group) -> Int64 { max(0, group.changeBytes - group.valueBytes) }

    /// Keys, changes and dead space by prefix.
    func writeGroups(to output: Output) throws {
        var groups: [Group] = []
        var places: [Bytes: Int] = [:]
        try source.keyspace().changes(.all) { change in
            let prefix = Self.group(of: change.key)
            let place = places[prefix] ?? groups.count
            if place == groups.count {
                places[prefix] = place
                groups.append(Group(prefix: prefix))
            }
            groups[place].changes += 1
            groups[place].changeBytes += Int64(change.valueBytes)
        }
        try source.keyspace().keys(.all) { change in
            // No place: the first of its prefix was made since the walk above.
            guard let place = places[Self.group(of: change.key)] else { return }
            groups[place].keys += 1
            groups[place].valueBytes += Int64(change.valueBytes)
            groups[place].bytes += Int64(change.key.count + change.valueBytes)
        }
        func name(_ prefix: Bytes) -> String { prefix.isEmpty ? "(others)" : prefix.readable }
        let width = groups.map { name($0.prefix).count }.max() ?? 0
        if !output.isJSON {
            output.write(
                Bytes(("PREFIX".column(width) + "     KEYS       SIZE  CHANGES       DEAD").utf8))
        }
        for group in groups.prefix(limit) {
            output.line(
                name(group.prefix).column(width) + "\(group.keys)".number(9)
                    + Output.size(group.bytes).number(11) + "\(group.changes)".number(9)
                    + Output.size(deadBytes(group)).number(11),
                [
                    "part": "prefix", "prefix": .string(group.prefix.readable),
                    "keys": .integer(Int64(group.keys)),
                    "bytes": .integer(group.bytes), "changes": .integer(Int64(group.changes)),
                    "changeBytes": .integer(group.changeBytes),
                    "deadBytes": .integer(deadBytes(group)),
                ])
        }
    }

    private func writeKeys(to output: Output) throws {
        if !output.isJSON { output.write(Bytes("REVISION  VERSION      SIZE  KEY".utf8)) }
        var shown = 0
        try source.keyspace().keys(.prefix(prefix)) { change in
            shown += 1
            guard shown <= limit else { return }
            let lease = change.lease == 0 ? "" : "  (lease \(change.lease))"
            output.line(
                "\(change.revision)".number(8) + "\(change.version)".number(9)
                    + Output.size(Int64(change.valueBytes)).number(10)
                    + "  \(change.key.readable)\(lease)",
                [
                    "key": .string(change.key.readable),
                    "modRevision": .integer(change.revision),
                    "createRevision": .integer(change.createRevision),
                    "version": .integer(change.version), "lease": .integer(change.lease),
                    "valueBytes": .integer(Int64(change.valueBytes)),
                ])
        }
    }

    /// `/registry/pods/` of `/registry/pods/default/web`: up to the third slash, or the second;
    /// one more for the two-part names of services.
    private static func group(of key: Bytes) -> Bytes {
        if let parsed = ResourceKind.parse(key: key) {
            let range = parsed.kind.prefix()
            return range.start
        }
        let slash = UInt8(ascii: "/")
        let slashes = key.indices.filter { key[$0] == slash }
        switch slashes.count {
        case 0: return []
        case 1, 2: return Bytes(key[...slashes[slashes.count - 1]])
        default: return Bytes(key[...slashes[2]])
        }
    }
}
