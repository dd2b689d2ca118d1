"""The wall clock set back and forward, between and during runs: leases end by a clock that never jumps, the
cluster comes up and serves, snapshots go on, and a restore to a time says what it went by."""

import glob
import json
import os
import shutil
import tempfile
import time
import unittest

from cluster import DUMP, MARTLET, Cluster, run, wait_for

# Moves CLOCK_REALTIME by as many seconds as the file CLOCK_FILE says.
SHIM = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
static long moved(void) {
    char text[32] = {0};
    const char *path = getenv("CLOCK_FILE");
    int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0) return 0;
    ssize_t count = read(file, text, sizeof text - 1);
    close(file);
    return count > 0 ? atol(text) : 0;
}
int clock_gettime(clockid_t clock, struct timespec *time) {
    int (*real)(clockid_t, struct timespec *) = dlsym(RTLD_NEXT, "clock_gettime");
    int result = real(clock, time);
    if (clock == CLOCK_REALTIME) time->tv_sec += moved();
    return result;
}
int gettimeofday(struct timeval *restrict time, void *restrict zone) {
    int (*real)(struct timeval *, void *) = dlsym(RTLD_NEXT, "gettimeofday");
    int result = real(time, zone);
    time->tv_sec += moved();
    return result;
}
time_t time(time_t *out) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (out) *out = now.tv_sec;
    return now.tv_sec;
}
"""
DAY = 86_400


class ClockTests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="martlet-clock-")
        with open(cls.folder + "/shim.c", "w") as file:
            file.write(SHIM)
        run(["cc", "-shared", "-fPIC", "-o", cls.folder + "/shim.so", cls.folder + "/shim.c",
             "-ldl"])

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    def make(self, *flags, replicas=3):
        self.cluster = Cluster(nodes=0, replicas=replicas, flags=["--store-only", *flags])
        self.addCleanup(self.cluster.close)
        self.clock = self.cluster.scratch + "/clock"
        self.move(0)

    def move(self, seconds):
        with open(self.clock + ".new", "w") as file:
            file.write(str(seconds))
        os.rename(self.clock + ".new", self.clock)

    def up(self):
        self.cluster.up(env={"LD_PRELOAD": self.folder + "/shim.so", "CLOCK_FILE": self.clock})

    def grant(self, seconds):
        return self.cluster.etcdctl("lease", "grant", str(seconds)).out.split()[1]

    def left(self, lease, number=1):
        out = self.cluster.etcdctl("lease", "timetolive", lease, "-w", "json", number=number).out
        return json.loads(out)["ttl"]

    def get(self, key):
        return self.cluster.etcdctl("get", key, "--print-value-only").out.strip()

    def test_leases_end_by_a_clock_that_does_not_jump(self):
        self.make()
        self.up()
        granted = time.monotonic()
        short, long = self.grant(5), self.grant(60)
        self.cluster.etcdctl("put", "/short", "1", "--lease", short)
        self.cluster.etcdctl("put", "/long", "1", "--lease", long)
        self.move(2 * DAY)
        time.sleep(1)
        self.assertEqual((self.get("/short"), self.get("/long")), ("1", "1"))
        self.move(-2 * DAY)
        gone = wait_for("its end", lambda: self.get("/short") == "" and time.monotonic(), seconds=20)
        self.assertGreaterEqual(gone - granted, 5)
        self.assertLess(gone - granted, 12)
        # Another leader goes on with what is left.
        self.cluster.store("transfer-leader")
        left, age = self.left(long, number=2), time.monotonic() - granted
        self.assertTrue(58 - age <= left <= 66, (left, age))
        self.assertEqual(self.get("/long"), "1")

    def test_a_start_with_a_clock_that_was_set_back(self):
        """Certificates of the run before, and those of this one, count all the same."""
        self.make()
        self.up()
        lease = self.grant(300)
        self.cluster.etcdctl("put", "/before", "1", "--lease", lease)
        self.cluster.stop()
        self.move(-20 * DAY)
        self.up()
        self.assertEqual(self.get("/before"), "1")
        # A new leader gives an election timeout more.
        self.assertTrue(280 <= self.left(lease) <= 303, self.left(lease))
        self.cluster.etcdctl("put", "/after", "1")
        self.assertEqual(self.cluster.store("get", "/after", "--print-value-only").out.strip(), "1")
        # While it runs, and connections are made anew.
        self.move(-40 * DAY)
        os.kill(self.cluster.pid("replica-2"), 9)
        wait_for("its return", lambda: self.cluster.etcdctl(
            "endpoint", "health", number=2, check=False).code == 0)

    def test_an_authority_of_the_future(self):
        """So far back that nothing counts any more: one clear error."""
        self.make(replicas=1)
        self.up()
        self.cluster.stop()
        self.move(-30 * 365 * DAY)
        done = run([MARTLET, "up", "--data-dir", self.cluster.directory, "--replicas", "1",
                    "--store-only", "--store-port", str(self.cluster.store_port)], check=False,
                   env={**os.environ, "LD_PRELOAD": self.folder + "/shim.so",
                        "CLOCK_FILE": self.clock})
        self.assertEqual(done.code, 1, done)
        self.assertIn("/pki/ca.crt is not valid before ", done.err)
        self.assertIn("and the clock says ", done.err)

    def test_snapshots_go_on(self):
        self.make("--snapshot-every", "2s", replicas=1)
        self.up()

        def count():
            return len(glob.glob(self.cluster.directory + "/snapshots/*.snapshot"))
        wait_for("a snapshot", count)
        self.move(-DAY)
        before = count()
        self.cluster.store("put", "/a", "1")
        wait_for("another one", lambda: count() > before, seconds=15)

    def test_a_restore_to_a_time_says_that_the_clock_was_set_back(self):
        self.make("--archive", replicas=1)
        self.up()
        self.cluster.store("put", "/first", "1")
        self.cluster.stop()
        self.move(-3600)
        self.up()
        self.cluster.store("put", "/second", "2")
        self.cluster.stop()
        target = self.cluster.scratch + "/target"
        done = run([MARTLET, "store", "snapshot", "restore", self.cluster.directory + "/snapshots",
                    "--data-dir", target, "--to-time", str(int(time.time()) + 60)])
        self.assertIn("note: the leader's clock was set back at entry ", done.out)
        found = run([DUMP, target + "/replica-1", "get", "/second"])
        self.assertEqual(found.out.splitlines()[-1], "2")


if __name__ == "__main__":
    unittest.main()
