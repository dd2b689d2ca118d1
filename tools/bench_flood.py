"""A store under more than it can do, in memory that is small: see tools/bench."""

import multiprocessing
import os
import pathlib
import struct
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "Tests" / "EndToEnd"))
from bench_store import KV, everything, fill, private_mb, say, verdict  # noqa: E402
from prometheus import Metrics  # noqa: E402
from test_etcd_flags import EtcdFlagsTests, Members  # noqa: E402
from wire import DATA, Broken, Connection, field, fields, put  # noqa: E402

LEASE = "/etcdserverpb.Lease/"
LEASE_SECONDS = 5


def control_groups():
    """Where memory control groups can be made and their version, or None and why they cannot."""
    reasons = []
    for line in open("/proc/mounts"):
        _, place, kind, options = line.split()[:4]
        path = pathlib.Path(place)
        if kind == "cgroup" and "memory" in options.split(","):
            if os.access(path, os.W_OK):
                return path, 1
            reasons.append(f"{path} cannot be written to")
        elif kind == "cgroup2":
            reason = enable_memory(path)
            if reason is None:
                return path, 2
            reasons.append(reason)
    return None, "no memory control groups: " + ("; ".join(reasons) or "none are mounted")


def enable_memory(path):
    """Lets groups below a tree of version 2 have memory limits; answers why they cannot."""
    try:
        if "memory" not in (path / "cgroup.controllers").read_text().split():
            return f"{path} does not have the memory controller"
        switches = path / "cgroup.subtree_control"
        if "memory" not in switches.read_text().split():
            switches.write_text("+memory")
    except OSError as error:
        return f"{path}: {error.strerror}"
    return None if os.access(path, os.W_OK) else f"{path} cannot be written to"


class ControlGroup:
    """A memory control group, which processes enter before they begin."""

    # By version: the limit, the most that was used, and what a kill for memory is counted in.
    FILES = {1: ("memory.limit_in_bytes", "memory.max_usage_in_bytes", "memory.oom_control"),
             2: ("memory.max", "memory.peak", "memory.events")}

    def __init__(self, number, megabytes):
        folder, version = control_groups()
        if folder is None:
            raise RuntimeError(version)
        limit, self.peak, self.kills = self.FILES[version]
        self.path = folder / f"martlet-bench-{os.getpid()}-{number}"
        self.path.mkdir()
        (self.path / limit).write_text(str(megabytes << 20))
        # Where there is swap, it would hide what does not fit; version 1's limit leaves it alone.
        swap = self.path / "memory.swap.max"
        if swap.exists():
            swap.write_text("0")

    def enter(self):
        (self.path / "cgroup.procs").write_text(str(os.getpid()))

    def most_bytes(self):
        """None where the kernel does not count it (version 2 before Linux 5.19)."""
        path = self.path / self.peak
        return int(path.read_text()) if path.exists() else None

    def killed(self):
        """How many processes were killed for memory."""
        for line in (self.path / self.kills).read_text().splitlines():
            name, value = line.split()
            if name == "oom_kill":
                return int(value)
        return 0

    def remove(self):
        self.path.rmdir()


