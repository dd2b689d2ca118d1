"""Martlet and a real etcd under the same load, in turns: see tools/bench store."""

import contextlib
import dataclasses
import shutil
import sys
import time

from bench_load import VALUE_BYTES, filled, h2load, load
from bench_peer import BINARIES, PeakMemory, Peer
from bench_store import end_leases
from bench_table import KINDS, SECTIONS, Table, record
from wire import Broken, Connection, field, put


@dataclasses.dataclass
class Plan:
    """How large a section is."""

    members: int
    rounds: int
    milliseconds: int
    scale: float

    def count(self, whole):
        """Of keys or leases; a small share of them tries the script out."""
        return max(100, round(whole * self.scale))

    def text(self):
        members = "1 member" if self.members == 1 else f"{self.members} members"
        rounds = "1 round" if self.rounds == 1 else f"{self.rounds} rounds"
        scale = "" if self.scale == 1 else f", {self.scale} of the keys and leases: nothing counts"
        return f"{members} of each, {rounds} in turns{scale}"


def compare(table, plan, part, prepare=None):
    """Both clusters at once, loaded in turns."""
    with contextlib.ExitStack() as stack:
        peers = [stack.enter_context(contextlib.closing(Peer(kind, plan.members)))
                 for kind in KINDS]
        for peer in peers:
            if prepare:
                prepare(peer)
        for _ in range(plan.rounds):
            for peer in peers:
                part(table, peer, plan)


def rates(table, peer, name, report, goal, p99_goal=None):
    table.add(peer.kind, f"{name}, requests/s", report["per_second"], "more", goal, report)
    if p99_goal:
        table.add(peer.kind, f"{name}, p99 ms", report["p99_ms"], "less", p99_goal, report)


def throughput(table, peer, plan):
    """Puts, gets and transactions: one round on one cluster."""
    time_up = {"milliseconds": plan.milliseconds}
    count = 20 * plan.milliseconds
    key = b"/bench/000000000"
    report = h2load(peer, "Put", put(key, b"v" * VALUE_BYTES), count)
    rates(table, peer, "put 256 B, h2load 50x20", report, 4)
    table.add(peer.kind, "server CPU ms per put", report["cpu"], "less", 0.25)
    report = h2load(peer, "Range", field(1, key), 2 * count)
    rates(table, peer, "linearizable get, h2load 50x20", report, 4)
    table.add(peer.kind, "server CPU ms per get", report["cpu"], "less", 0.25)
    report = h2load(peer, "Range", field(1, key) + field(7, 1), 2 * count)
    rates(table, peer, "serializable get, h2load 50x20", report, 4)
    rates(table, peer, "put 256 B, random keys 50x20", load(peer, "put", **time_up), 4, 0.4)
    report = load(peer, "put", 1, 1, **time_up)
    table.add(peer.kind, "put, one client, p50 ms", report["p50_ms"], "less", 0.8, report)
    rates(table, peer, "linearizable get, random keys 50x20", load(peer, "get", **time_up), 4)
    rates(table, peer, "serializable get, random keys 50x20",
          load(peer, "get-serializable", **time_up), 4)
    rates(table, peer, "transaction of 8 compares and 8 puts, 50x2",
          load(peer, "transaction", 50, 2, **time_up), 3)


HEAT = [(reads, size, connections)
        for reads in (1, 4, 7) for size in (256, 2048, 16384) for connections in (32, 256)]


def heat(table, peer, plan):
    for reads, size, connections in HEAT:
        report = load(peer, "mixed", connections, 1, milliseconds=plan.milliseconds // 2,
                      reads=reads, value_bytes=size, keys=1000)
        rates(table, peer, f"mixed, {reads}/8 reads, {size} B, {connections} connections", report,
              1.2)


def watches(table, peer, _):
    for connections, watchers, events in ((10, 10, 2000), (100, 100, 40)):
        report = load(peer, "watch", connections, watchers, requests=events)
        name = f"{connections * watchers} watchers on one prefix"
        table.add(peer.kind, f"{name}, events/s", report["per_second"], "more", 3, report)
        table.add(peer.kind, f"{name}, p99 ms", report["p99_ms"], "less", 0.5, report)


