"""`martlet server` with etcd's flags and variables: the three-member example of etcd's documentation."""

import http.client
import json
import os
import shutil
import signal
import subprocess
import tempfile
import unittest

from cluster import ETCDCTL, MARTLET, free_ports, run, wait_for
from prometheus import Metrics


class Members:
    """Three processes that nobody supervises, as in the documentation's Procfile."""

    def __init__(self, flags=(), environment=None, before=None):
        """`before` has what a member's process does before it begins, by its number."""
        self.before = before or {}
        self.folder = tempfile.mkdtemp(prefix="martlet-e2e-")
        self.first = free_ports(9)
        self.flags = list(flags)
        self.environment = environment or {}
        self.processes = {}
        self.logs = {}

    def client(self, number):
        return f"http://127.0.0.1:{self.first + 3 * (number - 1)}"

    def peer(self, number):
        return f"http://127.0.0.1:{self.first + 3 * (number - 1) + 1}"

    def metrics_port(self, number):
        return self.first + 3 * (number - 1) + 2

    def arguments(self, number):
        cluster = ",".join(f"infra{n}={self.peer(n)}" for n in (1, 2, 3))
        return [
            "--name", f"infra{number}", "--data-dir", f"{self.folder}/infra{number}.etcd",
            "--listen-client-urls", self.client(number),
            "--advertise-client-urls", self.client(number),
            "--listen-peer-urls", self.peer(number),
            "--initial-advertise-peer-urls", self.peer(number),
            "--listen-metrics-urls", f"http://127.0.0.1:{self.metrics_port(number)}",
            "--initial-cluster-token", "etcd-cluster-1", "--initial-cluster", cluster,
            "--initial-cluster-state", "new", "--enable-pprof", "--logger=zap",
            "--log-outputs=stderr", *self.flags]

    def start(self, number):
        log = open(f"{self.folder}/infra{number}.log", "ab")
        self.processes[number] = subprocess.Popen(
            [MARTLET, "server", *self.arguments(number)], stdout=log, stderr=log,
            env={**os.environ, **self.environment}, cwd=self.folder,
            preexec_fn=self.before.get(number))
        log.close()

    def start_all(self):
        for number in (1, 2, 3):
            self.start(number)
        wait_for("all serve", lambda: all(
            self.ctl("endpoint", "health", number=n, check=False).code == 0 for n in (1, 2, 3)))

    def log(self, number):
        with open(f"{self.folder}/infra{number}.log") as file:
            return file.read()

    def stop(self, number, how=signal.SIGTERM):
        self.processes[number].send_signal(how)
        return self.processes[number].wait(timeout=15)

    def ctl(self, *arguments, number=1, **options):
        env = {**os.environ, "ETCDCTL_API": "3"}
        return run([ETCDCTL, "--endpoints", self.client(number), *arguments], env=env, **options)

    def close(self):
        for process in self.processes.values():
            if process.poll() is None:
                process.kill()
                process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


