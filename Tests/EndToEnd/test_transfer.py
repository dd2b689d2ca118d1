"""A replica is rebuilt by a snapshot whose transfer is cut, on either side, again and again."""

import glob
import os
import pathlib
import re
import signal
import threading
import time
import unittest

from cluster import DUMP, Cluster, run, wait_for

MEGABYTES = 120


class TransferTests(unittest.TestCase):
    def setUp(self):
        self.cluster = Cluster(nodes=0, flags=["--store-only"])
        self.cluster.up()
        for number in range(MEGABYTES):
            self.cluster.etcdctl("put", f"fill/{number}", input=os.urandom(500_000).hex())
        self.lost = 1 + self.cluster.leader() % 3
        self.folder = f"{self.cluster.directory}/replica-{self.lost}"
        # At once, beneath its process.
        os.rename(self.folder, self.cluster.scratch + "/lost")
        wait_for("the loss to be noticed", lambda: "no vote until replaced" in self.log())
        # It returns when the replica is rebuilt, or when the leader that it asked is gone.
        self.replacing = threading.Thread(target=lambda: self.cluster.store(
            "member", "replace", str(self.lost), check=False, timeout=120))
        self.replacing.start()

    def tearDown(self):
        self.replacing.join()
        self.cluster.close()

    def log(self):
        path = pathlib.Path(self.folder, "server.log")
        return path.read_text() if path.exists() else ""

    def incoming(self):
        """Bytes that have come of a snapshot; 0 before it begins."""
        return max([os.path.getsize(path) for path in
                    glob.glob(self.folder + "/snapshots/*.incoming")], default=0)

    def begins(self):
        return [int(byte) for byte in re.findall(r"a snapshot .* from byte (\d+) on", self.log())]

    def kill_when(self, name, size):
        wait_for(f"{size} bytes", lambda: self.incoming() > size, every=0.002)
        os.kill(self.cluster.pid(name), signal.SIGKILL)

    def check_rebuilt(self):
        wait_for("the replica is rebuilt", lambda: self.cluster.etcdctl(
            "get", f"fill/{MEGABYTES - 1}", "--keys-only", "--consistency=s", number=self.lost,
            check=False).out, seconds=120)
        self.cluster.etcdctl("put", "after", "1", number=self.lost)
        self.cluster.stop()
        hashes = {run([DUMP, path, "hash", "--json"]).out
                  for path in glob.glob(self.cluster.directory + "/replica-[123]")}
        self.assertEqual(len(hashes), 1, hashes)
        self.assertEqual(glob.glob(self.folder + "/snapshots/*.incoming"), [])

    def test_a_receiver_that_dies_goes_on_where_it_was(self):
        self.kill_when(f"replica-{self.lost}", 10_000_000)
        self.check_rebuilt()
        self.assertTrue(any(byte > 5_000_000 for byte in self.begins()), self.begins())

    def test_a_sender_that_dies_is_replaced_by_the_next_leader(self):
        self.kill_when(f"replica-{self.cluster.leader()}", 10_000_000)
        time.sleep(0.5)
        self.check_rebuilt()


if __name__ == "__main__":
    unittest.main()
