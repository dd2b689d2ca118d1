"""Snapshots of a running cluster, and the dump tool on live and stopped replicas."""

import os
import unittest

from cluster import DUMP, MARTLET, Cluster, run


class SnapshotTests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster(nodes=0)
        cls.cluster.up()
        cls.cluster.kubectl("create", "configmap", "kept", "--from-literal=a=b")
        cls.file = os.path.join(cls.cluster.scratch, "snapshot")
        cls.cluster.store("snapshot", "save", cls.file)

    @classmethod
    def tearDownClass(cls):
        cls.cluster.close()

    def restore(self, file, directory):
        return run([MARTLET, "store", "snapshot", "restore", file, "--data-dir", directory],
                   check=False)

    def test_a_new_cluster_starts_from_it(self):
        target = os.path.join(self.cluster.scratch, "restored")
        done = self.restore(self.file, target)
        self.assertEqual(done.code, 0, done)
        again = Cluster(directory=target, nodes=0)
        try:
            again.up()
            self.assertEqual(again.get_json("configmap", "kept")["data"], {"a": "b"})
            for number in (1, 2, 3):
                keys = again.etcdctl("get", "/registry/configmaps/default/kept", "--keys-only",
                                     number=number).out.split()
                self.assertEqual(len(keys), 1)
        finally:
            again.close()

    def test_damaged_files_are_refused_before_anything_is_written(self):
        content = open(self.file, "rb").read()
        target = os.path.join(self.cluster.scratch, "never")
        damaged = os.path.join(self.cluster.scratch, "damaged")
        middle = len(content) // 2
        for bad in (content[:-1], content[:middle], b"",
                    content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1:]):
            with open(damaged, "wb") as file:
                file.write(bad)
            done = self.restore(damaged, target)
            self.assertNotEqual(done.code, 0)
            self.assertIn("damaged", done.err)
            self.assertFalse(os.path.exists(target))

    def test_dump_reads_a_live_replica(self):
        replica = self.cluster.directory + "/replica-1"
        self.assertIn("revision", run([DUMP, replica, "stat"]).out)
        key = "/registry/configmaps/default/kept"
        self.assertIn("/registry/configmaps/", run([DUMP, replica, "keys"]).out)
        self.assertIn(key, run([DUMP, replica, "keys", "/registry/configmaps/"]).out)
        self.assertIn('"kept"', run([DUMP, replica, "get", key]).out)
        self.assertIn("put", run([DUMP, replica, "history", key]).out.lower())
        self.assertIn(key, run([DUMP, replica, "log"]).out)


if __name__ == "__main__":
    unittest.main()
