"""`/metrics`: the names, types and labels that etcd's dashboards and alerts read, and values that move."""

import http.client
import os
import pathlib
import ssl
import subprocess
import tempfile
import unittest

from cluster import Cluster, free_ports, wait_for
from prometheus import Metrics

ETCD_FOLDER = os.environ.get("MARTLET_TEST_ETCD_FOLDER")

# What etcd's mixin reads: alerts and dashboard.
MIXIN = """
etcd_disk_backend_commit_duration_seconds_bucket etcd_disk_wal_fsync_duration_seconds_bucket
etcd_mvcc_db_total_size_in_bytes etcd_mvcc_db_total_size_in_use_in_bytes
etcd_network_client_grpc_received_bytes_total etcd_network_client_grpc_sent_bytes_total
etcd_network_peer_received_bytes_total etcd_network_peer_round_trip_time_seconds_bucket
etcd_network_peer_sent_bytes_total etcd_network_peer_sent_failures_total
etcd_server_has_leader etcd_server_leader_changes_seen_total etcd_server_proposals_applied_total
etcd_server_proposals_committed_total etcd_server_proposals_failed_total
etcd_server_proposals_pending etcd_server_quota_backend_bytes grpc_server_handled_total
grpc_server_handling_seconds_bucket grpc_server_started_total process_resident_memory_bytes
""".split()

SERIES_MAX = 4000