class EtcdFlagsTests(unittest.TestCase):
    def members(self, *flags, **environment):
        members = Members(flags, environment)
        self.addCleanup(members.close)
        return members

    def test_the_example_of_the_documentation(self):
        members = self.members()
        members.start_all()
        members.ctl("put", "foo", "bar")
        self.assertEqual(members.ctl("get", "foo", number=3).out, "foo\nbar\n")
        listed = json.loads(members.ctl("member", "list", "-w", "json").out)["members"]
        self.assertEqual(
            {member["name"]: (member["peerURLs"], member["clientURLs"]) for member in listed},
            {f"infra{n}": ([members.peer(n)], [members.client(n)]) for n in (1, 2, 3)})
        # A member that is killed and one that is stopped come back as they were.
        members.stop(2, signal.SIGKILL)
        members.ctl("put", "foo", "while one is down", number=1)
        self.assertEqual(members.stop(3), 0)
        members.start(2)
        members.start(3)
        wait_for("both are back", lambda: members.ctl(
            "get", "foo", "--print-value-only", number=2).out == "while one is down\n")
        wait_for("both are back", lambda: members.ctl(
            "get", "foo", "--print-value-only", number=3).out == "while one is down\n")
        # The pages have a port of their own, and clients are not served there.
        self.assertEqual(self.get(members.metrics_port(1), "/health")[0], 200)
        status, text = self.get(members.metrics_port(1), "/metrics")
        self.assertEqual((status, Metrics(text).value("etcd_server_has_leader")), (200, 1))
        self.assertEqual(self.get(members.metrics_port(1), "/v3/kv/range")[0], 404)
        self.assertIn("--enable-pprof is ignored", members.log(1))

    @staticmethod
    def get(port, path):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read().decode()

    def test_variables_quota_and_compaction(self):
        members = self.members(
            "--quota-backend-bytes", "3000000",
            ETCD_AUTO_COMPACTION_MODE="periodic", ETCD_AUTO_COMPACTION_RETENTION="1s",
            ETCD_NAME="not this one", ETCD_NO_SUCH_THING="1")
        members.start_all()
        self.assertIn("ETCD_NAME is ignored: --name is given", members.log(1))
        self.assertIn("ETCD_NO_SUCH_THING is no variable of etcd", members.log(1))
        for value in range(5):
            members.ctl("put", "old", str(value))
        revision = json.loads(members.ctl("get", "old", "-w", "json").out)["header"]["revision"]
        wait_for("history goes by the clock", lambda: "compacted" in members.ctl(
            "get", "old", f"--rev={revision - 2}", check=False).err)
        self.assertEqual(members.ctl("get", "old").out, "old\n4\n")
        connection = http.client.HTTPConnection("127.0.0.1", members.first, timeout=10)
        connection.request("POST", "/v3/maintenance/status", "{}")
        self.assertEqual(json.loads(connection.getresponse().read())["dbSizeQuota"], "3000000")
        connection.close()
        # Beyond the quota: etcd's alarm, and etcd's words.
        value = "x" * 500_000
        refused = None
        for index in range(40):
            done = members.ctl("put", f"big/{index}", input=value, check=False)
            if done.code != 0:
                refused = done
                break
        self.assertIsNotNone(refused, "the quota was never reached")
        self.assertIn("etcdserver: mvcc: database space exceeded", refused.err)
        self.assertIn("alarm:NOSPACE", members.ctl("alarm", "list").out)
        self.assertIn("its quota is 3000000", members.log(1) + members.log(2) + members.log(3))
        members.ctl("del", "big/", "--prefix")
        wait_for("there is room again", lambda: members.ctl(
            "put", "small", "v", check=False).code == 0, seconds=60)

    def refuse(self, *arguments, **environment):
        done = subprocess.run(
            [MARTLET, "server", *arguments], capture_output=True, text=True, timeout=20,
            env={**os.environ, **environment}, cwd=self.scratch())
        self.assertNotEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stderr

    def scratch(self):
        folder = tempfile.mkdtemp(prefix="martlet-e2e-")
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        return folder

    def test_refusals_say_what_to_write_instead(self):
        for arguments, words in [
            (["--unsafe-no-fsync"], "an acknowledged write is durable"),
            (["--discovery-srv", "example.com"], "martlet store member add"),
            (["--force-new-cluster=true"], "martlet store recover"),
            (["--listen-client-urls", "http://10.1.2.3:2379"], "plaintext beyond loopback"),
            (["--initial-cluster", "other=http://127.0.0.1:2380"], "couldn't find local name"),
            (["--no-such-flag"], "--no-such-flag"),
            (["--election-timeout", "100"], "at least as 5 times"),
            (["--initial-cluster-state", "existing"], "martlet store member add"),
            (["--listen-client-urls", "https://127.0.0.1:2379"], "--cert-file"),
            (["--replica", "1", "--name", "x"], "does not go with --replica"),
        ]:
            with self.subTest(arguments=arguments):
                self.assertIn(words, self.refuse(*arguments))
        self.assertIn("ETCD_WAL_DIR is not supported", self.refuse(ETCD_WAL_DIR="/x"))


if __name__ == "__main__":
    unittest.main()
