import Basics
import Keyspace
import Store

/// Compacts by the clock, as etcd's auto-compaction.
struct AutoCompactionService: Sendable {
    private let compaction: AutoCompaction
    private let store: LocalStore
    private let log: ProcessLog

    init(_ compaction: AutoCompaction, _ store: LocalStore, _ log: ProcessLog) {
        self.compaction = compaction
        self.store = store
        self.log = log
    }

    /// Until the task is cancelled.
    func run() async {
        var compaction = compaction
        while true {
            if let status = try? await store.status() {
                let target = compaction.next(
                    revision: status.revision, isLeader: status.leaderID == status.memberID,
                    now: .now())
                if let target { await compact(to: target) }
            }
            do {
                try await Task.sleep(for: .milliseconds(compaction.pauseMilliseconds))
            } catch {
                return
            }
        }
    }

    private func compact(to revision: Int64) async {
        do throws(StoreError) {
            _ = try await store.compact(to: revision)
            log.line("auto-compaction: history is gone up to revision \(revision)")
        } catch {
            // Somebody else has compacted further, or the next time does it.
            if error.code != .compacted {
                log.line("auto-compaction to revision \(revision): \(error.message)")
            }
        }
    }
}
