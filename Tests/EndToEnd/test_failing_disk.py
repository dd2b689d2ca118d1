"""Writes and syncs that fail, and limits of the process: an end with its own exit code and the file's
name, or nothing at all; the replica comes back by replacement; nothing acknowledged is lost."""

import os
import resource
import shutil
import socket
import subprocess
import tempfile
import time
import unittest

from cluster import MARTLET, Cluster, run, wait_for

# Fails fsync and fdatasync, or writes, of files whose path holds FAIL_PATH, once FAIL_IF exists.
SHIM = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>
static int fails(int file, const char *call) {
    const char *calls = getenv("FAIL_CALL"), *part = getenv("FAIL_PATH"), *when = getenv("FAIL_IF");
    if (!calls || !part || !when || strcmp(calls, call) || access(when, F_OK)) return 0;
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t count = readlink(link, path, sizeof path - 1);
    if (count < 0) return 0;
    path[count] = 0;
    errno = EIO;
    return strstr(path, part) != 0;
}
#define SYNC(name) int name(int file) { \
    int (*real)(int) = dlsym(RTLD_NEXT, #name); return fails(file, "sync") ? -1 : real(file); }
SYNC(fsync)
SYNC(fdatasync)
#define WRITE(name, type) ssize_t name(int file, const void *bytes, size_t count, type at) { \
    ssize_t (*real)(int, const void *, size_t, type) = dlsym(RTLD_NEXT, #name); \
    return fails(file, "write") ? -1 : real(file, bytes, count, at); }
WRITE(pwrite, off_t)
WRITE(pwrite64, off64_t)
"""


def shim(folder):
    source = os.path.join(folder, "shim.c")
    with open(source, "w") as file:
        file.write(SHIM)
    run(["cc", "-shared", "-fPIC", "-o", folder + "/shim.so", source, "-ldl"])
    return folder + "/shim.so"


class FailingDiskTests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="martlet-shim-")
        cls.shim = shim(cls.folder)

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    def setUp(self):
        self.cluster = Cluster(nodes=0, flags=["--store-only"])
        self.fails_if = self.cluster.scratch + "/now"
        self.said = ""

    def tearDown(self):
        self.cluster.close()

    def up(self, call, path):
        self.cluster.up(env={"LD_PRELOAD": self.shim, "FAIL_CALL": call, "FAIL_PATH": path,
                             "FAIL_IF": self.fails_if})
        self.put("before")

    def put(self, name):
        for number in range(5):
            # One that was under way when its replica ended is answered with that.
            wait_for("a put", lambda: self.cluster.store(
                "put", f"/{name}/{number}", "x", check=False).code == 0, seconds=20)

    def fail(self):
        with open(self.fails_if, "w"):
            pass

    def says(self, *words):
        def look():
            self.said += (self.cluster.process.stdout.read() or b"").decode()
            return all(word in self.said for word in words)
        try:
            wait_for("what the terminal says", look, seconds=20)
        except AssertionError:
            self.fail_with(words)

    def fail_with(self, words):
        raise AssertionError(f"no {words} in:\n{self.said}\n{self.cluster.logs()}")

    def count(self, number, *flags):
        done = self.cluster.etcdctl("get", "/", "--prefix", "--keys-only", *flags, number=number,
                                    check=False)
        return len(done.out.split()) if done.code == 0 else None

    def test_a_sync_of_the_log_that_fails_is_the_end_of_the_replica(self):
        self.up("sync", "/replica-2")
        self.fail()
        self.put("after")
        self.says("replica-2 ended with exit code 70", "/replica-2/log/", ".wal: sync failed: "
                  "Input/output error", "stays stopped")
        # Not even a new start of all trusts the folder, though not one of its syncs succeeded.
        self.cluster.stop()
        os.remove(self.fails_if)
        self.said = ""
        process = subprocess.run(
            [MARTLET, "server", "--data-dir", self.cluster.directory, "--replica", "2"],
            capture_output=True, text=True, timeout=20)
        self.assertEqual(process.returncode, 70, process)
        self.assertIn("/replica-2 is not to be trusted since: ", process.stderr)
        # The runbook's way back.
        shutil.rmtree(self.cluster.directory + "/replica-2")
        self.cluster.start()
        self.says("replica-2 has lost its directory and does not vote")
        wait_for("its replacement", lambda: self.cluster.store(
            "member", "replace", "2", check=False).code == 0)
        wait_for("all the keys", lambda: self.count(2, "--consistency=s") == 10)

    def test_a_write_of_the_log_that_fails(self):
        self.up("write", "/replica-3/log")
        self.fail()
        self.put("after")
        self.says("replica-3 ended with exit code 70", "/replica-3/log/",
                  ".wal: cannot write: Input/output error", "stays stopped")
        wait_for("all the keys", lambda: self.count(1) == 10)

    def test_a_write_of_the_keyspace_that_fails(self):
        """The log has it all: the replica is started until the disk takes it."""
        self.up("write", "/replica-1/keyspace/data.mdb")
        self.fail()
        self.put("after")
        self.says("replica-1 ended with exit code 1", "/replica-1/keyspace", "Input/output error",
                  "starts again")
        os.remove(self.fails_if)
        self.says("replica-1 is back")
        wait_for("all the keys", lambda: self.count(1, "--consistency=s") == 10)

    def test_a_sync_of_the_keyspace_that_fails_at_the_end(self):
        self.up("sync", "/replica-1/keyspace/data.mdb")
        self.fail()
        self.assertEqual(self.cluster.stop(), 0)
        os.remove(self.fails_if)
        with open(self.cluster.directory + "/replica-1/failed") as file:
            self.assertIn("/replica-1/keyspace/data.mdb", file.read())

    def test_a_limit_for_files_is_an_error(self):
        """SIGXFSZ would end the process without a word."""
        self.cluster.up()
        self.put("before")
        limit = 400_000
        for number in (1, 2, 3):
            resource.prlimit(self.cluster.pid(f"replica-{number}"), resource.RLIMIT_FSIZE,
                             (limit, limit))
        for number in range(60):
            done = self.cluster.etcdctl("put", f"/large/{number}", input="x" * 60_000, check=False)
            if done.code != 0:
                break
        self.says("ended with exit code 1: ", "/replica-")
        self.assertNotIn("signal", self.said)
        wait_for("all are back", lambda: all(self.count(number) for number in (1, 2, 3)))
        self.assertGreaterEqual(self.count(2), 5 + number)


class DescriptorTests(unittest.TestCase):
    def setUp(self):
        self.cluster = Cluster(nodes=0, flags=["--store-only"])
        self.open = []

    def tearDown(self):
        for connection in self.open:
            connection.close()
        self.cluster.close()

    def connect(self, count):
        for _ in range(count):
            connection = socket.create_connection(("127.0.0.1", self.cluster.store_port), timeout=5)
            self.open.append(connection)

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.cluster.pid('replica-1')}/fd"))

    def seconds_of_work(self):
        stat = open(f"/proc/{self.cluster.pid('replica-1')}/stat").read().rsplit(")", 1)[1].split()
        return (int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK")

    def rests(self):
        """Hardly works for two seconds while connections wait to be accepted."""
        before = self.seconds_of_work()
        time.sleep(2)
        self.assertLess(self.seconds_of_work() - before, 0.4)

    def goes_on(self):
        pids = self.cluster.pids()
        self.assertEqual(self.cluster.etcdctl("put", "/x", "1", number=2).code, 0)
        for connection in self.open:
            connection.close()
        self.open = []
        wait_for("clients are served", lambda: self.cluster.etcdctl(
            "put", "/x", "1", check=False).code == 0)
        self.assertEqual(pids, self.cluster.pids())

    def test_clients_leave_descriptors_for_files_and_peers(self):
        limit = 300
        self.cluster.up(prefix=["prlimit", f"--nofile=200:{limit}"])
        self.connect(limit)
        self.rests()
        self.assertLess(self.descriptors(), limit - 100)
        with open(self.cluster.directory + "/replica-1/server.log") as file:
            self.assertEqual(file.read().count("no more connections are accepted for now"), 1)
        self.goes_on()

    def test_no_descriptor_is_left(self):
        self.cluster.up()
        limit = 80
        resource.prlimit(self.cluster.pid("replica-1"), resource.RLIMIT_NOFILE, (limit, limit))
        self.connect(2 * limit)
        wait_for("all are used", lambda: self.descriptors() >= limit - 1)
        self.rests()
        self.goes_on()


if __name__ == "__main__":
    unittest.main()