class MetricsTests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster(nodes=0, flags=["--store-only"])
        cls.cluster.up()
        pki = cls.cluster.directory + "/pki"
        cls.tls = ssl.create_default_context(cafile=pki + "/ca.crt")
        cls.tls.load_cert_chain(pki + "/client.crt", pki + "/client.key")

    @classmethod
    def tearDownClass(cls):
        cls.cluster.close()

    def scrape(self, number=1):
        connection = http.client.HTTPSConnection(
            "127.0.0.1", self.cluster.store_port + 10 * (number - 1), context=self.tls, timeout=20)
        connection.request("GET", "/metrics")
        response = connection.getresponse()
        text = response.read().decode()
        connection.close()
        self.assertEqual(response.status, 200)
        self.assertTrue(response.headers["content-type"].startswith("text/plain; version=0.0.4"))
        return Metrics(text)

    def test_every_name_of_the_mixin(self):
        for number in (1, 2, 3):
            metrics = wait_for(
                "round trips are measured", lambda: self.with_round_trips(number), seconds=20)
            names = {name for name, _ in metrics.samples}
            self.assertEqual([name for name in MIXIN if name not in names], [])
            self.assertLess(len(metrics.samples), SERIES_MAX)

    def with_round_trips(self, number):
        metrics = self.scrape(number)
        rounds = metrics.value("etcd_network_peer_round_trip_time_seconds_count")
        return metrics if rounds > 0 else None

    def test_values_move(self):
        before = self.scrape()
        for index in range(20):
            self.cluster.etcdctl("put", f"moves/{index}", "v" * 100)
        self.cluster.etcdctl("get", "moves/", "--prefix")
        self.cluster.etcdctl("del", "moves/", "--prefix")
        after = self.scrape()

        def grown(name, **labels):
            return after.value(name, **labels) - before.value(name, **labels)

        put = {"grpc_service": "etcdserverpb.KV", "grpc_method": "Put", "grpc_type": "unary"}
        self.assertEqual(grown("grpc_server_started_total", **put), 20)
        self.assertEqual(grown("grpc_server_handled_total", grpc_code="OK", **put), 20)
        self.assertEqual(grown("grpc_server_handling_seconds_count", **put), 20)
        self.assertEqual(grown("etcd_mvcc_put_total"), 20)
        self.assertEqual(grown("etcd_mvcc_delete_total"), 20)
        self.assertEqual(grown("etcd_debugging_mvcc_events_total"), 40)
        self.assertGreaterEqual(grown("etcd_network_client_grpc_received_bytes_total"), 2000)
        self.assertGreaterEqual(grown("etcd_network_client_grpc_sent_bytes_total"), 2000)
        self.assertGreaterEqual(grown("etcd_server_proposals_committed_total"), 21)
        for name in ("etcd_disk_wal_fsync_duration_seconds_count",
                     "etcd_disk_wal_fsync_duration_seconds_sum",
                     "martlet_log_append_duration_seconds_count",
                     "etcd_server_apply_duration_seconds_count",
                     "etcd_disk_backend_commit_duration_seconds_count",
                     "etcd_network_peer_sent_bytes_total",
                     "etcd_network_peer_received_bytes_total", "process_cpu_seconds_total"):
            self.assertGreater(grown(name), 0, name)
        self.assertEqual(after.value("etcd_server_proposals_pending"), 0)
        self.assertGreater(after.value("process_resident_memory_bytes"), 1 << 20)

    def test_failures_have_their_codes(self):
        labels = {"grpc_method": "LeaseRevoke", "grpc_code": "NotFound"}
        before = self.scrape().value("grpc_server_handled_total", **labels)
        self.cluster.etcdctl("lease", "revoke", "123", check=False)
        after = self.scrape().value("grpc_server_handled_total", **labels)
        self.assertEqual(after - before, 1)

    def test_open_watches_are_seen(self):
        pki = self.cluster.directory + "/pki"
        watch = subprocess.Popen(
            ["etcdctl", "--endpoints", self.cluster.endpoint(1), "--cacert", pki + "/ca.crt",
             "--cert", pki + "/client.crt", "--key", pki + "/client.key", "watch", "w"],
            env={**os.environ, "ETCDCTL_API": "3"}, stdout=subprocess.DEVNULL)
        try:
            wait_for("the watch is counted", lambda: (
                self.scrape().value("etcd_debugging_mvcc_watcher_total") >= 1
                and self.scrape().value("etcd_debugging_mvcc_watch_stream_total") >= 1))
        finally:
            watch.kill()
            watch.wait()
        wait_for("its end too", lambda: (
            self.scrape().value("etcd_debugging_mvcc_watch_stream_total") == 0
            and self.scrape().value(
                "grpc_server_handled_total", grpc_method="Watch", grpc_code="Canceled") >= 1))

    def test_one_leader_is_shown(self):
        all_metrics = [self.scrape(number) for number in (1, 2, 3)]
        self.assertEqual([m.value("etcd_server_has_leader") for m in all_metrics], [1, 1, 1])
        self.assertEqual(sum(m.value("etcd_server_is_leader") for m in all_metrics), 1)

    @unittest.skipUnless(ETCD_FOLDER, "needs a real etcd")
    def test_names_that_etcd_has_mean_what_they_do_there(self):
        ports = free_ports(2)
        client, peer = (f"http://127.0.0.1:{ports + index}" for index in (0, 1))
        with tempfile.TemporaryDirectory(prefix="martlet-e2e-") as folder:
            etcd = subprocess.Popen(
                [str(pathlib.Path(ETCD_FOLDER) / "etcd"), "--data-dir", folder + "/data",
                 "--listen-client-urls", client, "--advertise-client-urls", client,
                 "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer,
                 "--initial-cluster", f"default={peer}", "--metrics", "extensive"],
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            try:
                theirs = wait_for("etcd serves", lambda: fetch(ports))
            finally:
                etcd.kill()
                etcd.wait()
        ours = self.scrape()
        shared = set(ours.types) & set(theirs.types)
        self.assertGreater(len(shared), 45)
        for name in sorted(shared):
            with self.subTest(name=name):
                self.assertEqual(ours.types[name], theirs.types[name])
                labels = theirs.label_names(name)
                if labels:
                    self.assertLessEqual(ours.label_names(name), labels)
        # And the same buckets, or quantiles of a mixed fleet are nonsense.
        for name in ("etcd_disk_wal_fsync_duration_seconds",
                     "etcd_disk_backend_commit_duration_seconds", "grpc_server_handling_seconds",
                     "etcd_server_apply_duration_seconds"):
            self.assertEqual(bounds(ours, name), bounds(theirs, name), name)


def bounds(metrics, name):
    return {dict(labels)["le"] for (sample, labels) in metrics.samples
            if sample == name + "_bucket"}


def fetch(port):
    try:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        connection.request("GET", "/metrics")
        text = connection.getresponse().read().decode()
        return drop_summaries(text)
    except OSError:
        return None


def drop_summaries(text):
    """etcd has summaries of Go's own, which we do not."""
    kept, skips = [], False
    for line in text.splitlines():
        if line.startswith("# HELP "):
            skips = line.split(" ")[2].startswith(("go_", "promhttp_"))
        if not skips:
            kept.append(line)
    return Metrics("\n".join(kept) + "\n")


if __name__ == "__main__":
    unittest.main()
