package import Basics

/// What a keyspace has done, in etcd's names; it goes on when a snapshot replaces the keyspace.
package final class KeyspaceMetrics: MetricSource {
    let apply = Histogram(Histogram.doubling(from: 0.0001, count: 20))
    let commit = Histogram(Histogram.doubling(from: 0.001, count: 14))
    let slowApplies = Counter()
    let puts = Counter()
    let putBytes = Counter()
    let deletes = Counter()
    let transactions = Counter()
    let ranges = Counter()
    let events = Counter()
    let leasesGranted = Counter()
    let leasesRevoked = Counter()
    let watchers = Gauge()
    let watchersBehind = Gauge()

    /// etcd warns of batches that take longer.
    private static let slowNanoseconds: UInt64 = 100_000_000

    package init() {}

    /// A batch was applied and committed.
    func applied(
        _ batch: [AppliedEntry], _ groups: [EventGroup], began: MonotonicTime,
        commitBegan: MonotonicTime, ended: MonotonicTime
    ) {
        apply.observe(from: began, to: ended)
        commit.observe(from: commitBegan, to: ended)
        if ended.nanoseconds - began.nanoseconds > Self.slowNanoseconds { slowApplies.add() }
        for entry in batch {
            switch entry.command {
            case .transaction(let request) where !request.isSimple: transactions.add()
            case .commit: transactions.add()
            case .leaseGrant: leasesGranted.add()
            case .leaseRevoke: leasesRevoked.add()
            default: break
            }
        }
        var (putCount, putSum, deleteCount) = (0, 0, 0)
        for group in groups {
            for event in group.events {
                if event.kind == .put {
                    putCount += 1
                    putSum += event.keyValue.key.count + event.keyValue.value.count
                } else {
                    deleteCount += 1
                }
            }
        }
        puts.add(putCount)
        putBytes.add(putSum)
        deletes.add(deleteCount)
        events.add(putCount + deleteCount)
    }

    package func write(to text: inout MetricsText) {
        text.histogram(
            "etcd_server_apply_duration_seconds",
            "Time to apply a batch of entries to the keyspace, its commit included.",
            labels: "op=\"batch\",success=\"true\",version=\"v3\"", apply)
        text.histogram(
            "etcd_disk_backend_commit_duration_seconds",
            "Time to commit a batch's transaction to the keyspace file.", commit)
        text.counter(
            "etcd_server_slow_apply_total", "Batches that took over 100 ms.", slowApplies)
        for prefix in ["etcd_mvcc", "etcd_debugging_mvcc"] {
            text.counter("\(prefix)_put_total", "Keys put.", puts)
            text.counter("\(prefix)_delete_total", "Keys deleted.", deletes)
            text.counter(
                "\(prefix)_txn_total", "Transactions of several operations.", transactions)
            text.counter("\(prefix)_range_total", "Ranges read.", ranges)
        }
        text.gauge(
            "etcd_debugging_mvcc_total_put_size_in_bytes", "Bytes of the keys and values put.",
            putBytes.value)
        text.counter("etcd_debugging_mvcc_events_total", "Events that watchers may see.", events)
        text.gauge("etcd_debugging_mvcc_watcher_total", "Open watchers.", watchers.value)
        text.gauge(
            "etcd_debugging_mvcc_slow_watcher_total", "Watchers that wait for older events.",
            watchersBehind.value)
        text.gauge(
            "etcd_debugging_mvcc_pending_events_total",
            "Events that wait for a slow watcher: none, watchers are pulled.", 0)
        text.counter("etcd_debugging_lease_granted_total", "Leases granted.", leasesGranted)
        text.counter(
            "etcd_debugging_lease_revoked_total", "Leases that ended.", leasesRevoked)
    }
}

extension TransactionRequest {
    /// Whether this is what one Put, DeleteRange or Range makes.
    fileprivate var isSimple: Bool {
        compares.isEmpty && failure.isEmpty && success.count == 1
    }
}
