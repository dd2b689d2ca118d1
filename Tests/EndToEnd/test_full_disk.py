"""A disk that fills up: one clear error, nothing acknowledged is lost, and it goes on when there is room."""

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


if __name__ == "__main__":
    unittest.main()
