"""A real etcd under test: three members, or one, on loopback."""

import os
import pathlib
import shutil
import signal
import subprocess
import tempfile

from certificates import Maker
from cluster import ETCDCTL, free_ports, run, wait_for

WHEEL = pathlib.Path(os.environ.get("MARTLET_TEST_ETCD_FOLDER", "/usr/bin"))
# Of Debian; its etcdctl restores too.
DEBIAN = pathlib.Path(os.environ.get("MARTLET_TEST_ETCD34_FOLDER", "/usr/bin"))


class Etcd:
    def __init__(self, members=3, folder=WHEEL, tls=False, flags=()):
        self.scratch = tempfile.mkdtemp(prefix="martlet-etcd-")
        self.program = str(folder / "etcd")
        self.flags = ["--max-txn-ops", "10000", "--log-level", "error", *flags]
        # Behind those that a cluster takes that is made before etcd is started.
        self.port = free_ports(20 + 2 * members) + 20
        self.scheme = "https" if tls else "http"
        self.endpoints = [
            f"{self.scheme}://127.0.0.1:{self.port + 2 * index}" for index in range(members)]
        self.processes = [None] * members
        if tls:
            self.make_certificates()

    def make_certificates(self):
        """An authority, a pair for servers and one for clients."""
        maker = Maker(self.path("pki"))
        authority = maker.authority("ca")
        for name in ("server", "client"):
            maker.issue(name, authority)

    def path(self, name):
        return os.path.join(self.scratch, name)

    def start(self, *only):
        """Starts all members, or some again."""
        peers = [f"http://127.0.0.1:{self.port + 2 * index + 1}"
                 for index in range(len(self.endpoints))]
        names = ",".join(f"m{index}={peer}" for index, peer in enumerate(peers))
        secure = []
        if self.scheme == "https":
            secure = ["--cert-file", self.path("pki/server.crt"),
                      "--key-file", self.path("pki/server.key"),
                      "--trusted-ca-file", self.path("pki/ca.crt"), "--client-cert-auth"]
        for index, url in enumerate(self.endpoints):
            if only and index not in only:
                continue
            log = open(self.path(f"m{index}.log"), "ab")
            self.processes[index] = subprocess.Popen(
                [self.program, "--name", f"m{index}", "--data-dir", self.path(f"m{index}"),
                 "--listen-client-urls", url, "--advertise-client-urls", url,
                 "--listen-peer-urls", peers[index], "--initial-advertise-peer-urls", peers[index],
                 "--initial-cluster", names, *secure, *self.flags], stdout=log, stderr=log)
            log.close()
        self.wait()

    def wait(self):
        def serves():
            done = self.etcdctl("endpoint", "health", check=False)
            # Where authentication is on, whoever says no is well.
            return done.code == 0 or "user name is empty" in done.err

        wait_for("etcd serves", serves, seconds=30)

    @property
    def url(self):
        return ",".join(self.endpoints)

    def client_files(self, prefix):
        """Flags for a client's files, as etcdctl and, with another beginning, Martlet have them."""
        if self.scheme == "http":
            return []
        return [part for flag, name in (("cacert", "ca.crt"), ("cert", "client.crt"),
                                        ("key", "client.key"))
                for part in (f"--{prefix}{flag}", self.path("pki/" + name))]

    @property
    def martlet_flags(self):
        return ["--store-endpoints", self.url, *self.client_files("store-")]

    def etcdctl(self, *arguments, input=None, check=True, endpoints=None):
        return run(
            [ETCDCTL, "--endpoints", endpoints or self.url, *self.client_files(""), *arguments],
            input=input, check=check, env={**os.environ, "ETCDCTL_API": "3"})

    def kill(self, index, how=signal.SIGKILL):
        self.processes[index].send_signal(how)
        self.processes[index].wait(timeout=20)

    def close(self):
        for process in self.processes:
            if process and process.poll() is None:
                process.kill()
                process.wait(timeout=20)
        shutil.rmtree(self.scratch, ignore_errors=True)
