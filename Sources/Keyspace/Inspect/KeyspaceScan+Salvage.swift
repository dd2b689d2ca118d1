package import Basics
import LMDB

/// What can still be read of a keyspace, as a snapshot file.
package struct Salvage: Sendable {
    /// A change whose record is gone, and what stands under its key now.
    package struct LostChange: Sendable, Hashable {
        package var key: Bytes
        package var revision: Int64
        package var isDelete: Bool
        package var isCurrent: Bool
    }

    package var header: SnapshotHeader
    package var lost: [LostChange]
    /// Records that the tree does not lead to any more, found elsewhere in the file.
    package var foundLoose: Int
    /// Records taken from other snapshot files.
    package var foundElsewhere: Int
    package var records: Int
    /// Entries that stood in damaged places of a snapshot file, `lost` among them; nil where
    /// nothing says how many there were.
    package var entriesLost: UInt64?
}

extension KeyspaceScan {
    /// Writes everything that is intact into a snapshot file: what the tree leads to, what stands
    /// loose on other pages, and what other snapshot files of the same replica have.
    ///
    /// When a change is lost for good, what is left is compacted up to the newest revision: a read
    /// of the past would otherwise miss something without a word.
    ///
    /// - Parameters:
    ///   - findings: what `verify` answered.
    ///   - elsewhere: snapshot files of the same replica.
    package func salvage(
        _ findings: Findings, elsewhere: [String], clusterID: UInt64, createdMilliseconds: UInt64,
        to path: String
    ) throws(KeyspaceError) -> Salvage {
        var missing = Set(
            findings.lost.map { RecordPosition(revision: $0.revision, sub: $0.sub) })
        let newest = findings.state?.revision ?? .max
        let loose = findLoose(missing, revisionMax: newest, isTreeWhole: findings.isSound)
        for position in loose.keys { missing.remove(position) }
        let others = findElsewhere(missing, elsewhere)
        for position in others.keys { missing.remove(position) }
        var found = loose
        found.merge(others) { own, _ in own }
        let lost = findings.lost.filter {
            missing.contains(RecordPosition(revision: $0.revision, sub: $0.sub))
        }
        let spool = try collect(found)
        let stored = state(findings, spool.revision, isIncomplete: !lost.isEmpty)
        let membership = try blob(Keyspace.membershipName)
        let header = SnapshotHeader(
            clusterID: clusterID, index: stored.state.appliedIndex,
            term: stored.state.appliedTerm, revision: stored.state.revision,
            compactRevision: stored.state.compactRevision, membership: membership,
            auth: try blob(Keyspace.authName), createdMilliseconds: createdMilliseconds,
            keys: UInt64(findings.keys))
        try write(header, stored, found, to: path)
        return Salvage(
            header: header,
            lost: lost.map {
                Salvage.LostChange(
                    key: $0.key, revision: $0.revision, isDelete: $0.isDelete,
                    isCurrent: $0.isCurrent)
            }, foundLoose: loose.count, foundElsewhere: others.count, records: spool.records)
    }

    private typealias Found = [RecordPosition: RecordAssembly.Whole]

    /// Records on leaves that the tree does not lead to. Of those only what an index names, or,
    /// when the tree is damaged, what is no older than everything else, can be trusted to be
    /// more than a leftover; so an index must name it.
    private func findLoose(
        _ missing: Set<RecordPosition>, revisionMax: Int64, isTreeWhole: Bool
    ) -> Found {
        guard !isTreeWhole, !missing.isEmpty else { return [:] }
        var chunks: [RecordPosition: [UInt32: Bytes]] = [:]
        file.salvage { node in
            guard node.key.count == RecordKey.bytes,
                let key = unsafe node.key.withUnsafeBytes({ unsafe RecordKey($0) }),
                missing.contains(key.position), RecordAssembly.isIntact(node.key, node.value)
            else { return }
            chunks[key.position, default: [:]][key.chunk] = node.value
        }
        return Self.assemble(chunks)
    }

    private func findElsewhere(_ missing: Set<RecordPosition>, _ paths: [String]) -> Found {
        guard !missing.isEmpty else { return [:] }
        var chunks: [RecordPosition: [UInt32: Bytes]] = [:]
        for path in paths {
            guard let reader = try? SnapshotReader(path) else { continue }
            while let entries = try? reader.next() {
                for entry in entries where entry.table == .records {
                    guard let key = unsafe entry.key.withUnsafeBytes({ unsafe RecordKey($0) }),
                        missing.contains(key.position),
                        RecordAssembly.isIntact(entry.key, entry.value)
                    else { continue }
                    chunks[key.position, default: [:]][key.chunk] = entry.value
                }
            }
        }
        return Self.assemble(chunks)
    }

