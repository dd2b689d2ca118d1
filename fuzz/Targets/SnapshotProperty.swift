import Basics
import Keyspace

/// An edited snapshot file is refused, or nothing was changed; and whoever is refused says where.
enum SnapshotProperty {
    private static let sample = makeSample()
    private static let content = ChunkedContent(sample)

    static func check(_ script: Bytes) {
        let file = EditScript.apply(script, to: sample)
        Scratch.withFolder { folder in
            let path = folder + "/edited"
            Scratch.write(file, to: path)
            do throws(KeyspaceError) {
                try SnapshotFile.verify(path)
                precondition(file == sample, "a damaged snapshot passes")
            } catch {
                precondition(file != sample, "a good snapshot is refused: \(error)")
                precondition(!error.message.isEmpty)
            }
        }
    }

    /// Edited under its checksums: it becomes a keyspace or is refused. The first byte chooses the
    /// part that is edited.
    static func checkContent(_ input: Bytes) {
        guard let part = input.first else { return }
        let file = content.edited(part, Bytes(input.dropFirst()))
        Scratch.withFolder { folder in
            let path = folder + "/edited"
            let keyspace = folder + "/keyspace"
            Scratch.write(file, to: path)
            do throws(KeyspaceError) {
                try SnapshotFile.restore(path, into: keyspace, isSynced: false)
                let findings = try KeyspaceScan(directory: keyspace).verify()
                precondition(findings.isSound || file != sample, "a good snapshot is damaged")
            } catch {
                precondition(file != sample, "a good snapshot is refused: \(error)")
                precondition(!error.message.isEmpty)
            }
        }
    }

    /// A keyspace with some history, as a snapshot.
    private static func makeSample() -> Bytes {
        Scratch.withFolder { folder -> Bytes in
            let path = folder + "/sample"
            let keyspacePath = folder + "/keyspace"
            Scratch.makeFolder(keyspacePath)
            do throws(KeyspaceError) {
                let keyspace = try Keyspace.open(directory: keyspacePath)
                var batch: [AppliedEntry] = []
                for index in UInt64(1)...60 {
                    let value = Bytes(repeating: UInt8(index), count: Int(index) * 61 % 4_000)
                    let put = PutRequest(key: [UInt8(index % 9)], value: value)
                    let request = TransactionRequest(
                        compares: [], success: [.put(put)], failure: [])
                    batch.append(
                        AppliedEntry(index: index, term: 1, command: .transaction(request)))
                }
                _ = try keyspace.apply(batch)
                try SnapshotFile.save(try keyspace.snapshot(clusterID: 1), to: path)
                keyspace.stop()
            } catch {
                preconditionFailure("the sample snapshot cannot be written: \(error)")
            }
            return Scratch.read(path)
        }
    }
}
