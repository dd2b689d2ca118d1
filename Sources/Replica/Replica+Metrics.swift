package import Basics
import Glibc
import Keyspace
import ReplicaCore

extension Replica: MetricSource {
    package func write(to text: inout MetricsText) {
        let settings = configuration.settings
        settings.metrics.write(to: &text)
        settings.keyspace.metrics.write(to: &text)
        transport.write(to: &text)
        let status = status
        text.gauge(
            "etcd_server_has_leader", "Whether there is a leader.", status.leaderID != 0)
        text.gauge(
            "etcd_server_is_leader", "Whether this member leads.",
            status.leaderID != 0 && status.leaderID == status.memberID)
        text.gauge("etcd_server_is_learner", "Whether this member is a learner.", status.isLearner)
        text.sample(
            "etcd_server_id", .gauge, "This member's id, as a label.",
            labels: "server_id=\"\(String(status.memberID, radix: 16))\"", value: "1")
        text.gauge(
            "etcd_server_proposals_committed_total", "The last entry that is committed.",
            status.commitIndex)
        text.gauge(
            "etcd_server_proposals_applied_total", "The last entry that is applied here.",
            status.appliedIndex)
        text.gauge("martlet_log_bytes", "Bytes of the log in use.", status.logBytes)
        if let keyspace { write(keyspace, to: &text) }
    }

    private func write(_ keyspace: Keyspace, to text: inout MetricsText) {
        let state = keyspace.state
        let usage = keyspace.fileUsage()
        for name in ["etcd_mvcc_db_total_size", "etcd_debugging_mvcc_db_total_size"] {
            text.gauge("\(name)_in_bytes", "Size of the keyspace file.", usage.bytes)
        }
        text.gauge(
            "etcd_mvcc_db_total_size_in_use_in_bytes",
            "The part of the keyspace file that holds data.", usage.bytesInUse)
        let quota = configuration.settings.quotaBytes
        text.gauge(
            "etcd_server_quota_backend_bytes",
            "What the keyspace may take; without a quota, what the disk lets it take.",
            quota > 0 ? quota : UInt64(max(0, usage.bytes)) + freeBytes)
        text.gauge(
            "etcd_debugging_mvcc_current_revision", "The store's revision.", state.revision)
        text.gauge(
            "etcd_debugging_mvcc_compact_revision", "History is gone up to this revision.",
            state.compactRevision)
    }

    private var freeBytes: UInt64 {
        FileSystem.space(of: configuration.directory)?.freeBytes ?? 0
    }
}
