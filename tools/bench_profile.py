"""Where the servers' CPU goes under each load, and how far a server that costs nothing would get."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

import bench_store
from bench_load import filled, h2load, load
from bench_peer import BINARIES, TICKS, Peer, cpu_of_children
from wire import field, put

# What a library of the process is to a reader; the rest is ours, or NIO, which is linked in.
PARTS = (
    ("kernel", re.compile(r"kernel|vdso")),
    ("nghttp2", re.compile(r"nghttp2")),
    ("Swift runtime", re.compile(r"libswift")),
    ("allocator", re.compile(r"jemalloc")),
    ("C library", re.compile(r"libc\.|libm\.|ld-linux|libpthread")),
    ("LMDB", re.compile(r"lmdb")),
    ("zlib", re.compile(r"libz\.")),
)
KEY = b"/bench/000000000"


def loads(milliseconds):
    """Name, and a run of it on a cluster that answers how many requests there were."""
    count = 25 * milliseconds

    def shot(path, message, count):
        def once(peer):
            h2load(peer, path, message, count)
            return count
        return once

    def ours(workload, *size, **flags):
        return lambda peer: load(peer, workload, *size, **flags)["requests"]

    time_up = {"milliseconds": milliseconds}
    return [
        ("put 256 B", shot("Put", put(KEY, b"v" * 256), count)),
        ("linearizable get", shot("Range", field(1, KEY), 2 * count)),
        ("serializable get", shot("Range", field(1, KEY) + field(7, 1), 2 * count)),
        ("transaction of 8 compares and 8 puts", ours("transaction", 50, 2, **time_up)),
        ("event to one of 100 watchers", ours("watch", 10, 10, requests=milliseconds)),
        ("event to one of 10,000 watchers", ours(
            "watch", 100, 100, requests=milliseconds // 60)),
        ("keep-alive of a lease", ours("keep-alive", 10, 10, **time_up)),
        ("mixed, 1/8 reads, 256 B, 32 connections", ours(
            "mixed", 32, 1, reads=1, value_bytes=256, keys=1000, **time_up)),
        ("mixed, 7/8 reads, 256 B, 32 connections", ours(
            "mixed", 32, 1, reads=7, value_bytes=256, keys=1000, **time_up)),
        ("whole list of 10,000 keys", ours("list", 1, 1, keys=10_000, **time_up)),
    ]


def shares(data):
    """Part or thread -> its share of the samples, of what perf recorded."""
    report = subprocess.run(
        ["perf", "report", "-i", data, "--no-children", "-g", "none", "--sort", "comm,dso", "-t",
         ";"], capture_output=True, text=True, check=True)
    parts, threads = {}, {}
    for line in report.stdout.splitlines():
        if line.startswith("#") or line.count(";") < 2:
            continue
        percent, thread, library = (word.strip() for word in line.split(";")[:3])
        share = float(percent.rstrip("%"))
        name = next((part for part, pattern in PARTS if pattern.search(library)), "our code and NIO")
        parts[name] = parts.get(name, 0) + share
        thread = "event loops" if thread.startswith("NIO") else thread
        threads[thread] = threads.get(thread, 0) + share
    return parts, threads


def text(figures):
    """The larger ones, largest first."""
    ranked = sorted(figures.items(), key=lambda item: -item[1])
    return ", ".join(f"{name} {share:.0f} %" for name, share in ranked if share >= 2)


def one(peer, name, run):
    run(peer)
    data = tempfile.mktemp(prefix="martlet-profile-")
    # Not under perf, whose own work would count as the generator's.
    servers, generator = peer.cpu_seconds(), cpu_of_children()
    begun = time.monotonic()
    count = run(peer)
    wall = time.monotonic() - begun
    servers, generator = peer.cpu_seconds() - servers, cpu_of_children() - generator
    perf = subprocess.Popen(
        ["perf", "record", "-q", "-F", "500", "-o", data, "-p", ",".join(map(str, peer.pids()))],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        time.sleep(0.5)
        run(peer)
    finally:
        perf.terminate()
        perf.wait()
    try:
        parts, threads = shares(data)
    finally:
        os.unlink(data)
    bench_store.say(
        f"{name}: servers {1e6 * servers / count:.3g} us CPU, generator {1e6 * generator / count:.3g} us;"
        f" busy {100 * (servers + generator) / wall / os.cpu_count():.0f} % of the machine; if servers"
        f" cost nothing, {(servers + generator) / max(generator, 1 / TICKS):.1f} times as many requests")
    bench_store.say(f"  by part: {text(parts)}")
    bench_store.say(f"  by thread: {text(threads)}")


def run(arguments):
    for tool, package in (("perf", "linux-perf"), ("h2load", "nghttp2-client")):
        if not shutil.which(tool):
            sys.exit(f"{tool} is missing: apt-get install {package}")
    peer = Peer(arguments.kind, arguments.replicas, arguments.binary)
    try:
        filled(peer, 10_000)
        # For keep-alives.
        load(peer, "grant", 10, 10, requests=100, milliseconds=60_000)
        for name, load_once in loads(arguments.milliseconds):
            one(peer, name, load_once)
    finally:
        peer.close()
    if arguments.record:
        bench_store.record()


def add_command(commands):
    command = commands.add_parser("profile")
    command.add_argument("--kind", choices=("martlet", "etcd"), default="martlet")
    command.add_argument("--binary", default=BINARIES / "martlet")
    command.add_argument("--replicas", type=int, default=3)
    command.add_argument("--milliseconds", type=int, default=3000)
    command.add_argument("--record", action="store_true")
    command.set_defaults(run=run)