class Keeper(threading.Thread):
    """Keeps a lease alive through one member: one keep-alive after another on one stream, 50 ms
    apart. Says how long each took, and how many found the lease gone."""

    def __init__(self, port, lease, stop):
        super().__init__(daemon=True)
        self.port, self.lease, self.stop = port, lease, stop
        self.times, self.gone, self.error = [], 0, None

    def run(self):
        try:
            self.keep()
        except (Broken, OSError) as error:
            self.error = error

    def keep(self):
        connection, answers = Connection(self.port), bytearray()
        message = field(1, self.lease)
        framed = b"\x00" + struct.pack(">I", len(message)) + message
        stream = connection.begin(LEASE + "LeaseKeepAlive", message, ends=False)

        def answer():
            while len(answers) < 5 or len(answers) < 5 + int.from_bytes(answers[1:5], "big"):
                if stream in connection.ended:
                    raise Broken(f"the stream ended: {connection.headers}")
                connection.read(lambda _, part: answers.extend(part))
            end = 5 + int.from_bytes(answers[1:5], "big")
            # Without a time to live there is no such lease.
            self.gone += 3 not in fields(bytes(answers[5:end]))
            del answers[:end]

        answer()
        while not self.stop():
            start = time.monotonic()
            connection.socket.sendall(connection.frame(DATA, 0, stream, framed))
            answer()
            self.times.append(1000 * (time.monotonic() - start))
            time.sleep(0.05)
        connection.close()


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
    folder, reason = control_groups()
    if folder is None:
        sys.exit(str(reason))
    groups = [ControlGroup(number, arguments.megabytes) for number in (1, 2, 3)]
    members = Members(before={number: groups[number - 1].enter for number in (1, 2, 3)})
    try:
        members.start_all()
        ports = [members.first + 3 * index for index in range(3)]
        fill(ports[0], 60_000, 1000)
        measure(arguments, members, ports, "quiet", flooded=False)
        measure(arguments, members, ports, "flooded", flooded=True)
        for number, group in enumerate(groups, 1):
            pid = members.processes[number].pid
            alive = members.processes[number].poll() is None
            most, killed = group.most_bytes(), group.killed()
            say(f"member {number}: {'lives' if alive and not killed else 'DIED'}, private memory"
                f" {private_mb(pid) if alive else 0:.0f} MB, at most"
                f" {'?' if most is None else most >> 20} MiB of"
                f" {arguments.megabytes} MiB with cached pages")
            say(f"member {number}: {leaders_seen(members, number):.0f} leaders seen,"
                f" {late_heartbeats(members, number):.0f} late heartbeats")
    finally:
        members.close()
        for group in groups:
            group.remove()


def metric(members, number, name):
    return Metrics(EtcdFlagsTests.get(members.metrics_port(number), "/metrics")[1]).value(name)


def leaders_seen(members, number):
    return metric(members, number, "etcd_server_leader_changes_seen_total")


def late_heartbeats(members, number):
    return metric(members, number, "etcd_server_heartbeat_send_failures_total")


def held_lease(members):
    """A lease that ends soon unless it is kept alive, and its key."""
    lease = members.ctl("lease", "grant", str(LEASE_SECONDS)).out.split()[1]
    members.ctl("put", f"held/{lease}", "1", "--lease", lease)
    return int(lease, 16), f"held/{lease}"


def measure(arguments, members, ports, name, flooded):
    leases = [held_lease(members) for _ in ports]
    before = [(leaders_seen(members, number), late_heartbeats(members, number))
              for number in (1, 2, 3)]
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
    # Until all that the flood left is done with.
    keepers = [Keeper(port, lease, lambda: time.monotonic() > end and not any(
        worker.is_alive() for worker in workers)) for port, (lease, _) in zip(ports, leases)]
    for keeper in keepers:
        keeper.start()
    counts = [done.get(timeout=arguments.seconds + 60) for _ in workers]
    for thing in workers + keepers:
        thing.join()
    for number, keeper in enumerate(keepers, 1):
        if keeper.error:
            say(f"keep-alives through member {number} BROKE OFF: {keeper.error}")
    times = sorted(keepers[0].times) or [float("inf")]
    at = lambda percent: times[min(len(times) - 1, len(times) * percent // 100)]  # noqa: E731
    say(f"{name}: {len(times)} keep-alives, p50 {at(50):.1f} ms, p99 {at(99):.1f} ms,"
        f" longest {times[-1]:.1f} ms {verdict(at(99), 100)}")
    lives = sum(keeper.gone == 0 and key in members.ctl("get", key).out
                for keeper, (_, key) in zip(keepers, leases))
    changes = max(leaders_seen(members, number) - before[number - 1][0] for number in (1, 2, 3))
    late = sum(late_heartbeats(members, number) - before[number - 1][1] for number in (1, 2, 3))
    say(f"  {lives} of 3 leases of {LEASE_SECONDS} s live that were kept alive through a member"
        f" each; {changes:.0f} changes of the leader, {late:.0f} late heartbeats")
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
