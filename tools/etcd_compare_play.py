"""Commands of etcdctl and how they are given to a cluster; for tools/etcd-compare."""

import os
import pathlib
import re
import signal
import subprocess
import sys
import threading
import time

from etcd_compare_alike import readable

ROOT = pathlib.Path(__file__).resolve().parents[1]
MARTLET = ROOT / ".build" / "release" / "martlet"


class Step:
    """One command. `store` has patterns of what its output captures for later `{names}`; `differs`
    says why Martlet's answer may be another. `variables` are of its environment. With `bare` it
    has no --endpoints but its own."""

    def __init__(self, text, *, stdin=None, store=None, differs=None, everywhere=False, pause=0,
                 variables=None, bare=False):
        self.text, self.stdin, self.store = text, stdin, store
        self.differs, self.everywhere, self.pause = differs, everywhere, pause
        self.variables, self.bare = variables or {}, bare

    def texts(self):
        """Every command line in it."""
        return [self.text]


class Scene(Step):
    """Commands that run at once. Each move is the name of one of Play's functions and what it is
    called with."""

    def __init__(self, text, *moves, differs=None):
        super().__init__(text, differs=differs)
        self.moves = moves

    def texts(self):
        """Of its moves those that are commands are known by what they are called with."""
        return [word for move in self.moves for word in move[1:] if isinstance(word, str)]


def first_lines(text, count, differs=None):
    """A command that does not end by itself."""
    return Scene(f"{text} ({count} lines)", ("start", "it", text), ("lines", "it", count),
                 ("end", "it", "KILL"), differs=differs)


def in_formats(text, formats=("json", "fields", "table", "protobuf"), **rest):
    """The command in each of the formats."""
    return [Step(f"{text} -w {form}", **rest) for form in formats]


class Cluster:
    """Members, and what stands in for their names in outputs. `paths` are for commands too, and
    the same in both clusters."""

    def __init__(self, name, port, members, scratch, scheme="http", paths=None):
        self.name, self.scheme, self.processes = name, scheme, []
        self.endpoints = [f"127.0.0.1:{port + 10 * index}" for index in range(members)]
        self.peers = [f"127.0.0.1:{port + 10 * index + 1}" for index in range(members)]
        self.folder = f"{scratch}/files-of-{name}-{port}"
        self.values, self.paths = {}, {"folder": self.folder, **(paths or {})}
        os.mkdir(self.folder)

    def launch(self, *command):
        self.processes.append(subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))

    def urls(self):
        return ",".join(f"{self.scheme}://{endpoint}" for endpoint in self.endpoints)

    def ready(self, etcdctl):
        end = time.monotonic() + 30
        flags = self.paths["tls"].split() if self.scheme == "https" else []
        while time.monotonic() < end:
            done = subprocess.run(
                [etcdctl, "--endpoints", self.urls(), *flags, "endpoint", "health"],
                capture_output=True, env=environment())
            if done.returncode == 0:
                return
            time.sleep(0.2)
        sys.exit(f"{self.name} does not start")

    def stop(self):
        for process in self.processes:
            process.send_signal(signal.SIGTERM)
        for process in self.processes:
            process.wait(timeout=20)


def environment(**more):
    return {**os.environ, "ETCDCTL_API": "3", **more}


def start_etcd(etcd, port, scratch):
    cluster = Cluster("etcd", port, 3, scratch)
    peers = ",".join(f"replica-{i + 1}=http://{peer}" for i, peer in enumerate(cluster.peers))
    for index, endpoint in enumerate(cluster.endpoints):
        peer = f"http://{cluster.peers[index]}"
        cluster.launch(
            etcd, "--name", f"replica-{index + 1}", "--data-dir", f"{scratch}/etcd-{index}",
            "--listen-client-urls", f"http://{endpoint}",
            "--advertise-client-urls", f"http://{endpoint}", "--listen-peer-urls", peer,
            "--initial-advertise-peer-urls", peer, "--initial-cluster", peers,
            "--log-level", "error")
    return cluster


def start_martlet(port, scratch):
    cluster = Cluster("martlet", port, 3, scratch)
    cluster.launch(MARTLET, "up", "--data-dir", f"{scratch}/martlet", "--store-only",
                   "--plaintext", "--store-port", str(port))
    return cluster


def start_one(name, program, port, scratch, *flags, scheme="http", paths=None):
    """One member of either, by the same flags."""
    cluster = Cluster(name, port, 1, scratch, scheme, paths)
    peer = f"http://{cluster.peers[0]}"
    cluster.launch(
        *program, "--name", "replica-1", "--data-dir", f"{scratch}/one-{name}-{port}",
        "--listen-client-urls", cluster.urls(), "--advertise-client-urls", cluster.urls(),
        "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer,
        "--initial-cluster", f"replica-1={peer}", "--log-level", "error", *flags)
    return cluster


def words(text):
    """Splits as a shell does, single quotes alone."""
    return [word[1:-1] if word[:1] == "'" else word
            for word in re.findall(r"'[^']*'|\S+", text)]


