package import Basics
import LMDB

/// Checks a keyspace file page by page and record by record, without LMDB: a damaged file cannot
/// lead it astray. In use or not; nothing is changed.
///
/// It works in slices of 100 ms, each of one state of the file that a read transaction holds, so
/// that the writer can reuse pages in between. One thread at a time.
package final class KeyspaceScan {
    /// A place that is not as it was written.
    package struct Damage: Sendable {
        /// Byte of the file; nil where only the entry of a table is known.
        package var offset: UInt64?
        package var table: String
        package var reason: String
        /// What stood there, as far as the rest tells.
        package var held: String
    }

    /// A change of a key whose record is gone.
    package struct Lost: Sendable, Hashable {
        package var key: Bytes
        package var revision: Int64
        package var sub: UInt32
        package var isDelete: Bool
        /// It was the key's newest.
        package var isCurrent: Bool
    }

    package struct Findings: Sendable {
        package var state: Keyspace.State?
        package var damage: [Damage] = []
        package var lost: [Lost] = []
        package var records = 0
        package var historyEntries = 0
        package var keys = 0
        package var leases = 0
        package var isSound: Bool { damage.isEmpty && lost.isEmpty }
    }

    private static let sliceMilliseconds: UInt64 = 100

    package let path: String
    let file: PageFile
    /// nil when LMDB does not open it: nobody writes it then.
    private let environment: Environment?

    package init(directory: String) throws(KeyspaceError) {
        path = directory + "/" + Keyspace.fileName
        file = try Self.open(path)
        environment = try? Self.hold(directory)
    }

    private static func hold(_ directory: String) throws -> Environment {
        try Keyspace.checkFileInUse(in: directory)
        return try Keyspace.openEnvironment(directory, Keyspace.Options(), isReadOnly: true)
    }

    private static func open(_ path: String) throws(KeyspaceError) -> PageFile {
        do throws(LMDBError) { return try PageFile(path) } catch {
            throw KeyspaceError(.inputOutput, "\(path): \(error.message)")
        }
    }

    // MARK: One state of the file

    /// The tables of one state.
    struct Slice {
        var trees: [String: PageFile.Tree] = [:]
        var damage: [PageFile.Damage] = []
    }

    /// Calls `body` with a state that stays as it is meanwhile, and a function that says when it
    /// should be let go.
    func slice<Value>(_ body: (Slice, () -> Bool) -> Value) throws(KeyspaceError) -> Value {
        var read: ReadTransaction?
        if let environment {
            do throws(LMDBError) { read = try environment.beginRead() } catch { read = nil }
        }
        let start = MonotonicTime.now()
        var count = 0
        var slice = Slice()
        let (metas, damage) = file.metas()
        slice.damage = damage
        guard let meta = metas.first else {
            throw KeyspaceError(
                .foreignFormat, "\(path) at byte 0: neither of its first pages is one of LMDB")
        }
        for table in file.tables(meta, { slice.damage.append($0) }) {
            slice.trees[table.name] = table.tree
        }
        let value = body(slice) {
            count += 1
            return count % 64 == 0
                && MonotonicTime.now().milliseconds(since: start) >= Self.sliceMilliseconds
        }
        // Up to here the pages were not reused.
        _ = consume read
        return value
    }

    /// Walks a whole table in slices.
    func walk(
        _ table: String, _ visit: (PageFile.Node, Slice) -> Void,
        damaged: (PageFile.Damage) -> Void
    ) throws(KeyspaceError) {
        var after: Bytes?
        var isFirst = true
        while true {
            let start = after
            let told = isFirst
            after = try slice { slice, isOver in
                guard let tree = slice.trees[table] else { return nil }
                var stopped: Bytes?
                file.walk(tree, after: start) { node in
                    visit(node, slice)
                    if !isOver() { return true }
                    stopped = node.key
                    return false
                } damaged: { damage in
                    // Later slices come by the same damaged branches again.
                    if told || damage.from.map({ start.map(Array.init) ?? [] < $0 }) ?? false {
                        damaged(damage)
                    }
                }
                return stopped
            }
            isFirst = false
            if after == nil { return }
        }
    }
}

private func < (left: Bytes, right: Bytes) -> Bool { isOrderedBefore(left, right) }
