"""The two load generators, h2load and our own client, and what makes their figures count."""

import json
import re
import struct
import subprocess
import tempfile

from bench_peer import BINARIES, cpu_of_children

# Of the values that the loads write and read back, unless they say more.
VALUE_BYTES = 256
# What is counted where it is not requests.
UNITS = {"watch": "events", "list": "lists", "list-stream": "lists"}


def load(peer, workload, connections=50, streams=20, milliseconds=3000, **flags):
    """One run of our own client: its report, with the servers' CPU seconds for 1,000 requests, and
    its own."""
    command = [BINARIES / "store-bench", "--endpoint", peer.endpoint(), "--workload", workload,
               "--connections", str(connections), "--streams", str(streams),
               "--milliseconds", str(milliseconds)]
    for name, value in flags.items():
        command += ["--" + name.replace("_", "-"), str(value)]
    revision = peer.revision()
    servers, own = peer.cpu_seconds(), cpu_of_children()
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=600 + milliseconds / 1000)
    own, servers = cpu_of_children() - own, peer.cpu_seconds() - servers
    if done.returncode != 0:
        raise RuntimeError(f"{workload} on {peer.kind}: {done.stderr[:500]}")
    report = json.loads(done.stdout)
    check(report, workload, peer.kind, peer.revision() - revision)
    report["unit"] = UNITS.get(workload, "requests")
    report["cpu"] = 1000 * servers / report["requests"]
    report["generator"] = 1000 * own / report["requests"]
    return report


def check(report, workload, kind, moved):
    """Each request was answered well; each write, and nothing else, moved the revision by one."""
    if report["failed"] or not report["requests"]:
        raise RuntimeError(f"{workload} on {kind}: {report}")
    if moved != report["writes"]:
        raise RuntimeError(f"{workload}: {report['writes']} acknowledged writes moved the revision"
                           f" of {kind} by {moved}")
    reads = report["requests"] - report["writes"]
    if workload in ("get", "get-serializable", "mixed") and report["bytes"] < reads * VALUE_BYTES:
        raise RuntimeError(f"{workload}: {reads} answers of {kind} without values:"
                           f" {report['bytes']} bytes")


def h2load(peer, path, message, count, connections=50, streams=20):
    """One run of h2load: requests a second, and the servers' CPU seconds for 1,000."""
    with tempfile.NamedTemporaryFile() as body:
        body.write(b"\0" + struct.pack(">I", len(message)) + message)
        body.flush()
        endpoint, revision = peer.endpoint(), peer.revision()
        servers, own = peer.cpu_seconds(), cpu_of_children()
        done = subprocess.run(
            ["h2load", "-n", str(count), "-c", str(connections), "-m", str(streams), "-t", "1",
             "-H", "content-type: application/grpc", "-H", "te: trailers", "-d", body.name,
             f"http://{endpoint}/etcdserverpb.KV/{path}"],
            capture_output=True, text=True, timeout=600)
        own, servers = cpu_of_children() - own, peer.cpu_seconds() - servers
    rate = re.search(r"finished in [^,]*, ([0-9.]+) req/s", done.stdout)
    answered = re.search(r"status codes: (\d+) 2xx", done.stdout)
    if not rate or int(answered[1]) != count:
        raise RuntimeError(f"h2load on {peer.kind}: {done.stdout} {done.stderr}")
    # It does not read gRPC's status: whether puts were made and values came is seen otherwise.
    report = {"requests": count, "failed": 0, "writes": count if path == "Put" else 0,
              "bytes": int(re.search(r"\((\d+)\) data", done.stdout)[1])}
    check(report, "put" if path == "Put" else "get", peer.kind, peer.revision() - revision)
    return {"per_second": float(rate[1]), "unit": "requests", "cpu": 1000 * servers / count,
            "generator": 1000 * own / count}


def filled(peer, keys, value_bytes=VALUE_BYTES, versions=1):
    load(peer, "fill", 4, 4, milliseconds=3_600_000, requests=versions * -(-keys // 100), keys=keys,
         value_bytes=value_bytes)
