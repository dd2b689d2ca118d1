"""Martlet beside itself: two builds, and one build with and without authentication."""

import json
import statistics
import time
import urllib.request

import bench_store
from bench_load import h2load, load
from bench_peer import BINARIES, Peer
from wire import field, put


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
