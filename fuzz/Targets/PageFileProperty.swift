import Basics
import Keyspace
import LMDB

/// A keyspace file with edits, read page by page: what is found intact was written, at some time.
enum PageFileProperty {
    private struct Entry: Hashable {
        var key: Bytes
        var value: Bytes
    }

    private struct Sample {
        var file: Bytes
        /// All entries that ever stood in the file, since pages that are free keep theirs.
        var written: Set<Entry>
        /// Keys by table.
        var keys: [String: [Bytes]]
    }

    private static let sample = makeSample()

    static func check(_ script: Bytes) {
        let file = EditScript.apply(script, to: sample.file)
        Scratch.withFolder { folder in
            let path = folder + "/" + Keyspace.fileName
            Scratch.write(file, to: path)
            walk(open(path))
            salvage(open(path))
            if let damage = open(path).damageAtOpening() {
                precondition(!damage.reason.isEmpty && file != sample.file)
            }
            scan(folder, isEdited: file != sample.file)
        }
    }

    private static func open(_ path: String) -> PageFile {
        do throws(LMDBError) { return try PageFile(path) } catch {
            preconditionFailure("\(path): \(error)")
        }
    }

    private static func walk(_ file: PageFile) {
        for meta in file.metas().metas {
            let tables = file.tables(meta) { precondition(!$0.reason.isEmpty) }
            for (name, tree) in tables {
                guard let table = TableName(rawValue: name) else { continue }
                file.walk(tree, after: nil) { node in
                    expectWritten(node.key, node.value, table)
                    if let offset = file.offset(of: node) { precondition(offset < file.fileBytes) }
                    return true
                } damaged: {
                    precondition(!$0.reason.isEmpty)
                }
                for key in sample.keys[name] ?? [] {
                    if let value = file.find(key, in: tree) { expectWritten(key, value, table) }
                }
            }
        }
    }

    private static func salvage(_ file: PageFile) {
        _ = file.metas()
        file.salvage { node in
            for table in TableName.allCases { expectWritten(node.key, node.value, table) }
        }
    }

    /// If its checksum says that it is intact.
    private static func expectWritten(_ key: Bytes, _ value: Bytes, _ table: TableName) {
        // No table has an empty key, under which four zeros are the checksum of nothing.
        guard !key.isEmpty, TableEntry.rewritten(value, under: key, in: table) != nil
        else { return }
        precondition(
            sample.written.contains(Entry(key: key, value: value)),
            "an entry of \(table) that nobody wrote")
    }

    /// What is found, and what is made of it, say the same of damage: a snapshot file of all that
    /// is intact is in order.
    private static func scan(_ folder: String, isEdited: Bool) {
        do throws(KeyspaceError) {
            let scan = try KeyspaceScan(directory: folder)
            let findings = try scan.verify()
            precondition(isEdited || findings.isSound, "a good file is damaged")
            let path = folder + "/salvage"
            _ = try scan.salvage(
                findings, elsewhere: [], clusterID: 1, createdMilliseconds: 0, to: path)
            do throws(KeyspaceError) { try SnapshotFile.verify(path) } catch {
                preconditionFailure("a salvage is no snapshot: \(error)")
            }
        } catch {
            precondition(isEdited, "a good file is refused: \(error)")
            precondition(!error.message.isEmpty)
        }
    }

    /// A keyspace with something in each of its tables, and with pages that are free.
    private static func makeSample() -> Sample {
        Scratch.withFolder { folder -> Sample in
            var made = Sample(file: [], written: [], keys: [:])
            let path = folder + "/" + Keyspace.fileName
            do throws(KeyspaceError) {
                let keyspace = try Keyspace.open(directory: folder)
                note(path, &made)
                for (number, command) in commands().enumerated() {
                    let index = UInt64(number + 1)
                    _ = try keyspace.apply([AppliedEntry(index: index, term: 1, command: command)])
                    note(path, &made)
                }
                keyspace.stop()
            } catch {
                preconditionFailure("the sample keyspace cannot be written: \(error)")
            }
            made.file = Scratch.read(path)
            return made
        }
    }

    /// Takes down what the file holds now.
    private static func note(_ path: String, _ sample: inout Sample) {
        let file = open(path)
        guard let meta = file.metas().metas.first else { preconditionFailure("no meta page") }
        for (name, tree) in file.tables(meta, { preconditionFailure($0.reason) }) {
            var found: [Entry] = []
            file.walk(tree, after: nil) { node in
                found.append(Entry(key: node.key, value: node.value))
                return true
            } damaged: {
                preconditionFailure($0.reason)
            }
            sample.written.formUnion(found)
            sample.keys[name] = found.map(\.key)
        }
    }

    private static func commands() -> [Command] {
        var commands: [Command] = [
            .leaseGrant(id: 9, ttlSeconds: 60), .membership([1, 2, 3]),
            .auth(.addUser(Bytes("somebody".utf8), passwordHash: nil)),
        ]
        func change(_ operation: Operation) {
            commands.append(.transaction(TransactionRequest(success: [operation])))
        }
        for index in 1...24 {
            let value = Bytes(repeating: UInt8(index), count: index * 211 % 3_000)
            change(
                .put(PutRequest(key: [UInt8(index % 9)], value: value, lease: index == 23 ? 9 : 0)))
        }
        change(.put(PutRequest(key: Bytes(repeating: 3, count: 2_000), value: [1])))
        change(.deleteRange(DeleteRangeRequest(.key([2]))))
        return commands
    }
}
