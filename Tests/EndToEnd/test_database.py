"""The way out: a snapshot of Martlet that etcd's own tools check, restore and serve."""

import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

from cluster import ETCDCTL, Cluster, free_ports, run, wait_for

WHEEL = pathlib.Path(os.environ.get("MARTLET_TEST_ETCD_FOLDER", "/usr/bin"))
ETCD, ETCDUTL = (str(WHEEL / name) for name in ("etcd", "etcdutl"))


class DatabaseTests(unittest.TestCase):
    def setUp(self):
        self.scratch = tempfile.mkdtemp(prefix="martlet-database-")
        self.cluster = Cluster(nodes=0, flags=["--store-only"])
        self.cluster.up()
        self.etcd = None

    def tearDown(self):
        if self.etcd:
            self.etcd.terminate()
            self.etcd.wait(timeout=10)
        self.cluster.close()
        shutil.rmtree(self.scratch)

    def real(self, *arguments, check=True):
        return run([ETCDCTL, "--endpoints", f"127.0.0.1:{self.port}", *arguments], check=check,
                   env={**os.environ, "ETCDCTL_API": "3"})

    def start_etcd(self, folder):
        self.port = free_ports(2)
        url, peer = f"http://127.0.0.1:{self.port}", f"http://127.0.0.1:{self.port + 1}"
        run([ETCDUTL, "snapshot", "restore", self.scratch + "/saved.db", "--data-dir", folder,
             "--name", "one", "--initial-cluster", f"one={peer}",
             "--initial-advertise-peer-urls", peer])
        self.etcd = subprocess.Popen(
            [ETCD, "--name", "one", "--data-dir", folder, "--listen-client-urls", url,
             "--advertise-client-urls", url, "--listen-peer-urls", peer,
             "--initial-advertise-peer-urls", peer, "--log-level", "error"])
        wait_for("etcd serves", lambda: self.real("endpoint", "health", check=False).code == 0)

    def test_a_real_etcd_starts_from_a_snapshot(self):
        ours = self.cluster.etcdctl
        for index in range(0, 300, 50):
            ours("put", f"k{index:03}", "v" * index)
        ours("put", "k050", "changed")
        ours("del", "k100")
        ours("txn", input="\nput t1 a\nput t2 b\ndel k150\n\n\n")
        ours("put", "empty", "")
        ours("put", "large", input="x" * 1_000_000)
        lease = ours("lease", "grant", "3000").out.split()[1]
        ours("put", "leased", "1", f"--lease={lease}")
        ours("compaction", "4")
        ours("put", "last", "1")
        saved = self.scratch + "/saved.db"
        done = ours("snapshot", "save", saved)
        self.assertIn("aved", done.out + done.err)
        status = json.loads(run([ETCDUTL, "snapshot", "status", saved, "-w", "json"]).out)
        newest = json.loads(ours("get", "last", "-w", "json").out)["header"]["revision"]
        self.assertEqual(status["revision"], newest)

        self.start_etcd(self.scratch + "/etcd")
        for arguments in [
            ("get", "--prefix", "", "-w", "json"), ("get", "k050", "--rev", "8", "-w", "json"),
            ("get", "k100", "--rev", "6", "-w", "json"), ("lease", "list"),
            ("get", "k100", "--rev", "3"),
        ]:
            with self.subTest(arguments=arguments):
                theirs = self.real(*arguments, check=False)
                mine = ours(*arguments, check=False)
                self.assertEqual(theirs.code, mine.code)
                self.assertEqual(self.without_header(theirs.out), self.without_header(mine.out))
        self.assertEqual(self.states(self.real), self.states(ours))
        # And it goes on from there.
        put = json.loads(self.real("put", "more", "1", "-w", "json").out)
        self.assertEqual(put["header"]["revision"], newest + 1)

    @staticmethod
    def without_header(text):
        try:
            answer = json.loads(text)
        except json.JSONDecodeError:
            return text
        return {name: value for name, value in answer.items() if name != "header"}

    def states(self, client):
        return [
            self.without_header(
                client("get", "--prefix", "", "--rev", str(revision), "-w", "json").out)
            for revision in range(5, 14)]


if __name__ == "__main__":
    unittest.main()
