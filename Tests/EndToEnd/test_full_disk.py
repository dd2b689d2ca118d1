"""A disk that fills up: one clear error, nothing acknowledged is lost, and it goes on when there is room."""

import json
import os
import tempfile
import unittest

from cluster import Cluster, run, wait_for


@unittest.skipUnless(os.geteuid() == 0, "needs root to mount a small file system")
class FullDiskTests(unittest.TestCase):
    def setUp(self):
        self.mount = tempfile.mkdtemp(prefix="martlet-full-")
        run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", self.mount])
        self.cluster = Cluster(directory=self.mount + "/data", nodes=0, flags=["--store-only"])

    def tearDown(self):
        self.cluster.close()
        run(["umount", "-l", self.mount])
        os.rmdir(self.mount)

    def test_acknowledged_writes_survive(self):
        self.cluster.up()
        everywhere = ",".join(self.cluster.endpoint(number) for number in (1, 2, 3))
        acknowledged, refusal = [], None
        for number in range(200):
            value = f"{number:04}-" + "x" * 199_995
            done = self.cluster.etcdctl("put", f"full/{number}", input=value,
                                        endpoints=everywhere, check=False)
            if done.code != 0:
                refusal = done
                break
            acknowledged.append((f"full/{number}", value))
        self.assertIsNotNone(refusal, "the disk never filled up")
        self.assertGreater(len(acknowledged), 5)

        # Whoever looks finds out: the client by the alarm's error, or the terminal by name.
        def is_told():
            text = refusal.err + (self.cluster.process.stdout.read() or b"").decode()
            return "space exceeded" in text or "No space left on device" in text
        wait_for("a clear error", is_told, seconds=20)

        run(["mount", "-o", "remount,size=256m", self.mount])
        wait_for("every replica serves again", lambda: all(
            self.cluster.etcdctl("endpoint", "health", number=number).code == 0
            for number in (1, 2, 3)), seconds=60)
        for number in (1, 2, 3):
            for key, value in acknowledged:
                found = self.cluster.etcdctl("get", key, "--print-value-only", number=number)
                self.assertEqual(found.out.rstrip("\n"), value, key)
        wait_for("writes are taken", lambda: self.cluster.etcdctl("put", "after", "1"))

    def test_the_alarm_comes_and_goes(self):
        """NOSPACE as in etcd: puts are refused, all else goes on, and room that is made ends it."""
        self.cluster.up()
        acknowledged, refusal = {}, None
        for number in range(2000):
            # Does not compress, so that snapshot files take their part of the disk too.
            value = os.urandom(50_000).hex()
            done = self.cluster.etcdctl("put", f"fill/{number}", input=value, check=False)
            if done.code != 0:
                refusal = done
                break
            acknowledged[f"fill/{number}"] = value
        self.assertIsNotNone(refusal, "the disk never filled up")
        self.assertIn("etcdserver: mvcc: database space exceeded", refusal.err)
        self.assertGreater(len(acknowledged), 20)
        for number in (1, 2, 3):
            self.assertIn("alarm:NOSPACE", self.cluster.etcdctl("alarm", "list", number=number).out)
        refused = self.cluster.etcdctl("put", "more", "1", number=2, check=False)
        self.assertIn("etcdserver: mvcc: database space exceeded", refused.err)

        # Everything that was acknowledged can be read, at each replica.
        for number in (1, 2, 3):
            for key, value in list(acknowledged.items())[::3]:
                found = self.cluster.etcdctl("get", key, "--print-value-only", number=number)
                self.assertEqual(found.out.rstrip("\n"), value, key)

        kept = {key: value for key, value in acknowledged.items() if int(key[5:]) % 5 == 0}
        for key in acknowledged:
            if key not in kept:
                self.cluster.etcdctl("del", key)
        status = json.loads(self.cluster.etcdctl("endpoint", "status", "-w", "json").out)
        self.cluster.etcdctl("compaction", str(status[0]["Status"]["header"]["revision"]))
        wait_for("the alarm is cleared", lambda: self.cluster.etcdctl(
            "alarm", "list", number=3).out.strip() == "", seconds=60)
        wait_for("puts are taken", lambda: self.cluster.etcdctl(
            "put", "after", "1", check=False).code == 0)
        for number in (1, 2, 3):
            for key, value in kept.items():
                found = self.cluster.etcdctl("get", key, "--print-value-only", number=number)
                self.assertEqual(found.out.rstrip("\n"), value, key)


if __name__ == "__main__":
    unittest.main()