def filled(cluster, text):
    if "{" not in text:
        return text
    return text.format(**cluster.values, **cluster.paths, endpoint=cluster.endpoints[0],
                       peer=cluster.peers[0])


def command_of(cluster, etcdctl, step):
    endpoints = cluster.urls() if cluster.scheme == "https" else ",".join(cluster.endpoints)
    if not step.everywhere:
        endpoints = endpoints.split(",")[0]
    return [etcdctl, *([] if step.bare else ["--endpoints", endpoints]),
            *words(filled(cluster, step.text))]


def keep(cluster, patterns, text):
    for name, pattern in (patterns or {}).items():
        found = re.search(pattern, text)
        cluster.values[name] = found[1] if found else "f" * 16


def give(cluster, etcdctl, step):
    if isinstance(step, Scene):
        return Play(cluster, etcdctl).perform(step)
    variables = {name: filled(cluster, value) for name, value in step.variables.items()}
    try:
        done = subprocess.run(
            command_of(cluster, etcdctl, step),
            input=None if step.stdin is None else filled(cluster, step.stdin).encode(),
            stdin=subprocess.DEVNULL if step.stdin is None else None,
            capture_output=True, timeout=30, env=environment(**variables))
    except subprocess.TimeoutExpired:
        # Which is never the same in both.
        return 124, f"{cluster.name} does not come to an end\n", ""
    out = readable(done.stdout, step.text)
    keep(cluster, step.store, out)
    return done.returncode, out, done.stderr.decode(errors="backslashreplace")


class Play:
    """A scene that is performed: its commands by name, and what was seen of them in the order in
    which it was asked for."""

    def __init__(self, cluster, etcdctl):
        self.cluster, self.etcdctl = cluster, etcdctl
        self.processes, self.seen, self.is_late = {}, [], False

    def perform(self, scene):
        timer = threading.Timer(20, self.give_up)
        timer.start()
        try:
            for move, *arguments in scene.moves:
                getattr(self, move)(*arguments)
        finally:
            timer.cancel()
            self.give_up()
        return 0, "".join(self.seen), ""

    def give_up(self):
        self.is_late = True
        for process in self.processes.values():
            process.kill()

    def start(self, name, text, variables=None):
        """Starts a command; what it says of errors is among its other lines."""
        self.processes[name] = subprocess.Popen(
            command_of(self.cluster, self.etcdctl, Step(text)), stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment(**variables or {}))

    def lines(self, name, count, store=None):
        """Waits for the next lines of a command."""
        got = []
        while len(got) < count and (line := self.processes[name].stdout.readline()):
            got.append(line.decode(errors="backslashreplace"))
        keep(self.cluster, store, "".join(got))
        self.seen += [f"{name}: {line}" for line in got]
        if self.is_late:
            # Which is never the same in both.
            self.seen.append(f"{self.cluster.name} lets {name} wait for line {len(got) + 1}\n")

    def message(self, name, end):
        """Waits for a message of protobuf whose last bytes are these."""
        got = b""
        while not got.endswith(end.encode()) and (byte := self.processes[name].stdout.read(1)):
            got += byte
        self.seen.append(f"{name}: {readable(got, '-w protobuf')}\n")

    def write(self, name, line):
        process = self.processes[name]
        try:
            process.stdin.write(line.encode() + b"\n")
            process.stdin.flush()
        except BrokenPipeError:
            self.seen.append(f"{name} has ended\n")

    def end(self, name, how=None):
        """Waits for the end of a command: after an interrupt or EOF, or by itself. One that is
        killed may have come further, or may just have ended by itself: that is chance."""
        process = self.processes[name]
        if how == "KILL":
            process.kill()
            process.wait()
            return
        if how == "INT":
            process.send_signal(signal.SIGINT)
        elif how == "EOF":
            process.stdin.close()
        self.lines(name, sys.maxsize)
        self.seen.append(f"{name}: exit {process.wait()}\n")

    def run(self, text, stdin=None, store=None, bare=False):
        code, out, err = give(self.cluster, self.etcdctl,
                              Step(text, stdin=stdin, store=store, bare=bare))
        self.seen.append(f"{text}: exit {code}\n{out}{err}")

    def silent(self, text, store):
        """For what it captures alone."""
        give(self.cluster, self.etcdctl, Step(text, store=store))

    def until(self, text, pattern, everywhere=False, bare=False):
        """Asks until the answer has the pattern; no answer is compared."""
        while not self.is_late:
            _, out, _ = give(self.cluster, self.etcdctl,
                             Step(text, everywhere=everywhere, bare=bare))
            if re.search(pattern, out):
                return
        self.seen.append(f"{self.cluster.name} does not have {pattern} in {text}\n")

    def fill(self, text, size):
        """Writes so much again and again until it is refused; how often is not compared."""
        code = 0
        while code == 0 and not self.is_late:
            code, _, err = give(self.cluster, self.etcdctl, Step(text, stdin="x" * size))
        self.seen.append(f"{text}: exit {code}\n{err}")
