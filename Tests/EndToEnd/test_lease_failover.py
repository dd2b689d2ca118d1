"""What is left of a lease, read from the survivors while its leader is killed, and again its successor."""

import itertools
import json
import os
import signal
import time
import unittest

from cluster import Cluster, wait_for

TTL = 12
# Followers learn what remains of a lease when half of it is gone, in whole seconds, rounded up.
TOLD = TTL // 2
# What a new leader gives on top: two election timeouts of 300 to 600 ms, and seconds are rounded up.
EXTENSION = 2.2


class LeaseFailoverTests(unittest.TestCase):
    def setUp(self):
        self.cluster = Cluster(nodes=0, flags=["--store-only"])
        self.addCleanup(self.cluster.close)
        self.cluster.up()

    def left(self, lease, number):
        """Seconds, -1 when it has ended; None when nobody says."""
        done = self.cluster.etcdctl("--command-timeout", "2s", "lease", "timetolive", lease, "-w",
                                    "json", number=number, check=False)
        return json.loads(done.out)["ttl"] if done.code == 0 else None

    def grant(self):
        """Answers the lease, with the times before it was asked for and after it was there."""
        before = time.monotonic()
        lease = self.cluster.etcdctl("lease", "grant", str(TTL)).out.split()[1]
        self.cluster.etcdctl("put", f"/held/{lease}", "1", "--lease", lease)
        return lease, before, time.monotonic()

    def kill_leader(self):
        leader = wait_for("a leader", self.cluster.leader)
        os.kill(self.cluster.pid(f"replica-{leader}"), signal.SIGKILL)
        return leader

    def test_it_goes_on_with_what_is_left(self):
        # One that nobody keeps alive, and one that somebody does until the leader is killed.
        lease, before, after = self.grant()
        kept, _, _ = self.grant()
        while time.monotonic() < after + TOLD + 1:
            renewed = time.monotonic()
            self.cluster.etcdctl("lease", "keep-alive", "--once", kept)
            time.sleep(0.3)
        at_first = self.left(lease, 1)
        leaders, told, unanswered = [self.kill_leader()], [], 0
        while True:
            for number in {1, 2, 3} - {leaders[-1]}:
                left = self.left(lease, number)
                answered = time.monotonic()
                if left is None:
                    unanswered += 1
                    continue
                told.append(left)
                # Not a moment less than was promised to the client.
                self.assertGreaterEqual(left, TTL - (answered - before) if left >= 0 else -1)
                # Nor much more: not the whole again, whoever leads.
                self.assertLessEqual(left, TOLD + EXTENSION, told)
                if left < 0:
                    self.assertGreaterEqual(answered - before, TTL)
            if told[-1:] == [-1]:
                break
            if len(leaders) == 1 and len(told) > 6:
                leaders.append(self.kill_leader())
            self.assertLess(time.monotonic() - after, TTL + 30, told)
            time.sleep(0.1)
        shown = [one for one, _ in itertools.groupby(told)]
        print(f"{at_first} s left, then {shown}, {unanswered} times no answer,"
              f" over after {time.monotonic() - after:.1f} s", end=" ", flush=True)
        self.assertGreater(told[0], 0)
        self.assertEqual(self.cluster.etcdctl("get", f"/held/{lease}").out, "")
        # The other has its whole time from its last keep-alive on.
        left = self.left(kept, 1)
        age = time.monotonic() - renewed
        self.assertGreaterEqual(left, TTL - age if left >= 0 else -1)
        self.assertTrue(left > 0 or age >= TTL, (left, age))


if __name__ == "__main__":
    unittest.main()