    private static func assemble(_ chunks: [RecordPosition: [UInt32: Bytes]]) -> Found {
        var found: Found = [:]
        for (position, parts) in chunks {
            var assembly = RecordAssembly()
            for number in parts.keys.sorted() {
                let key = RecordKey(position, chunk: number)
                let name = unsafe withUnsafeBytes(of: key) { unsafe Bytes($0) }
                _ = assembly.take(name, parts[number] ?? [], page: 0)
            }
            if let whole = assembly.finish().complete { found[position] = whole }
        }
        return found
    }

    // MARK: What the new file says of itself

    private func collect(_ found: Found) throws(KeyspaceError) -> (records: Int, revision: Int64) {
        var records = 0
        var revision: Int64 = 1
        try intact(found) { whole in
            records += 1
            revision = max(revision, whole.commitEnd)
        }
        return (records, revision)
    }

    private func state(
        _ findings: Findings, _ newest: Int64, isIncomplete: Bool
    ) -> StoredState {
        var stored = StoredState()
        // Without a state record nothing says how far the past is whole.
        stored.state = findings.state ?? stored.state
        stored.state.revision = max(stored.state.revision, newest)
        if isIncomplete || findings.state == nil || findings.damage.contains(where: \.isOfHistory) {
            stored.state.compactRevision = stored.state.revision
        }
        stored.compactEnd = stored.state.compactRevision
        stored.compactDone = 0
        return stored
    }

    private func blob(_ name: String) throws(KeyspaceError) -> Bytes {
        var value = Bytes()
        let wanted = MetaName.key(name)
        try walk("meta") { node, _ in
            if node.key == wanted { value = MetaName.open(node.value, under: wanted) ?? [] }
        } damaged: { _ in
        }
        return value
    }

    /// Every whole record in order, the found ones in their places.
    private func intact(
        _ found: Found, _ visit: (RecordAssembly.Whole) -> Void
    ) throws(KeyspaceError) {
        var rest = found.keys.sorted()[...]
        func visitFound(before position: RecordPosition?) {
            while let next = rest.first, position.map({ next < $0 }) ?? true {
                if let whole = found[next] { visit(whole) }
                rest.removeFirst()
            }
        }
        var last = RecordPosition.none
        func take(_ whole: RecordAssembly.Whole) {
            visitFound(before: whole.position)
            // Out of order, or here twice: the index of the loader takes each once, rising.
            guard last < whole.position else { return }
            if rest.first == whole.position { rest.removeFirst() }
            last = whole.position
            visit(whole)
        }
        var assembly = RecordAssembly()
        try walk("records") { node, _ in
            if let whole = assembly.take(node.key, node.value, page: 0).complete { take(whole) }
        } damaged: { _ in
        }
        if let whole = assembly.finish().complete { take(whole) }
        visitFound(before: nil)
    }

    private func write(
        _ header: SnapshotHeader, _ stored: StoredState, _ found: Found, to path: String
    ) throws(KeyspaceError) {
        var writer = ChunkedWriter(SnapshotFormat.kind)
        let output = try OutputFile(creating: path + ".new")
        try output.write(writer.header(SnapshotFormat.encode(header, stored)))
        var content = ByteWriter()
        var entries = 0
        var failure: KeyspaceError?
        func flush() {
            guard entries > 0, failure == nil else { return }
            do throws(KeyspaceError) {
                try output.write(try writer.chunk(content.bytes, entries: entries))
            } catch {
                failure = error
            }
            content = ByteWriter()
            entries = 0
        }
        func add(_ table: SnapshotFormat.Table, _ key: Bytes, _ value: Bytes) {
            content.write(table.rawValue)
            content.writeCounted(key)
            content.writeCounted(value)
            entries += 1
            if content.count >= ChunkedFile.chunkBytes { flush() }
        }
        try intact(found) { whole in
            for chunk in whole.chunks { add(.records, chunk.key, chunk.value) }
        }
        try walk("leases") { node, _ in
            let id = unsafe node.key.withUnsafeBytes { unsafe LeaseEntry.id(of: $0) }
            guard let id, (try? LeaseEntry(decoding: node.value, id: id)) != nil else { return }
            add(.leases, node.key, node.value)
        } damaged: { _ in
        }
        flush()
        if let failure { throw failure }
        try output.write(writer.trailer())
        try output.sync()
        try Files.rename(path + ".new", to: path)
    }
}

extension KeyspaceScan.Damage {
    /// Changes may be gone that nothing names any more.
    fileprivate var isOfHistory: Bool { table == "records" || table == "history" }
}
