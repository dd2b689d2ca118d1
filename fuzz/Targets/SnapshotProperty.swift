import Basics
import Glibc
import Keyspace

/// An edited snapshot file is refused, or nothing was changed; and whoever is refused says where.
enum SnapshotProperty {
    private static let directory = "/dev/shm/martlet-fuzz-\(getpid())"
    private static let sample = makeSample()

    static func check(_ script: Bytes) {
        let file = EditScript.apply(script, to: sample)
        let path = directory + ".edited"
        write(file, to: path)
        defer { unsafe unlink(path) }
        do throws(KeyspaceError) {
            try SnapshotFile.verify(path)
            precondition(file == sample, "a damaged snapshot passes")
        } catch {
            precondition(file != sample, "a good snapshot is refused: \(error)")
            precondition(!error.message.isEmpty)
        }
    }

    /// A keyspace with some history, as a snapshot.
    private static func makeSample() -> Bytes {
        let keyspacePath = directory + "/keyspace"
        let path = directory + "/sample"
        unsafe mkdir(directory, 0o700)
        unsafe mkdir(keyspacePath, 0o700)
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
        defer {
            for name in ["data.mdb", "lock.mdb", "boot"] {
                unsafe unlink(keyspacePath + "/" + name)
            }
            unsafe rmdir(keyspacePath)
            unsafe unlink(path)
            unsafe rmdir(directory)
        }
        return read(path)
    }

    private static func write(_ bytes: Bytes, to path: String) {
        let file = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        precondition(file >= 0, "cannot write \(path)")
        defer { close(file) }
        let count = unsafe bytes.withUnsafeBytes {
            unsafe Glibc.write(file, $0.baseAddress, $0.count)
        }
        precondition(count == bytes.count, "cannot write \(path)")
    }

    private static func read(_ path: String) -> Bytes {
        let file = unsafe open(path, O_RDONLY | O_CLOEXEC)
        precondition(file >= 0, "cannot read \(path)")
        defer { close(file) }
        let size = Int(lseek(file, 0, SEEK_END))
        var bytes = Bytes(repeating: 0, count: size)
        let count = unsafe bytes.withUnsafeMutableBytes {
            unsafe pread(file, $0.baseAddress, $0.count, 0)
        }
        precondition(count == size, "cannot read \(path)")
        return bytes
    }
}
