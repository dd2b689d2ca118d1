"""The store's client port, driven by Debian's etcdctl and by `martlet store`."""

import json
import subprocess
import unittest

from cluster import ETCDCTL, Cluster, wait_for


class EtcdctlTests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster(nodes=0)
        cls.cluster.up()

    @classmethod
    def tearDownClass(cls):
        cls.cluster.close()

    def etcdctl(self, *arguments, **options):
        return self.cluster.etcdctl(*arguments, **options)

    def test_put_get_del_on_every_replica(self):
        for number in (1, 2, 3):
            self.assertEqual(self.etcdctl("put", f"a{number}", "one", number=number).out, "OK\n")
            got = self.etcdctl("get", f"a{number}", number=number % 3 + 1).out
            self.assertEqual(got, f"a{number}\none\n")
        self.assertEqual(self.etcdctl("get", "--prefix", "a", "--keys-only").out.split(),
                         ["a1", "a2", "a3"])
        self.assertEqual(self.etcdctl("del", "--prefix", "a").out, "3\n")
        self.assertEqual(self.etcdctl("get", "a1").out, "")

    def test_transaction(self):
        self.etcdctl("put", "t", "1")
        done = self.etcdctl("txn", input='value("t") = "1"\n\nput t 2\n\nput t 3\n\n')
        self.assertIn("SUCCESS", done.out)
        self.assertEqual(self.etcdctl("get", "t", "--print-value-only").out, "2\n")
        done = self.etcdctl("txn", input='value("t") = "1"\n\nput t 2\n\nput t 3\n\n')
        self.assertIn("FAILURE", done.out)
        self.assertEqual(self.etcdctl("get", "t", "--print-value-only").out, "3\n")

    def test_history_watch_and_compaction(self):
        first = json.loads(self.etcdctl("put", "h", "1", "-w", "json").out)["header"]["revision"]
        self.etcdctl("put", "h", "2")
        old = self.etcdctl("get", "h", "--rev", str(first), "--print-value-only").out
        self.assertEqual(old, "1\n")
        seen = self.watch("h", "--rev", str(first), "--prev-kv", lines=7)
        self.assertEqual(seen, ["PUT", "h", "1", "PUT", "h", "1", "h"])
        newest = self.etcdctl("put", "h", "3", "-w", "json").out
        self.etcdctl("compaction", str(json.loads(newest)["header"]["revision"]))
        refused = self.etcdctl("get", "h", "--rev", str(first), check=False)
        self.assertNotEqual(refused.code, 0)
        self.assertIn("required revision has been compacted", refused.err)
        self.assertEqual(self.etcdctl("get", "h", "--print-value-only").out, "3\n")

    def watch(self, *arguments, lines):
        pki = self.cluster.directory + "/pki"
        process = subprocess.Popen(
            [ETCDCTL, "--endpoints", self.cluster.endpoint(2), "--cacert", pki + "/ca.crt",
             "--cert", pki + "/client.crt", "--key", pki + "/client.key", "watch", *arguments],
            stdout=subprocess.PIPE, text=True, env={"ETCDCTL_API": "3"})
        try:
            return [process.stdout.readline().rstrip("\n") for _ in range(lines)]
        finally:
            process.kill()
            process.wait()

    def test_lease(self):
        granted = self.etcdctl("lease", "grant", "2").out
        lease = granted.split()[1]
        self.etcdctl("put", "leased", "x", "--lease", lease)
        self.assertIn("leased", self.etcdctl("lease", "timetolive", lease, "--keys").out)
        wait_for("the lease's key is gone",
                 lambda: self.etcdctl("get", "leased").out == "", seconds=10)
        kept = self.etcdctl("lease", "grant", "100").out.split()[1]
        self.assertIn("keepalived", self.etcdctl("lease", "keep-alive", "--once", kept).out)
        self.etcdctl("lease", "revoke", kept)

    def test_endpoint_and_members(self):
        health = self.etcdctl("endpoint", "health")
        self.assertIn("is healthy", health.out + health.err)
        status = json.loads(self.etcdctl("endpoint", "status", "-w", "json").out)[0]["Status"]
        self.assertNotEqual(status["leader"], 0)
        members = json.loads(self.etcdctl("member", "list", "-w", "json").out)["members"]
        self.assertEqual(len(members), 3)

    def test_registry_is_visible(self):
        keys = self.etcdctl("get", "--prefix", "/registry", "--keys-only").out.split()
        self.assertIn("/registry/namespaces/default", keys)

    def test_martlet_store_does_the_same(self):
        store = self.cluster.store
        store("put", "m", "v")
        self.assertIn("v", store("get", "m").out)
        self.assertEqual(self.etcdctl("get", "m", "--print-value-only").out, "v\n")
        self.assertIn("1", store("del", "m").out)
        self.assertIn("replica-1", store("status").out)

    def test_a_certificate_of_another_authority_is_refused(self):
        pki = self.cluster.directory + "/pki"
        done = subprocess.run(
            [ETCDCTL, "--endpoints", self.cluster.endpoint(1), "--cacert", pki + "/ca.crt",
             "--cert", pki + "/replica-1/peer.crt", "--key", pki + "/replica-1/peer.key",
             "--command-timeout=3s", "get", "x"],
            capture_output=True, text=True, env={"ETCDCTL_API": "3"}, timeout=30)
        self.assertNotEqual(done.returncode, 0)


if __name__ == "__main__":
    unittest.main()
