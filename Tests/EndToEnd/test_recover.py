"""Alarms, and what is left after a loss: raised and cleared, recovered from one replica, restored with
revisions left out, saved from a damaged snapshot file."""

import json
import os
import shutil
import ssl
import unittest
import urllib.error
import urllib.request

from cluster import DUMP, MARTLET, Cluster, run, wait_for
from test_bad_files import flip


def state(path):
    return json.loads(run([DUMP, path, "hash", "--json"]).out)


class AlarmTests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster(nodes=0, flags=["--store-only"])
        cls.cluster.up()
        cls.cluster.store("put", "/before", "1")
        members = json.loads(cls.cluster.etcdctl("member", "list", "-w", "json").out)["members"]
        cls.member = members[1]["ID"]

    @classmethod
    def tearDownClass(cls):
        cls.cluster.close()

    def change(self, action, member, alarm):
        """As a replica does it; etcdctl can only list and disarm."""
        pki = self.cluster.directory + "/pki"
        tls = ssl.create_default_context(cafile=pki + "/ca.crt")
        tls.load_cert_chain(pki + "/client.crt", pki + "/client.key")
        body = json.dumps({"action": action, "memberID": str(member), "alarm": alarm}).encode()
        request = urllib.request.Request(
            self.cluster.endpoint(1) + "/v3/maintenance/alarm", body,
            {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, context=tls, timeout=20) as answer:
            return json.loads(answer.read())

    def list(self):
        return self.cluster.store("alarm", "list").out

    def test_corrupt(self):
        self.assertEqual(self.list(), "")
        self.change("ACTIVATE", self.member, "CORRUPT")
        self.assertEqual(self.list(), f"memberID:{self.member:x} alarm:CORRUPT\n")
        for number in (1, 2, 3):
            self.assertEqual(self.cluster.etcdctl("alarm", "list", number=number).out.strip(),
                             f"memberID:{self.member} alarm:CORRUPT")
        refused = self.cluster.store("put", "/x", "1", check=False)
        self.assertEqual(refused.code, 1)
        self.assertIn("etcdserver: corrupt cluster", refused.err)
        self.assertIn("1", self.cluster.store("get", "/before", "--serializable").out)
        self.assertEqual(self.cluster.store("alarm", "disarm").out,
                         f"memberID:{self.member:x} alarm:CORRUPT\n")
        self.assertEqual(self.list(), "")
        self.assertEqual(self.cluster.store("alarm", "disarm").out, "")
        self.cluster.store("put", "/x", "1")

    def test_no_space_goes_by_itself_where_there_is_space(self):
        self.change("ACTIVATE", self.member, "NOSPACE")
        wait_for("its end", lambda: self.list() == "" and
                 self.cluster.store("put", "/y", "1", check=False).code == 0)

    def test_etcdctl_disarms_what_martlet_lists(self):
        self.change("ACTIVATE", self.member, "CORRUPT")
        self.assertIn("alarm:CORRUPT", self.cluster.etcdctl("alarm", "disarm").out)
        self.assertEqual(self.list(), "")

    def test_nobody_there(self):
        for command in ("list", "disarm"):
            done = run([MARTLET, "store", "alarm", command, "--endpoints", "http://127.0.0.1:1"],
                       check=False)
            self.assertEqual((done.code, done.out), (1, ""), done)
            self.assertIn("127.0.0.1:1", done.err)


class RecoverTests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.made = Cluster(nodes=0, flags=["--store-only"])
        cls.made.up()
        for number in range(20):
            cls.made.store("put", f"/k/{number % 5}", f"value-{number}")
        cls.made.stop()
        cls.state = state(cls.made.directory + "/replica-1")

    @classmethod
    def tearDownClass(cls):
        cls.made.close()

    def copy(self, *survivors):
        """Of the cluster on its last legs; the same ports, as nothing else runs."""
        directory = self.made.scratch + "/copy"
        shutil.rmtree(directory, ignore_errors=True)
        shutil.copytree(self.made.directory, directory)
        for number in {1, 2, 3} - set(survivors):
            shutil.rmtree(f"{directory}/replica-{number}")
        cluster = Cluster(directory=directory, nodes=0, flags=["--store-only"])
        cluster.store_port, cluster.api_port = self.made.store_port, self.made.api_port
        self.addCleanup(cluster.close)
        return cluster

    def recover(self, cluster, *flags):
        return run([MARTLET, "store", "recover", "--data-dir", cluster.directory, *flags],
                   check=False)

    def serves(self, cluster):
        cluster.up()
        self.assertEqual(cluster.store("get", "/k/4", "--print-value-only").out.strip(), "value-19")
        cluster.store("put", "/after", "1")

    def test_the_one_that_is_named(self):
        cluster = self.copy(1, 2, 3)
        refused = self.recover(cluster, "--force-new-cluster")
        self.assertEqual(refused.code, 1)
        self.assertIn("3 of 3 replicas are here, a majority", refused.err)
        done = self.recover(cluster, "--force-new-cluster", "--replica", "2")
        self.assertEqual(done.code, 0, done)
        self.assertIn("and the log of replica-2", done.out)
        for number in (1, 2, 3):
            self.assertTrue(os.path.exists(f"{cluster.directory}/before-recover/replica-{number}"))
            self.assertEqual(state(f"{cluster.directory}/replica-{number}")["hash"],
                             self.state["hash"])
        self.serves(cluster)

    def test_to_one_replica_with_revisions_left_out(self):
        cluster = self.copy(3)
        done = self.recover(cluster, "--force-new-cluster", "--replicas", "1", "--bump-revision",
                            "1000000")
        self.assertEqual(done.code, 0, done)
        self.assertIn(str(self.state["revision"] + 1_000_000), done.out)
        cluster.replicas = 1
        self.serves(cluster)
        old = cluster.etcdctl("get", "/k/4", "--rev", str(self.state["revision"]), check=False)
        self.assertIn("required revision has been compacted", old.err)

    def test_what_cannot_be(self):
        cluster = self.copy(2)
        before = sorted(os.listdir(cluster.directory))
        for flags, words in (
                ([], "add --force-new-cluster"),
                (["--force-new-cluster", "--replica", "9"], "9"),
                (["--force-new-cluster", "--replica", "1"], "/replica-1"),
                (["--force-new-cluster", "--replicas", "4"], "--replicas is 1, 3 or 5")):
            done = self.recover(cluster, *flags)
            self.assertNotEqual(done.code, 0, done)
            self.assertIn(words, done.err)
        self.assertEqual([name for name in sorted(os.listdir(cluster.directory))
                          if name != "lock"], [name for name in before if name != "lock"])

    def test_a_survivor_whose_keyspace_is_damaged(self):
        for name, spoil in (("cut", lambda path: os.truncate(path, 12_288)),
                            ("foreign", lambda path: shutil.copy("/etc/passwd", path))):
            with self.subTest(name):
                cluster = self.copy(2)
                spoil(cluster.directory + "/replica-2/keyspace/data.mdb")
                done = self.recover(cluster, "--force-new-cluster")
                self.assertEqual(done.code, 0, done)
                self.assertIn("/replica-2/keyspace", done.out)
                self.assertIn("is not used", done.out)
                self.assertEqual(state(cluster.directory + "/replica-1")["hash"],
                                 self.state["hash"])

    def test_a_survivor_whose_log_is_damaged(self):
        cluster = self.copy(2)
        log = cluster.directory + "/replica-2/log/0000000000000001.wal"
        flip(log, 10_000)
        done = self.recover(cluster, "--force-new-cluster")
        self.assertEqual(done.code, 0, done)
        self.assertIn(f"note: log file {log} is damaged at byte ", done.out)
        self.serves(cluster)


class SnapshotFileTests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster(nodes=0, replicas=1, flags=["--store-only"])
        cls.cluster.up()
        cls.cluster.store("put", "--stdin", input="".join(
            f"/k/{number} {os.urandom(2000).hex()}\n" for number in range(300)))
        cls.file = cls.cluster.scratch + "/whole.snapshot"
        cls.cluster.store("snapshot", "save", cls.file)
        cls.cluster.stop()

    @classmethod
    def tearDownClass(cls):
        cls.cluster.close()

    def values(self, path):
        out = run([DUMP, path, "export", "/k/"]).out
        return {line["key"]: line["value"] for line in map(json.loads, out.splitlines())}

    def test_a_cluster_of_what_is_intact(self):
        bad, saved = self.cluster.scratch + "/bad.snapshot", self.cluster.scratch + "/saved"
        shutil.copy(self.file, bad)
        flip(bad, os.path.getsize(bad) // 2)
        self.assertEqual(run([DUMP, bad, "verify"], check=False).code, 1)
        for flags in ([], [saved]):
            done = run([DUMP, bad, "repair", *flags], check=False)
            self.assertNotEqual(done.code, 0)
            self.assertFalse(os.path.exists(saved))
        done = run([DUMP, bad, "repair", saved, "--yes"])
        self.assertIn("at byte", done.out)
        kept, whole = self.values(saved + "/repaired.snapshot"), self.values(self.file)
        self.assertLess(len(kept), len(whole))
        self.assertGreater(len(kept), 0)
        self.assertTrue(kept.items() <= whole.items())
        again = run([DUMP, bad, "repair", saved, "--yes"], check=False)
        self.assertNotEqual(again.code, 0, "it must not write over what is there")

        target = self.cluster.scratch + "/target"
        run([MARTLET, "store", "snapshot", "restore", saved + "/repaired.snapshot", "--data-dir",
             target, "--replicas", "1", "--bump-revision", "500"])
        restored = Cluster(directory=target, nodes=0, replicas=1)
        self.addCleanup(restored.close)
        restored.up()
        found = restored.etcdctl("get", "/k/", "--prefix", "--keys-only").out.split()
        self.assertEqual(len(found), len(kept))
        status = json.loads(restored.etcdctl("endpoint", "status", "-w", "json").out)
        self.assertGreater(status[0]["Status"]["header"]["revision"],
                           state(self.file)["revision"] + 499)


if __name__ == "__main__":
    unittest.main()
