"""A replica whose state is not the others': it notices, shows nothing, and takes the leader's."""

import glob
import os
import pathlib
import shutil
import unittest

from cluster import DUMP, MARTLET, Cluster, run, wait_for

FLAGS = ["--store-only", "--corrupt-check-time", "1s"]


def swap_state(source, target, number):
    """Gives a replica the keyspace and snapshots of another history: whole, with good checksums."""
    for name in ("keyspace", "snapshots"):
        shutil.rmtree(f"{target}/replica-{number}/{name}")
        shutil.copytree(f"{source}/replica-{number}/{name}", f"{target}/replica-{number}/{name}")


class DivergenceTests(unittest.TestCase):
    def setUp(self):
        self.cluster = Cluster(nodes=0, flags=FLAGS)
        self.cluster.up()
        self.cluster.store("put", "/both", "same")
        self.cluster.stop()
        self.other = self.cluster.scratch + "/other"
        shutil.copytree(self.cluster.directory, self.other)

    def tearDown(self):
        self.cluster.close()

    def write_both_histories(self):
        """The same key with another value at the same place of the log."""
        self.cluster.up()
        self.cluster.store("put", "/odd", "right")
        for number in range(50):
            self.cluster.store("put", "/after", str(number))
        self.cluster.stop()
        real = self.cluster.directory
        self.cluster.directory = self.other
        self.cluster.up()
        self.cluster.store("put", "/odd", "wrong")
        self.cluster.stop()
        self.cluster.directory = real

    def get(self, number, key):
        endpoint = f"https://127.0.0.1:{self.cluster.store_port + 10 * (number - 1)}"
        pki = self.cluster.directory + "/pki"
        return run([
            MARTLET, "store", "get", key, "--print-value-only",
            "--serializable", "--endpoints", endpoint, "--cacert", pki + "/ca.crt",
            "--cert", pki + "/client.crt", "--key", pki + "/client.key"], check=False)

    def log(self, number):
        path = pathlib.Path(self.cluster.directory, f"replica-{number}", "server.log")
        return path.read_text()

    def test_the_odd_one_out_takes_the_leaders_state(self):
        self.write_both_histories()
        swap_state(self.other, self.cluster.directory, 3)
        self.cluster.up()
        self.cluster.store("put", "/now", "1")
        wait_for("the leader's snapshot", lambda: "is served again" in self.log(3))
        self.assertIn("at most replicas", self.log(3))
        self.assertFalse(os.path.exists(self.cluster.directory + "/replica-3/diverged"))
        wait_for("the right value", lambda: self.get(3, "/odd").out.strip() == "right")
        self.cluster.stop()
        hashes = {run([DUMP, path, "hash", "--json"]).out
                  for path in glob.glob(self.cluster.directory + "/replica-[123]")}
        self.assertEqual(len(hashes), 1, hashes)


if __name__ == "__main__":
    unittest.main()
