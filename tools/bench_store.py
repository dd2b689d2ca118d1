"""The store under loads that memory has to stand: see tools/bench."""

import datetime
import os
import pathlib
import signal
import struct
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "Tests" / "EndToEnd"))
from cluster import Cluster  # noqa: E402
from wire import Connection, field, put, transaction  # noqa: E402

KV, WATCH = "/etcdserverpb.KV/", "/etcdserverpb.Watch/Watch"


def private_mb(pid):
    for line in open(f"/proc/{pid}/status"):
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) * 1024 / 1e6
    raise RuntimeError(f"no RssAnon for {pid}")


class Peak(threading.Thread):
    """The largest private memory of a process while this runs."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.pid, self.before, self.largest = pid, private_mb(pid), 0
        self.over = threading.Event()
        self.start()

    def run(self):
        while not self.over.wait(0.02):
            self.largest = max(self.largest, private_mb(self.pid))

    def stop(self):
        self.over.set()
        self.join()
        return self.largest


LINES = []


def say(line):
    print(line, flush=True)
    LINES.append(line)


def record():
    """Puts what was said into docs/PERFORMANCE.md, in the section of the command."""
    path = ROOT / "docs" / "PERFORMANCE.md"
    text = path.read_text()
    words = [word for word in sys.argv[1:] if not word.startswith("/")]
    name = " ".join(word for word in words[:2] if not word.startswith("-"))
    begin, end = f"<!-- tools/bench {name} -->\n", "<!-- end -->\n"
    before, rest = text.split(begin, 1)
    command = f"`tools/bench {' '.join(words)}`"
    entry = f"{command}, {datetime.date.today()}, {os.cpu_count()} cores:\n\n```\n"
    entry += "".join(line + "\n" for line in LINES) + "```\n"
    path.write_text(before + begin + entry + end + rest.split(end, 1)[1])


def verdict(value, goal):
    return "(goal met)" if value <= goal else "(GOAL MISSED)"


def plain_cluster(replicas):
    return Cluster(nodes=0, replicas=replicas, flags=["--store-only", "--plaintext"])


def keys_of(first, last):
    return (b"/registry/pods/namespace-%02d/pod-%010d" % (number % 100, number)
            for number in range(first, last))


def fill(port, keys, value_bytes, versions=1):
    """Writes keys through the wire, 128 in a transaction."""
    connection = Connection(port)

    def transactions():
        for version in range(versions):
            value = os.urandom(value_bytes)
            batch = []
            for key in keys_of(0, keys):
                batch.append(put(key, value))
                if len(batch) == 128 or len(batch) * value_bytes > 1_000_000:
                    yield transaction(batch)
                    batch = []
            if batch:
                yield transaction(batch)

    start = time.monotonic()
    connection.load(KV + "Txn", transactions(), at_once=8)
    connection.close()
    return keys * versions / (time.monotonic() - start)


def everything():
    return field(1, b"\0") + field(2, b"\0")


def large_list(arguments):
    """One answer with everything, read by a client that takes it as it comes."""
    cluster = plain_cluster(1)
    try:
        cluster.up()
        keys = arguments.megabytes * 1_000_000 // arguments.value_bytes
        fill(cluster.store_port, keys, arguments.value_bytes)
        pid = cluster.pid("replica-1")
        time.sleep(2)
        for name in ("quiet", "while it is written"):
            writing = threading.Event()
            writer = threading.Thread(target=write_until, args=(cluster.store_port, writing))
            if name != "quiet":
                writer.start()
            connection, peak = Connection(cluster.store_port), Peak(pid)
            start = time.monotonic()
            announced = bytearray()

            def keep(_, part):
                if len(announced) < 5:
                    announced.extend(part[:5 - len(announced)])

            size = connection.call(KV + "Range", everything(), keep)
            seconds = time.monotonic() - start
            added = peak.stop() - peak.before
            writing.set()
            if name != "quiet":
                writer.join()
            connection.close()
            if size != 5 + struct.unpack(">I", announced[1:])[0] or size < arguments.megabytes * 1e6:
                raise RuntimeError(f"an answer of {size} bytes")
            say(f"an unpaged list of {size / 1e6:.0f} MB, {keys} keys, {name}: {seconds:.1f} s,"
                f" private memory {peak.before:.0f} MB before, at most {added:.0f} MB added"
                f" {verdict(added, 100)}")
    finally:
        cluster.close()


def write_until(port, over):
    connection = Connection(port)
    number = 0
    while not over.is_set():
        number += 1
        connection.call(KV + "Put", put(b"/other/%d" % (number % 100), b"x" * 256))
        connection.ended.clear()
    connection.close()


def put_times(port, count, at_once):
    connection = Connection(port)
    value = os.urandom(1000)
    messages = (put(b"/watched/%d" % (number % 1000), value) for number in range(count))
    times = sorted(connection.load(KV + "Put", messages, at_once))
    connection.close()
    return 1000 * times[len(times) // 2], 1000 * times[len(times) * 99 // 100]


def stalled_watches(arguments):
    """Watch streams whose clients take nothing: some never read, some give no window back. Puts are
    timed without and with them in turns, because the file grows and snapshots are taken meanwhile."""
    cluster = plain_cluster(arguments.replicas)
    stalled = []
    try:
        cluster.up()
        pid = cluster.pid("replica-1")
        put_times(cluster.store_port, arguments.puts, 16)
        quiet, loaded, added = [], [], []
        for _ in range(arguments.rounds):
            quiet.append(put_times(cluster.store_port, arguments.puts, 16))
            time.sleep(1)
            before = private_mb(pid)
            peak = Peak(pid)
            stalled = stall(cluster.store_port, arguments.streams, arguments.connections)
            # Until each of them has been sent what it takes.
            time.sleep(2)
            loaded.append(put_times(cluster.store_port, arguments.puts, 16))
            added.append(peak.stop() - before)
            if any(has_ended(connection) for connection in stalled):
                raise RuntimeError("connections were closed")
            for connection in stalled:
                connection.close()
            stalled = []
        p50, p50_loaded, p99, p99_loaded = (
            sorted(one[which] for one in times)[len(times) // 2]
            for which in (0, 1) for times in (quiet, loaded))
        say(f"{arguments.streams} stalled watch streams on {arguments.connections} connections,"
            f" {arguments.rounds} rounds of {arguments.puts} puts of 1 kB without and with them:"
            f" private memory {before:.0f} MB before, at most {max(added):.0f} MB added"
            f" {verdict(max(added), 64)}; put p50 {p50:.1f} ms without and {p50_loaded:.1f} with, p99"
            f" {p99:.1f} without and {p99_loaded:.1f} with, {p99_loaded / p99:.2f}x"
            f" {verdict(p99_loaded / p99, 1.2)}")
    finally:
        for connection in stalled:
            connection.close()
        cluster.close()


def stall(port, streams, connections):
    """Half of the connections have windows so large that only the socket holds them up."""
    watch = field(1, field(1, b"/watched/") + field(2, b"/watched0") + field(3, 1))
    stalled = []
    for number in range(connections):
        connection = Connection(port, 65535 if number % 2 else 1 << 30)
        for _ in range(streams // connections):
            connection.begin(WATCH, watch, ends=False)
        stalled.append(connection)
    return stalled


def has_ended(connection):
    connection.socket.setblocking(False)
    try:
        return connection.socket.recv(1, 2) == b""  # MSG_PEEK
    except BlockingIOError:
        return False
    except ConnectionError:
        return True


def many_keys(arguments):
    """Keys in several versions, and what their store keeps in memory."""
    cluster = plain_cluster(arguments.replicas)
    try:
        cluster.up()
        pids = [cluster.pid(f"replica-{number + 1}") for number in range(arguments.replicas)]
        peaks = [Peak(pid) for pid in pids]
        rate = fill(cluster.store_port, arguments.keys, arguments.value_bytes, arguments.versions)
        largest = max(peak.stop() for peak in peaks)
        after = max(private_mb(pid) for pid in pids)
        say(f"{arguments.keys} keys x {arguments.versions} versions of {arguments.value_bytes} B,"
              f" {arguments.replicas} replicas, {rate:.0f} writes a second: private memory of the"
              f" largest server {largest:.0f} MB at most, {after:.0f} MB afterwards"
              f" {verdict(largest, 150)}")
        if arguments.name == "reopen":
            restart(cluster)
    finally:
        cluster.close()


def restart(cluster):
    cluster.kill_everything()
    start = time.monotonic()
    cluster.up(seconds=120)
    connection = Connection(cluster.store_port)
    connection.call(KV + "Range", field(1, next(keys_of(0, 1))))
    connection.call(KV + "Put", put(b"/after", b"1"))
    seconds = time.monotonic() - start
    connection.close()
    say(f"killed and started again, served and written after {seconds:.2f} s"
          f" {verdict(seconds, 1)}")


def leases(arguments):
    """Leases with a key each that end at once: their replica is stopped until their time is up."""
    cluster = plain_cluster(1)
    try:
        cluster.up()
        count = arguments.leases
        seconds, slowest = end_leases(
            cluster.store_port, [cluster.pid("replica-1")], count, arguments.ttl)
        say(f"{count} leases with a key each ended at once: all keys are gone after {seconds:.2f} s"
              f" {verdict(seconds, 3)}; the slowest linearizable read meanwhile took"
              f" {1000 * slowest:.0f} ms")
    finally:
        cluster.close()


def end_leases(port, pids, count, ttl):
    """Seconds until the keys of all leases are gone, and those of the slowest read meanwhile. The
    servers, of which the leader is first, stand still until the time of the leases is up; the leader
    goes on first."""
    connection = Connection(port)
    start = time.monotonic()
    grants = (field(1, ttl) + field(2, number) for number in range(1, count + 1))
    connection.load("/etcdserverpb.Lease/LeaseGrant", grants, at_once=200)
    puts = [put(b"/leased/%07d" % number, b"1", number) for number in range(1, count + 1)]
    batches = (transaction(puts[first:first + 128]) for first in range(0, count, 128))
    connection.load(KV + "Txn", batches, at_once=8)
    connection.ended.clear()
    if time.monotonic() - start > ttl or leased(connection) != count:
        raise RuntimeError("leases ended before all were granted: give a longer --ttl")
    for pid in reversed(pids):
        os.kill(pid, signal.SIGSTOP)
    time.sleep(ttl + 1)
    for pid in pids:
        os.kill(pid, signal.SIGCONT)
    start, slowest = time.monotonic(), 0
    while True:
        asked = time.monotonic()
        left = leased(connection)
        slowest = max(slowest, time.monotonic() - asked)
        if left == 0:
            break
        time.sleep(0.02)
    connection.close()
    return time.monotonic() - start, slowest


def leased(connection):
    """Keys of leases that are left."""
    answer = bytearray()
    request = field(1, b"/leased/") + field(2, b"/leased0") + field(9, 1)
    connection.call(KV + "Range", request, lambda _, part: answer.extend(part))
    # Behind the header, which comes first, the count is the only field.
    rest = answer[7 + answer[6]:]
    count = 0
    for place, byte in enumerate(rest[1:]):
        count |= (byte & 0x7F) << 7 * place
    return count


def add_commands(commands):
    command = commands.add_parser("list")
    command.add_argument("--megabytes", type=int, default=1000)
    command.add_argument("--value-bytes", type=int, default=1000)
    command.set_defaults(run=large_list)
    command = commands.add_parser("watch-stalled")
    command.add_argument("--streams", type=int, default=1000)
    command.add_argument("--connections", type=int, default=10)
    command.add_argument("--puts", type=int, default=10_000)
    command.add_argument("--replicas", type=int, default=1)
    command.add_argument("--rounds", type=int, default=5)
    command.set_defaults(run=stalled_watches)
    for name, keys, versions in (("keys", 1_000_000, 5), ("reopen", 10_000_000, 1)):
        command = commands.add_parser(name)
        command.add_argument("--keys", type=int, default=keys)
        command.add_argument("--versions", type=int, default=versions)
        command.add_argument("--value-bytes", type=int, default=256)
        command.add_argument("--replicas", type=int, default=1)
        command.set_defaults(run=many_keys)
    command = commands.add_parser("leases")
    command.add_argument("--leases", type=int, default=100_000)
    command.add_argument("--ttl", type=int, default=60)
    command.set_defaults(run=leases)
    for name in ("list", "watch-stalled", "keys", "reopen", "leases"):
        commands.choices[name].add_argument("--record", action="store_true")
