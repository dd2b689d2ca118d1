"""Clients of etcd that people use, doing what they do with etcd."""

import json
import os
import pathlib
import signal
import subprocess
import tempfile
import unittest

from cluster import ETCDCTL, Cluster, free_ports, run, wait_for
from test_etcd_flags import Members

PYTHON = os.environ.get("MARTLET_TEST_PYTHON", "python3")
ETCD_FOLDER = os.environ.get("MARTLET_TEST_ETCD_FOLDER")


class Etcd:
    """A real etcd of one member."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="martlet-e2e-")
        port = free_ports(2)
        self.url, peer = (f"http://127.0.0.1:{port + index}" for index in (0, 1))
        self.process = subprocess.Popen(
            [str(pathlib.Path(ETCD_FOLDER) / "etcd"), "--data-dir", self.folder.name + "/data",
             "--listen-client-urls", self.url, "--advertise-client-urls", self.url,
             "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer,
             "--initial-cluster", f"default={peer}"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for("etcd serves", lambda: self.ctl("endpoint", "health", check=False).code == 0)

    def ctl(self, *arguments, **options):
        env = {**os.environ, "ETCDCTL_API": "3"}
        return run([ETCDCTL, "--endpoints", self.url, *arguments], env=env, **options)

    def close(self):
        self.process.kill()
        self.process.wait()
        self.folder.cleanup()


class EtcdClientTests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster(nodes=0, flags=["--store-only"])
        cls.cluster.up()

    @classmethod
    def tearDownClass(cls):
        cls.cluster.close()

    def flags(self, number=1):
        pki = self.cluster.directory + "/pki"
        return ["--endpoints", self.cluster.endpoint(number), "--cacert", pki + "/ca.crt",
                "--cert", pki + "/client.crt", "--key", pki + "/client.key"]

    def start(self, *arguments, number=1, flags=None):
        process = subprocess.Popen(
            [ETCDCTL, *(flags if flags is not None else self.flags(number)), *arguments],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env={**os.environ, "ETCDCTL_API": "3"})

        def end():
            if process.poll() is None:
                process.kill()
            process.communicate()
        self.addCleanup(end)
        return process

    def keys(self, prefix):
        return self.cluster.etcdctl("get", prefix, "--prefix", "--keys-only").out.split()

    def test_python_etcd3(self):
        script = os.path.join(os.path.dirname(__file__), "clients", "etcd3_recipes.py")
        done = run([PYTHON, script, str(self.cluster.store_port), self.cluster.directory + "/pki"],
                   timeout=120)
        self.assertEqual(done.out.splitlines()[-1], "ok")

    def test_check_perf(self):
        # Throughput is the machine's; that the command runs through and cleans up is ours.
        done = self.cluster.etcdctl("check", "perf", "--load=s", check=False, timeout=180)
        self.assertIn("Throughput", done.out, done)
        self.assertNotIn("FAIL: Too many errors", done.out)
        self.assertEqual(self.keys("/etcdctl-check-perf/"), [])

    def test_check_datascale(self):
        # It reads the server's memory from /metrics, and cannot do so over TLS.
        members = Members()
        self.addCleanup(members.close)
        members.start_all()
        done = members.ctl("check", "datascale", "--load=s", "--prefix=/scale/", timeout=240)
        self.assertIn("PASS: Approximate system memory used", done.out + done.err)
        self.assertEqual(members.ctl("get", "/scale/", "--prefix", "--keys-only").out, "")

    def test_a_lock_whose_holder_is_killed(self):
        holder = self.start("lock", "mutex", "--ttl", "2")
        key = holder.stdout.readline().strip()
        self.assertTrue(key.startswith("mutex/"), key)
        waiter = self.start("lock", "mutex", "--ttl", "2", number=2)
        wait_for("two claims", lambda: len(self.keys("mutex/")) == 2)
        self.assertIsNone(waiter.poll())
        holder.send_signal(signal.SIGKILL)
        os.set_blocking(waiter.stdout.fileno(), False)
        got = wait_for("the lock passes on", lambda: waiter.stdout.readline(), seconds=30)
        self.assertNotEqual(got.strip(), key)
        waiter.send_signal(signal.SIGINT)
        waiter.wait(timeout=10)
        wait_for("the claims are gone", lambda: self.keys("mutex/") == [])

    def test_a_command_under_a_lock(self):
        done = self.cluster.etcdctl("lock", "command", "echo", "held")
        self.assertEqual(done.out, "held\n")
        done = self.cluster.etcdctl("lock", "command", "sh", "--", "-c", "exit 3", check=False)
        self.assertNotEqual(done.code, 0)
        self.assertIn("exit status 3", done.err)

    def test_an_election_whose_leader_is_killed(self):
        # This command's lease is 60 seconds; the leader's is taken away as its end would.
        leader = self.start("elect", "office", "first")
        lines = [leader.stdout.readline().strip() for _ in range(2)]
        self.assertEqual(lines[1], "first")
        second = self.start("elect", "office", "second", number=3)
        wait_for("two candidates", lambda: len(self.keys("office/")) == 2)
        listener = self.start("elect", "--listen", "office", number=2)
        self.assertEqual([listener.stdout.readline().strip() for _ in range(2)][1], "first")
        leader.send_signal(signal.SIGKILL)
        leader.wait()
        self.cluster.etcdctl("lease", "revoke", lines[0].split("/")[1])
        self.assertEqual([second.stdout.readline().strip() for _ in range(2)][1], "second")
        self.assertEqual([listener.stdout.readline().strip() for _ in range(2)][1], "second")
        second.send_signal(signal.SIGINT)
        second.wait(timeout=10)

    @unittest.skipUnless(ETCD_FOLDER, "needs a real etcd")
    def test_a_mirror_to_a_real_etcd_and_back(self):
        etcd = Etcd()
        self.addCleanup(etcd.close)
        for number in range(30):
            self.cluster.etcdctl("put", f"there/{number:02}", f"old {number}")
        there = self.start(
            "make-mirror", "--prefix", "there/", "--dest-prefix", "there/",
            "--dest-insecure-transport", etcd.url)
        wait_for("what was there is copied", lambda: len(
            etcd.ctl("get", "there/", "--prefix", "--keys-only").out.split()) == 30)
        self.cluster.etcdctl("put", "there/new", "n")
        self.cluster.etcdctl("del", "there/00")
        wait_for("changes follow", lambda: (
            "there/new" in etcd.ctl("get", "there/", "--prefix").out
            and etcd.ctl("get", "there/00").out == ""))
        self.assertIsNone(there.poll())
        # And from etcd to Martlet, under another name.
        pki = self.cluster.directory + "/pki"
        back = self.start(
            "make-mirror", "--prefix", "there/", "--dest-prefix", "back/",
            "--dest-cacert", pki + "/ca.crt", "--dest-cert", pki + "/client.crt",
            "--dest-key", pki + "/client.key", self.cluster.endpoint(2),
            flags=["--endpoints", etcd.url])
        want = [line.replace("there/", "back/") for line in
                etcd.ctl("get", "there/", "--prefix").out.splitlines()]
        wait_for("it comes back", lambda: self.cluster.etcdctl(
            "get", "back/", "--prefix").out.splitlines() == want)
        self.cluster.etcdctl("put", "there/round", "trip")
        wait_for("changes go round", lambda: self.cluster.etcdctl(
            "get", "back/round", "--print-value-only").out == "trip\n")
        self.assertIsNone(back.poll())


if __name__ == "__main__":
    unittest.main()
