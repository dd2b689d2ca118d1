import Backup
import Basics
import Keyspace
import Raft
import Replica
import ReplicaCore

/// Takes snapshots by the clock, keeps the newest of them, and archives the log beside them.
///
/// Every server has one; only the leader's does anything, so that one folder gets one set of
/// files. A new leader goes on where the folder ends.
final class SnapshotSchedule: Sendable {
    struct Options: Sendable, Hashable {
        var folder: String
        /// 0: none by the clock.
        var everySeconds: UInt64 = 0
        var keep = 10
        var archives = false
        var archiveSeconds: UInt64 = 5

        var isIdle: Bool { everySeconds == 0 && !archives }
    }

    private let options: Options
    private let replica: Replica
    private let logPath: String
    private let log: ProcessLog

    init(_ options: Options, _ replica: Replica, logPath: String, log: ProcessLog) {
        self.options = options
        self.replica = replica
        self.logPath = logPath
        self.log = log
    }

    /// Works until it is cancelled, and then archives what is left.
    func run() async {
        guard !options.isIdle else { return }
        var told = ""
        repeat {
            do throws(BackupError) {
                try await offLoop { () throws(BackupError) in try self.round() }
                told = ""
            } catch {
                if told != error.message { log.line("snapshots wait: \(error.message)") }
                told = error.message
            }
            try? await Task.sleep(
                for: .seconds(options.archives ? options.archiveSeconds : 1))
        } while !Task.isCancelled
        try? await offLoop { () throws(BackupError) in try self.round() }
    }

    /// On a thread of its own: files take time.
    private func offLoop(
        _ body: @escaping @Sendable () throws(BackupError) -> Void
    ) async throws(BackupError) {
        let result: Result<Void, BackupError> = await withCheckedContinuation { continuation in
            startThread("snapshots") {
                do throws(BackupError) {
                    continuation.resume(returning: .success(try body()))
                } catch {
                    continuation.resume(returning: .failure(error))
                }
            }
        }
        try result.get()
    }

    private func round() throws(BackupError) {
        guard replica.status.role == .leader, let keyspace = replica.keyspace else { return }
        let folder = SnapshotFolder(options.folder)
        try folder.make()
        var newest = try folder.newest(clusterID: replica.clusterID)
        if isDue(newest) { newest = try take(keyspace, folder) }
        guard options.archives else { return }
        let archiver = LogArchiver(
            log: logPath, folder: options.folder, clusterID: replica.clusterID)
        let applied = keyspace.appliedIndex
        let outcome = try archiver.catchUp(applied: applied, bridged: newest?.index ?? 0)
        if case .gap(let after, let before) = outcome {
            log.line(
                "entries \(after + 1) to \(before - 1) left the log before they were archived:"
                    + " a snapshot bridges them")
            _ = try take(keyspace, folder)
        }
    }

    private func isDue(_ newest: SnapshotHeader?) -> Bool {
        guard let newest else { return true }
        guard options.everySeconds > 0 else { return false }
        let (now, last) = (WallTime.nowMilliseconds(), newest.createdMilliseconds)
        // A clock that was set back does not hold snapshots up until it gets there again.
        return now < last || now >= last + options.everySeconds * 1000
    }

    private func take(
        _ keyspace: Keyspace, _ folder: SnapshotFolder
    ) throws(BackupError) -> SnapshotHeader {
        let header = try folder.save(keyspace, clusterID: replica.clusterID)
        log.line("snapshot of revision \(header.revision) taken")
        try folder.retain(options.keep)
        return header
    }
}
