"""A store under more than it can do, in memory that is small: see tools/bench."""

import multiprocessing
import os
import pathlib
import struct
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "Tests" / "EndToEnd"))
from bench_store import KV, everything, fill, private_mb, say, verdict  # noqa: E402
from prometheus import Metrics  # noqa: E402
from test_etcd_flags import EtcdFlagsTests, Members  # noqa: E402
from wire import DATA, Broken, Connection, field, put  # noqa: E402

LEASE = "/etcdserverpb.Lease/"
CONTROL_GROUPS = pathlib.Path("/sys/fs/cgroup/memory")


class ControlGroup:
    """A memory control group of version 1, which processes enter before they begin."""

    def __init__(self, number, megabytes):
        self.path = CONTROL_GROUPS / f"martlet-bench-{os.getpid()}-{number}"
        self.path.mkdir()
        (self.path / "memory.limit_in_bytes").write_text(str(megabytes << 20))

    def enter(self):
        (self.path / "cgroup.procs").write_text(str(os.getpid()))

    def number(self, name):
        return int((self.path / name).read_text())

    def remove(self):
        self.path.rmdir()


def keep_alives(connection, lease, stop, times):
    """One keep-alive after another on one stream, 50 ms apart, and how long each took."""
    message = field(1, lease)
    framed = b"\x00" + struct.pack(">I", len(message)) + message
    stream = connection.begin(LEASE + "LeaseKeepAlive", message, ends=False)
    while not connection.received[stream]:
        connection.read()
    while not stop():
        before, start = connection.received[stream], time.monotonic()
        connection.socket.sendall(connection.frame(DATA, 0, stream, framed))
        while connection.received[stream] == before:
            connection.read()
        times.append(1000 * (time.monotonic() - start))
        time.sleep(0.05)


def flood(port, path, message, at_once, seconds, done):
    """Calls of one kind, as many under way as the server takes, refused or not."""
    # The flood comes from elsewhere: it must not take the servers' processors.
    os.nice(15)
    good = refused = broken = taken = 0
    end = time.monotonic() + seconds

    def keep(_, part):
        nonlocal taken
        taken += len(part)

    while time.monotonic() < end:
        try:
            connection, under_way = Connection(port), set()
            while time.monotonic() < end:
                while len(under_way) < at_once:
                    under_way.add(connection.begin(path, message))
                connection.read(keep)
                for stream in [stream for stream in under_way if stream in connection.ended]:
                    under_way.discard(stream)
                    if connection.ended.pop(stream):
                        good += 1
                    else:
                        refused += 1
                    connection.received.pop(stream, None)
            connection.close()
        except (Broken, OSError):
            broken += 1
            time.sleep(0.05)
    done.put((path.rsplit("/", 1)[1], good, refused, broken, taken))


def run(arguments):
    if not os.access(CONTROL_GROUPS, os.W_OK):
        sys.exit("needs root and the memory control groups of version 1")
    groups = [ControlGroup(number, arguments.megabytes) for number in (1, 2, 3)]
    members = Members(before={number: groups[number - 1].enter for number in (1, 2, 3)})
    try:
        members.start_all()
        ports = [members.first + 3 * index for index in range(3)]
        fill(ports[0], 60_000, 1000)
        lease = int(members.ctl("lease", "grant", "3600").out.split()[1], 16)
        measure(arguments, members, ports, lease, "quiet", flooded=False)
        measure(arguments, members, ports, lease, "flooded", flooded=True)
        for number, group in enumerate(groups, 1):
            pid = members.processes[number].pid
            alive = members.processes[number].poll() is None
            say(f"member {number}: {'lives' if alive else 'DIED'}, private memory"
                f" {private_mb(pid) if alive else 0:.0f} MB, at most"
                f" {group.number('memory.max_usage_in_bytes') >> 20} MiB of"
                f" {arguments.megabytes} MiB with cached pages")
            metrics = Metrics(EtcdFlagsTests.get(members.metrics_port(number), "/metrics")[1])
            say(f"member {number}: {metrics.value('etcd_server_leader_changes_seen_total'):.0f}"
                " leaders seen,"
                f" {metrics.value('etcd_server_heartbeat_send_failures_total'):.0f} late heartbeats")
    finally:
        members.close()
        for group in groups:
            group.remove()


def measure(arguments, members, ports, lease, name, flooded):
    end = time.monotonic() + arguments.seconds
    done, workers = multiprocessing.Queue(), []
    if flooded:
        value = os.urandom(200_000)
        for index, port in enumerate(ports):
            workers += [
                multiprocessing.Process(target=flood, args=(
                    port, KV + "Range", everything(), 20, arguments.seconds, done)),
                multiprocessing.Process(target=flood, args=(
                    port, KV + "Put", put(b"flood/%d" % index, value), 64, arguments.seconds, done))]
    for worker in workers:
        worker.start()
    times = []
    try:
        keep_alives(Connection(ports[0]), lease, lambda: time.monotonic() > end, times)
    except (Broken, OSError) as error:
        say(f"keep-alives BROKE OFF: {error}")
    counts = [done.get(timeout=60) for _ in workers]
    for worker in workers:
        worker.join()
    times.sort()
    at = lambda percent: times[min(len(times) - 1, len(times) * percent // 100)]  # noqa: E731
    say(f"{name}: {len(times)} keep-alives, p50 {at(50):.1f} ms, p99 {at(99):.1f} ms,"
        f" longest {times[-1]:.1f} ms {verdict(at(99), 100)}")
    for kind in sorted({count[0] for count in counts}):
        sums = [sum(count[place] for count in counts if count[0] == kind) for place in (1, 2, 3, 4)]
        say(f"  {kind}: {sums[0]} answered whole, {sums[1]} refused, {sums[2]} connections broken,"
            f" {sums[3] / 1e6:.0f} MB taken")


def add_command(commands):
    command = commands.add_parser("flood")
    command.add_argument("--seconds", type=int, default=20)
    command.add_argument("--megabytes", type=int, default=512)
    command.add_argument("--record", action="store_true")
    command.set_defaults(run=run)
