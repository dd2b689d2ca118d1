import Basics
import LMDB

extension KeyspaceScan {
    /// Checks everything that can be reached from the file's root.
    package func verify() throws(KeyspaceError) -> Findings {
        var findings = Findings()
        try slice { slice, _ in
            for damage in slice.damage { findings.damage.append(describe(damage, "meta")) }
            for name in Tables.names where slice.trees[name] == nil {
                findings.damage.append(
                    Damage(offset: nil, table: name, reason: "the table is missing", held: "all"))
            }
        }
        try verifyRecords(&findings)
        try verifyIndexes(&findings)
        try verifyLeases(&findings)
        try verifyMeta(&findings)
        findings.damage = unique(findings.damage)
        return findings
    }

    private func unique(_ damage: [Damage]) -> [Damage] {
        var seen: Set<String> = []
        return damage.filter {
            seen.insert("\($0.offset ?? 0) \($0.table) \($0.reason) \($0.held)").inserted
        }
    }

    private func describe(_ damage: PageFile.Damage, _ table: String) -> Damage {
        Damage(
            offset: damage.offset, table: table, reason: "page \(damage.page): \(damage.reason)",
            held: held(table, damage.from, damage.to))
    }

    private func held(_ table: String, _ from: Bytes?, _ to: Bytes?) -> String {
        func name(_ key: Bytes?) -> String? {
            guard let key else { return nil }
            return unsafe key.withUnsafeBytes { raw in
                switch table {
                case "records":
                    unsafe RecordKey(raw).map { "\($0.position.revision).\($0.position.sub)" }
                case "history":
                    unsafe HistoryKey.name(of: raw).map { unsafe KeyName.shortKey($0).readable }
                case "leases", "leaseKeys": unsafe LeaseEntry.id(of: raw).map { "lease \($0)" }
                default: key.readable
                }
            }
        }
        let what = table == "records" ? "changes" : "entries"
        switch (name(from), name(to)) {
        case (nil, nil): return "\(what) of \(table)"
        case (let low?, nil): return "\(what) from \(low) on"
        case (nil, let high?): return "\(what) before \(high)"
        case (let low?, let high?): return "\(what) from \(low) to \(high)"
        }
    }

    // MARK: Records

    private func verifyRecords(_ findings: inout Findings) throws(KeyspaceError) {
        var found = findings
        var reader = RecordAssembly()
        func note(_ problems: [RecordAssembly.Problem]) {
            for problem in problems {
                found.damage.append(
                    Damage(
                        offset: problem.page.map { $0 * UInt64(file.pageBytes) }, table: "records",
                        reason: problem.reason,
                        held: "revision \(problem.position.revision).\(problem.position.sub)"))
            }
        }
        try walk("records") { node, _ in
            let step = reader.take(node.key, node.value, page: node.page)
            if step.complete != nil { found.records += 1 }
            note(step.problems)
        } damaged: { damage in
            found.damage.append(describe(damage, "records"))
        }
        let end = reader.finish()
        if end.complete != nil { found.records += 1 }
        note(end.problems)
        findings = found
    }

    // MARK: Indexes

    private func verifyIndexes(_ findings: inout Findings) throws(KeyspaceError) {
        var found = findings
        var lost: [RecordPosition: Lost] = [:]
        try walk("history") { node, slice in
            found.historyEntries += 1
            unsafe node.key.withUnsafeBytes { raw in
                guard let name = unsafe HistoryKey.name(of: raw) else {
                    return found.damage.append(
                        entryDamage(node, "history", "the key is too short", "an entry"))
                }
                unsafe check(node, raw, name, .history, slice, &found, &lost)
            }
        } damaged: { damage in
            found.damage.append(describe(damage, "history"))
        }
        try walk("current") { node, slice in
            found.keys += 1
            unsafe node.key.withUnsafeBytes { raw in
                unsafe check(node, raw, raw, .current, slice, &found, &lost)
            }
        } damaged: { damage in
            found.damage.append(describe(damage, "current"))
        }
        found.lost = lost.values.sorted {
            ($0.revision, $0.sub) < ($1.revision, $1.sub)
        }
        findings = found
    }

    private func check(
        _ node: PageFile.Node, _ raw: UnsafeRawBufferPointer, _ name: UnsafeRawBufferPointer,
        _ table: TableName, _ slice: Slice, _ findings: inout Findings,
        _ lost: inout [RecordPosition: Lost]
    ) {
        let entry = unsafe node.value.withUnsafeBytes { value in
            try? unsafe IndexEntry.decode(value, under: raw, in: table)
        }
        let key = unsafe self.key(ofName: name, slice)
        guard let entry else {
            findings.damage.append(
                entryDamage(
                    node, table.rawValue, "the entry's checksum does not match", key.readable))
            return
        }
        if let reason = recordProblem(key, entry, slice) {
            let isCurrent = table == .current
            if lost[entry.position] == nil || isCurrent {
                lost[entry.position] = Lost(
                    key: key, revision: entry.revision, sub: entry.sub, isDelete: entry.isDelete,
                    isCurrent: isCurrent)
            }
            if table == .history || isCurrent && lost.isEmpty {
                findings.damage.append(
                    Damage(
                        offset: nil, table: "records",
                        reason: "record \(entry.revision).\(entry.sub) \(reason)",
                        held: "\(key.readable), \(entry.valueBytes) bytes"))
            }
        }
    }

