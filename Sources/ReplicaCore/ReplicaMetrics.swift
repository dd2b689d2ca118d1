package import Basics

/// What a replica has done, in etcd's names where etcd has one.
package final class ReplicaMetrics: MetricSource {
    /// Time to write a batch of entries to the log; apart from the sync that follows.
    package let logAppend = Histogram(Histogram.doubling(from: 0.0001, count: 16))
    package let logSync = Histogram(Histogram.doubling(from: 0.001, count: 14))
    package let snapshotSave = Histogram(Histogram.doubling(from: 0.01, count: 17))
    let leaderChanges = Counter()
    let proposalsPending = Gauge()
    let proposalsFailed = Counter()
    let readIndexesFailed = Counter()
    let slowReadIndexes = Counter()
    let lateHeartbeats = Counter()
    let leasesRenewed = Counter()
    let leasesExpired = Counter()

    package init() {}

    func proposalBegan() { proposalsPending.add(1) }

    func proposalEnded(isFailed: Bool) {
        proposalsPending.add(-1)
        if isFailed { proposalsFailed.add() }
    }

    package func write(to text: inout MetricsText) {
        text.histogram(
            "etcd_disk_wal_fsync_duration_seconds", "Time to sync the log.", logSync)
        text.histogram(
            "martlet_log_append_duration_seconds", "Time to write a batch to the log, unsynced.",
            logAppend)
        text.histogram(
            "etcd_debugging_snap_save_total_duration_seconds", "Time to save a snapshot file.",
            snapshotSave)
        text.counter(
            "etcd_server_leader_changes_seen_total", "Leaders that this member has followed.",
            leaderChanges)
        text.gauge(
            "etcd_server_proposals_pending", "Writes that wait for their answer.",
            proposalsPending.value)
        text.counter(
            "etcd_server_proposals_failed_total", "Writes that were answered with an error.",
            proposalsFailed)
        text.counter(
            "etcd_server_read_indexes_failed_total",
            "Linearizable reads that got no answer in time.", readIndexesFailed)
        text.counter(
            "etcd_server_slow_read_indexes_total",
            "Linearizable reads that had to be asked for again.", slowReadIndexes)
        text.counter(
            "etcd_server_heartbeat_send_failures_total",
            "Heartbeats that this member, leading, sent late.", lateHeartbeats)
        text.counter("etcd_debugging_lease_renewed_total", "Leases kept alive.", leasesRenewed)
        text.counter(
            "etcd_debugging_server_lease_expired_total", "Leases whose time was up.",
            leasesExpired)
    }
}
