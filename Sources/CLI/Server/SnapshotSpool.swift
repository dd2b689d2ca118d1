import Basics
import EtcdAPI
import Glibc
import Keyspace
import Store

/// Snapshot files that `martlet store snapshot save` reads in pieces.
///
/// They lie in the replica's folder of snapshots under another name, are forgotten when nobody has
/// read for ten minutes, and go with the next start of the replica at the latest.
final class SnapshotSpool: Sendable {
    private static let filesMax = 8
    private static let idleMilliseconds: UInt64 = 600_000

    private struct Spooled {
        var path: String
        var descriptor: Int32
        var lastUse: MonotonicTime
    }

    private struct State {
        var files: [UInt64: Spooled] = [:]
        var opening = 0
    }

    private let folder: String
    private let state = Locked(State())

    init(folder: String) {
        self.folder = folder
    }

    /// Takes as long as writing the file takes.
    func open(
        _ keyspace: Keyspace, _ form: SnapshotForm, clusterID: UInt64
    ) -> Result<OpenedSnapshot, StoreError> {
        forgetIdle()
        let isFull = state.withLock { state in
            if state.files.count + state.opening >= Self.filesMax { return true }
            state.opening += 1
            return false
        }
        if isFull {
            return .failure(StoreError(.overloaded, "too many snapshots are being read"))
        }
        defer { state.withLock { $0.opening -= 1 } }
        let token = UInt64.random(in: 1 ... .max)
        let path = "\(folder)/save-\(hexadecimal(token)).spool"
        do {
            let revision = try write(keyspace, form, clusterID: clusterID, to: path)
            let descriptor = unsafe Glibc.open(path, O_RDONLY | O_CLOEXEC)
            guard descriptor >= 0 else { return .failure(failure(path)) }
            let bytes = lseek(descriptor, 0, SEEK_END)
            state.withLock {
                $0.files[token] = Spooled(path: path, descriptor: descriptor, lastUse: .now())
            }
            return .success(
                OpenedSnapshot(token: token, bytes: UInt64(bytes), revision: revision))
        } catch {
            return .failure(StoreError(.corrupt, "cannot make a snapshot: \(error)"))
        }
    }

    /// Answers the revision that the file has.
    private func write(
        _ keyspace: Keyspace, _ form: SnapshotForm, clusterID: UInt64, to path: String
    ) throws -> Int64 {
        let stream = try keyspace.snapshot(
            clusterID: clusterID,
            createdMilliseconds: UInt64(WallTime.now().microseconds / 1000))
        switch form {
        case .martlet: return try SnapshotFile.save(stream, to: path).revision
        case .etcdDatabase:
            let own = path + ".own"
            defer { unsafe unlink(own) }
            let header = try SnapshotFile.save(stream, to: own)
            try EtcdDatabase.write(snapshot: own, to: path)
            return header.revision
        }
    }

    func read(_ token: UInt64, offset: UInt64, count: Int) -> Result<Bytes, StoreError> {
        state.withLock { state in
            guard let descriptor = state.files[token]?.descriptor else {
                return .failure(StoreError(.notFound, "the snapshot is not kept any more"))
            }
            state.files[token]?.lastUse = .now()
            var result = 0
            let bytes = unsafe Bytes(unsafeUninitializedCapacity: count) { room, filled in
                unsafe result = pread(descriptor, room.baseAddress, count, off_t(clamping: offset))
                filled = max(0, result)
            }
            return result < 0 ? .failure(failure("a snapshot")) : .success(bytes)
        }
    }

    func close(_ token: UInt64) {
        if let file = state.withLock({ $0.files.removeValue(forKey: token) }) { Self.remove(file) }
    }

    private func forgetIdle() {
        let now = MonotonicTime.now()
        let idle = state.withLock { state in
            let tokens = state.files.filter {
                now.milliseconds(since: $0.value.lastUse) > Self.idleMilliseconds
            }.keys
            return tokens.compactMap { state.files.removeValue(forKey: $0) }
        }
        for file in idle { Self.remove(file) }
    }

    private static func remove(_ file: Spooled) {
        Glibc.close(file.descriptor)
        unsafe unlink(file.path)
    }

    private func failure(_ path: String) -> StoreError {
        StoreError(.corrupt, "cannot read \(path): \(systemMessage(errno))")
    }
}
