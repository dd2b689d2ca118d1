import Keyspace
import Store

/// The shell round `CompactionRound`: compacts a foreign etcd, as kube-apiserver does.
struct CompactionService {
    let store: any Store
    let intervalSeconds: UInt64
    let log: @Sendable (String) -> Void

    /// Until the task is cancelled.
    func run() async {
        guard intervalSeconds > 0 else { return }
        var round = CompactionRound()
        while true {
            do { try await Task.sleep(for: .seconds(intervalSeconds)) } catch { return }
            do throws(StoreError) {
                let answer = try await store.transaction(round.transaction)
                guard let revision = round.answered(answer) else { continue }
                _ = try await store.compact(to: revision)
                log("etcd is compacted to revision \(revision)")
            } catch {
                // Another server may have compacted further.
                if error.code != .compacted { log("compaction waits: \(error.message)") }
            }
        }
    }
}