def lists(table, peer, plan):
    """All keys of 100,000: whole, in pages, and as a stream, which etcd 3.5 does not have."""
    memory = PeakMemory(peer)
    streaming = "list-stream" if peer.kind == "martlet" else "list"
    keys = plan.count(100_000)
    for name, workload, page in (("whole", "list", 0), ("in pages of 1,000", "list", 1000),
                                 ("streamed (etcd: whole)", streaming, 0)):
        report = load(peer, workload, 1, 1, milliseconds=3 * plan.milliseconds, keys=keys,
                      page=page)
        if page:
            count_whole(report, -(-keys // page))
        table.add(peer.kind, f"list of 100,000 keys {name}, MB/s",
                  report["bytes"] / 1e6 / report["seconds"], "more", 3, report)
    table.add(peer.kind, "private memory that lists add at most, MB", memory.added(), "less", 0.2)
    # etcd's heap has mostly grown to what lists need while the keys were written.
    table.add(peer.kind, "private memory at most, lists among it, MB", memory.most, "less", 0.2)


def count_whole(report, pages):
    """A list is one of so many pages, each of which was a request."""
    report["per_second"] /= pages
    for name in ("cpu", "generator"):
        report[name] *= pages


def keep_alives(table, peer, plan):
    report = load(peer, "keep-alive", 10, 10, milliseconds=plan.milliseconds)
    rates(table, peer, "lease keep-alive, 10x10", report, 3)


def storm(table, peer, plan):
    """100,000 leases with a key each whose time is up at once: the servers are stopped until then.
    If another one leads afterwards, it has given the leases time anew, and the round counts for
    nothing."""
    for _ in range(3):
        leader, pids = peer.leader(), peer.pids()
        pids.insert(0, pids.pop(leader))
        seconds, _ = end_leases(peer.port + 10 * leader, pids, plan.count(100_000),
                                120 if plan.scale == 1 else 10)
        if peer.leader() == leader:
            table.add(peer.kind, "100,000 leases end at once, s", seconds, "less", 0.1)
            return
        print(f"{peer.kind} changed its leader while its servers were stopped: again",
              file=sys.stderr)
    raise RuntimeError(f"{peer.kind} does not keep its leader while its servers are stopped")


def leases(table, plan):
    compare(table, plan, keep_alives,
            lambda peer: load(peer, "grant", 10, 10, requests=100, milliseconds=60_000))
    compare(table, plan, storm)


def gaps(table, peer, _):
    """The longest time without an acknowledged write when the leader is killed. The client is
    connected to a follower, and begins a write every 5 ms whatever became of those before."""
    leader, revision = peer.leader(), peer.revision()
    connection = Connection(peer.port + 10 * ((leader + 1) % peer.replicas))
    try:
        seconds, begun, acknowledged = gap(connection, lambda: peer.lose(leader))
    finally:
        connection.close()
    peer.mend(leader)
    time.sleep(2)
    # Of those that were not acknowledged some may have been made.
    moved = peer.revision() - revision
    if not acknowledged <= moved <= begun:
        raise RuntimeError(f"{acknowledged} acknowledged writes of {begun} moved the revision of"
                           f" {peer.kind} by {moved}")
    table.add(peer.kind, "write gap when the leader is killed, s", seconds, "less", 0.5)


def gap(connection, lose):
    """The longest gap in seconds, and how many writes were begun and acknowledged."""
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
    return max(after - before for before, after in zip(times, times[1:])), number, len(times)


def memory(table, plan):
    """Each round with a cluster of its own, because a store keeps what memory it took."""
    for _ in range(plan.rounds):
        for kind in KINDS:
            with contextlib.closing(Peer(kind, plan.members)) as peer:
                filled(peer, plan.count(1_000_000), versions=5)
                table.add(kind, "private memory with 1 M keys x 5 versions, MB", peer.private_mb(),
                          "less", 0.2)


def start(table, plan):
    """Both are filled once, and only the one that is measured runs; every start is from kill -9."""
    with contextlib.ExitStack() as stack:
        peers = []
        for kind in KINDS:
            peer = stack.enter_context(contextlib.closing(Peer(kind, plan.members)))
            filled(peer, plan.count(5_000_000))
            peers.append((peer, peer.revision()))
            peer.kill()
        for _ in range(plan.rounds):
            for peer, revision in peers:
                begun = time.monotonic()
                peer.start()
                seconds = time.monotonic() - begun
                if peer.revision() != revision:
                    raise RuntimeError(f"{peer.kind} starts at {peer.revision()}, not {revision}")
                table.add(peer.kind, "start with 5 M keys to the first answer, s", seconds, "less",
                          0.1)
                peer.kill()


RUNS = {
    "throughput": lambda table, plan: compare(
        table, plan, throughput, lambda peer: filled(peer, 10_000)),
    "watch": lambda table, plan: compare(table, plan, watches),
    "list": lambda table, plan: compare(
        table, plan, lists, lambda peer: filled(peer, plan.count(100_000))),
    "heat": lambda table, plan: compare(table, plan, heat, lambda peer: filled(peer, 1000)),
    "leases": leases,
    "gap": lambda table, plan: compare(table, plan, gaps),
    "memory": memory,
    "start": start,
}
# Sections that write millions of keys have rounds of their own.
LONG = ("memory", "start")


def plan_of(section, arguments):
    members = arguments.members or (1 if section == "list" else 3)
    if section == "gap":
        # Two of them have to go on.
        members = max(3, members)
    rounds = arguments.long_rounds if section in LONG else arguments.rounds
    return Plan(members, rounds, arguments.milliseconds, arguments.scale)


def run(arguments):
    for product in ("martlet", "store-bench"):
        if not (BINARIES / product).exists():
            sys.exit(f"first: swift build -c release --product {product}")
    if not shutil.which("h2load"):
        sys.exit("h2load is missing: apt-get install nghttp2-client")
    if arguments.record and arguments.scale != 1:
        sys.exit("--scale is for trying out: its figures are not recorded")
    table, lines = Table(), {}
    for section in SECTIONS:
        if arguments.only and section not in arguments.only:
            continue
        table.section, plan = section, plan_of(section, arguments)
        RUNS[section](table, plan)
        lines[section] = [plan.text(), *table.lines(section)]
        print(*lines[section], sep="\n", flush=True)
        # At once: what a later section breaks off with does not take this one along.
        if arguments.record:
            record(table, lines, sys.argv[2:])


def add_command(commands):
    command = commands.add_parser("store")
    command.add_argument("--rounds", type=int, default=5)
    command.add_argument("--long-rounds", type=int, default=3, help="of " + " and ".join(LONG))
    command.add_argument("--members", type=int, help="of each cluster; 3 by default, 1 for list")
    command.add_argument("--milliseconds", type=int, default=2000)
    command.add_argument("--only", action="append", choices=SECTIONS)
    command.add_argument("--record", action="store_true")
    command.add_argument("--scale", type=float, default=1,
                         help="share of the keys and leases, to try this out")
    command.set_defaults(run=run)