    /// The key that a name stands for; what the name has of it when the rest is damaged.
    private func key(ofName name: UnsafeRawBufferPointer, _ slice: Slice) -> Bytes {
        guard unsafe KeyName.isLong(name), let tree = slice.trees["longKeys"] else {
            return unsafe KeyName.shortKey(name)
        }
        let key = try? unsafe LongKeyChunk.key(ofName: name) { file.find($0, in: tree) }
        if let key { return key }
        return unsafe Bytes(name.prefix(KeyName.shortBytesMax))
    }

    private func entryDamage(
        _ node: PageFile.Node, _ table: String, _ reason: String, _ held: String
    ) -> Damage {
        Damage(
            offset: node.page * UInt64(file.pageBytes), table: table, reason: reason, held: held)
    }

    /// What is wrong with the record that an index entry names; nil if nothing is.
    private func recordProblem(_ key: Bytes, _ entry: IndexEntry, _ slice: Slice) -> String? {
        guard let tree = slice.trees["records"] else { return "is gone with its table" }
        var reader = RecordAssembly()
        var chunk: UInt32 = 0
        while true {
            let recordKey = RecordKey(entry.position, chunk: chunk)
            let name = unsafe withUnsafeBytes(of: recordKey) { unsafe Bytes($0) }
            guard let value = file.find(name, in: tree) else {
                return chunk == 0 ? "is missing" : "lacks chunk \(chunk)"
            }
            let step = reader.take(name, value, page: 0)
            if let problem = step.problems.first { return problem.reason }
            if !reader.wantsMore { break }
            chunk += 1
        }
        guard let record = reader.finish().complete else { return "is not whole" }
        let isSame =
            record.key == key && record.header.version == entry.version
            && record.header.createRevision == entry.createRevision
            && record.header.lease == entry.lease && record.header.valueBytes == entry.valueBytes
            && record.header.isDelete == entry.isDelete && record.hash == entry.recordHash
        return isSame ? nil : "is that of \(record.key.readable)"
    }

    // MARK: The small tables

    private func verifyLeases(_ findings: inout Findings) throws(KeyspaceError) {
        var found = findings
        try walk("leases") { node, _ in
            found.leases += 1
            let id = unsafe node.key.withUnsafeBytes { unsafe LeaseEntry.id(of: $0) }
            guard let id, (try? LeaseEntry(decoding: node.value, id: id)) != nil else {
                return found.damage.append(
                    entryDamage(
                        node, "leases", "the entry's checksum does not match",
                        "lease \(id ?? 0)"))
            }
        } damaged: { damage in
            found.damage.append(describe(damage, "leases"))
        }
        try walk("leaseKeys") { node, _ in
            let isIntact = unsafe node.key.withUnsafeBytes { raw in
                guard let id = unsafe LeaseEntry.id(of: raw), raw.count > 8 else { return false }
                let name = unsafe UnsafeRawBufferPointer(rebasing: raw.dropFirst(8))
                return unsafe LeaseEntry.leaseKey(id, name).value == node.value
            }
            if !isIntact {
                found.damage.append(
                    entryDamage(
                        node, "leaseKeys", "the entry's checksum does not match",
                        "a lease's key"))
            }
        } damaged: { damage in
            found.damage.append(describe(damage, "leaseKeys"))
        }
        findings = found
    }

    private func verifyMeta(_ findings: inout Findings) throws(KeyspaceError) {
        var found = findings
        try walk("longKeys") { node, _ in
            if LongKeyChunk.decode(node.value, node.key) == nil {
                found.damage.append(
                    entryDamage(
                        node, "longKeys", "the entry's checksum does not match",
                        Bytes(node.key.prefix(KeyName.shortBytesMax)).readable))
            }
        } damaged: { damage in
            found.damage.append(describe(damage, "longKeys"))
        }
        try walk("meta") { node, _ in
            guard node.key == Bytes(StoredState.name.utf8) else {
                if MetaName.open(node.value, under: node.key) == nil {
                    found.damage.append(
                        entryDamage(
                            node, "meta", "the blob's checksum does not match",
                            node.key.readable))
                }
                return
            }
            do throws(KeyspaceError) {
                found.state = try StoredState(decoding: node.value).state
            } catch {
                found.damage.append(
                    entryDamage(node, "meta", error.message, "revision and applied entry"))
            }
        } damaged: { damage in
            found.damage.append(describe(damage, "meta"))
        }
        if found.state == nil, !found.damage.contains(where: { $0.table == "meta" }) {
            found.damage.append(
                Damage(
                    offset: nil, table: "meta", reason: "there is no state record",
                    held: "revision and applied entry"))
        }
        findings = found
    }
}
