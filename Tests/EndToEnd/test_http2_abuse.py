"""Clients that abuse HTTP/2: what they cost stays bounded, others are served, and one line tells of each."""

import http.client
import pathlib
import select
import socket
import ssl
import struct
import threading
import time
import unittest

from cluster import Cluster, wait_for
from prometheus import Metrics

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RST, SETTINGS, PING, WINDOW, CONTINUATION = 0, 1, 2, 3, 4, 6, 8, 9
END_STREAM, END_HEADERS, ACK = 1, 4, 1


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) \
        + payload


def literal(name, value):
    """A header field as HPACK's literal without indexing; lengths by its seven-bit integers."""
    def text(raw):
        if len(raw) < 127:
            return bytes([len(raw)]) + raw
        rest, out = len(raw) - 127, b"\x7f"
        while rest >= 128:
            out += bytes([rest % 128 + 128])
            rest //= 128
        return out + bytes([rest]) + raw
    return b"\x00" + text(name) + text(value)


def request(path, extra=b""):
    return (literal(b":method", b"POST") + literal(b":scheme", b"https")
            + literal(b":authority", b"localhost") + literal(b":path", path)
            + literal(b"content-type", b"application/grpc") + literal(b"te", b"trailers") + extra)


PUT = b"/etcdserverpb.KV/Put"
RANGE = b"/etcdserverpb.KV/Range"


class AbuseTests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster(nodes=0, replicas=1, flags=["--store-only"])
        cls.cluster.up()
        pki = cls.cluster.directory + "/pki"
        cls.tls = ssl.create_default_context(cafile=pki + "/ca.crt")
        cls.tls.load_cert_chain(pki + "/client.crt", pki + "/client.key")
        cls.plain = ssl.create_default_context(cafile=pki + "/ca.crt")
        cls.plain.load_cert_chain(pki + "/client.crt", pki + "/client.key")
        cls.tls.set_alpn_protocols(["h2"])
        cls.cluster.etcdctl("put", "large", input="x" * 1_000_000)

    @classmethod
    def tearDownClass(cls):
        cls.cluster.close()

    def setUp(self):
        self.memory = self.private_memory()
        self.processor = self.processor_seconds()
        self.logged = len(self.log())
        self.normal = Normal(self)
        self.normal.start()

    def tearDown(self):
        self.normal.finish()
        # What the abuse took is given back, or bounded: far below what was sent.
        self.assertLess(self.private_memory() - self.memory, 160 << 20)

    def status(self, name):
        text = pathlib.Path(f"/proc/{self.cluster.pid('replica-1')}/status").read_text()
        return int(next(line for line in text.splitlines() if line.startswith(name)).split()[1])

    def private_memory(self):
        return self.status("RssAnon") * 1024

    def processor_seconds(self):
        text = pathlib.Path(f"/proc/{self.cluster.pid('replica-1')}/stat").read_text()
        fields = text.rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / 100

    def log(self):
        return (pathlib.Path(self.cluster.directory) / "replica-1" / "server.log").read_text(
            errors="replace")

    def lines(self, connection_port):
        """What the log says of the client with this port."""
        return [line for line in self.log()[self.logged:].splitlines()
                if f":{connection_port}" in line]

    def connect(self, greets=True):
        raw = socket.create_connection(("127.0.0.1", self.cluster.store_port), timeout=30)
        connection = self.tls.wrap_socket(raw, server_hostname="localhost")
        self.addCleanup(connection.close)
        if greets:
            connection.sendall(PREFACE + frame(SETTINGS, 0, 0))
        return connection

    def flood(self, connection, pieces, seconds=30):
        """Sends, and reads what comes, until the server hangs up."""
        connection.setblocking(False)
        waiting, end = b"", time.monotonic() + seconds
        while time.monotonic() < end:
            waiting = waiting or next(pieces, b"")
            readable, writable, _ = select.select(
                [connection], [connection] if waiting else [], [], 1)
            try:
                if readable and not connection.recv(65536):
                    return
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                pass
            except OSError:
                return
            try:
                if writable:
                    waiting = waiting[connection.send(waiting):]
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                pass
            except OSError:
                return
        self.fail("the server still listens")

    def check_one_line(self, port, words):
        lines = wait_for("a line in the log", lambda: self.lines(port), seconds=20)
        time.sleep(0.3)
        lines = self.lines(port)
        self.assertEqual(len(lines), 1, lines)
        self.assertIn(words, lines[0].lower())

    def cut_off(self, pieces, words):
        connection = self.connect()
        port = connection.getsockname()[1]
        self.flood(connection, pieces)
        self.check_one_line(port, words)
        self.assertLess(self.processor_seconds() - self.processor, 10)

    def test_rapid_reset(self):
        def pieces():
            for batch in range(200):
                out = b""
                for index in range(200):
                    stream = 2 * (batch * 200 + index) + 1
                    out += frame(HEADERS, END_HEADERS, stream, request(PUT))
                    out += frame(RST, 0, stream, struct.pack(">I", 8))
                yield out
        self.cut_off(pieces(), "http/2")

    def test_continuation_flood(self):
        def pieces():
            yield frame(HEADERS, 0, 1, request(PUT))
            for _ in range(2000):
                yield frame(CONTINUATION, 0, 1, literal(b"x-header", b"y" * 100) * 100)
        self.cut_off(pieces(), "http/2")

    def test_settings_flood(self):
        self.cut_off((frame(SETTINGS, 0, 0) * 500 for _ in range(500)), "http/2")

    def test_ping_flood(self):
        ping = frame(PING, 0, 0, b"12345678")
        self.cut_off((ping * 500 for _ in range(2000)), "flood")

    def test_empty_data(self):
        def pieces():
            yield frame(HEADERS, END_HEADERS, 1, request(PUT))
            for _ in range(1000):
                yield frame(DATA, 0, 1) * 500
        self.cut_off(pieces(), "flood")

    def test_priority_flood(self):
        one = frame(PRIORITY, 0, 1, struct.pack(">IB", 0, 15))
        self.cut_off((one * 500 for _ in range(1000)), "flood")

    def test_header_bomb(self):
        """One field of 4,000 bytes is put into the table, and then named by one byte each."""
        connection = self.connect()
        port = connection.getsockname()[1]
        first = b"\x40" + literal(b"x-bomb", b"z" * 3900)[1:]
        for number in range(20):
            stream = 2 * number + 1
            block = request(PUT, (first if number == 0 else b"") + b"\xbe" * 12_000)
            connection.sendall(frame(HEADERS, END_HEADERS | END_STREAM, stream, block))
        answers = read_frames(connection, 3)
        self.assertIn(HEADERS, [kind for kind, _, _, _ in answers])
        self.check_one_line(port, "headers of over 65536 bytes are refused")
        self.assertLess(self.processor_seconds() - self.processor, 10)

    def test_answers_that_are_not_taken(self):
        """A window of nothing, and hundreds of answers of a megabyte asked for, twice."""
        before = self.private_memory()
        self.leave_answers()
        # What the allocator keeps, it uses the next time.
        self.memory = self.private_memory()
        self.assertLess(self.memory - before, 600 << 20)
        self.leave_answers()
        wait_for("nothing more is kept", lambda: (
            self.private_memory() - self.memory < 100 << 20), seconds=20)

    def leave_answers(self):
        connection = self.connect(greets=False)
        connection.sendall(PREFACE + frame(SETTINGS, 0, 0, struct.pack(">HI", 4, 0)))
        body = b"\x0a\x05large"
        message = b"\x00" + struct.pack(">I", len(body)) + body
        for number in range(400):
            stream = 2 * number + 1
            connection.sendall(
                frame(HEADERS, END_HEADERS, stream, request(RANGE))
                + frame(DATA, END_STREAM, stream, message))
        time.sleep(1)
        connection.close()
        time.sleep(0.5)

    def test_a_handshake_that_never_ends(self):
        """GHSA-6vch: in etcd such connections were never let go of."""
        raw = [socket.create_connection(("127.0.0.1", self.cluster.store_port)) for _ in range(40)]
        ports = [one.getsockname()[1] for one in raw]
        raw[0].sendall(b"\x16\x03\x01\x02\x00")
        for one in raw:
            one.settimeout(20)
            self.assertEqual(one.recv(100), b"")
            one.close()
        for port in ports:
            self.check_line_now(port, "no TLS handshake in 10 s")

    def check_line_now(self, port, words):
        lines = wait_for("a line in the log", lambda: self.lines(port), seconds=5)
        self.assertEqual(len(lines), 1)
        self.assertIn(words, lines[0])

    def test_a_preface_that_never_comes(self):
        connection = self.connect(greets=False)
        port = connection.getsockname()[1]
        connection.settimeout(20)
        drain(connection)
        self.check_one_line(port, "no settings in 10 s")

    def test_a_request_that_is_too_large_is_refused_by_its_length(self):
        before = self.refused_puts()
        connection = self.connect()
        connection.sendall(
            frame(HEADERS, END_HEADERS, 1, request(PUT))
            + frame(DATA, 0, 1, b"\x00" + struct.pack(">I", 1 << 30) + b"the first bytes"))
        frames = [(kind, flags) for kind, flags, stream, _ in read_frames(connection, 3)
                  if stream == 1]
        # Answered and ended before any of the gigabyte has come.
        self.assertTrue(any(flags & END_STREAM for kind, flags in frames if kind == HEADERS))
        self.assertIn(RST, [kind for kind, _ in frames])
        after = self.refused_puts()
        self.assertEqual(after - before, 1)

    def refused_puts(self):
        connection = http.client.HTTPSConnection(
            "127.0.0.1", self.cluster.store_port, context=self.plain, timeout=20)
        connection.request("GET", "/metrics")
        metrics = Metrics(connection.getresponse().read().decode())
        connection.close()
        return metrics.value(
            "grpc_server_handled_total", grpc_method="Put", grpc_code="ResourceExhausted")


class Normal(threading.Thread):
    """A client that goes on with its work meanwhile."""

    def __init__(self, test):
        super().__init__(daemon=True)
        self.test = test
        self.stopping = False
        self.served = 0
        self.failure = None
        self.slowest = 0.0

    def run(self):
        try:
            connection = http.client.HTTPSConnection(
                "127.0.0.1", self.test.cluster.store_port, context=self.test.plain, timeout=20)
            while not self.stopping:
                began = time.monotonic()
                connection.request(
                    "POST", "/v3/kv/put", '{"key": "bm9ybWFs", "value": "dg=="}')
                answer = connection.getresponse()
                answer.read()
                assert answer.status == 200, answer.status
                self.slowest = max(self.slowest, time.monotonic() - began)
                self.served += 1
                time.sleep(0.02)
        except Exception as error:
            self.failure = error

    def finish(self):
        wait_for("the others are served", lambda: self.served > 3 or self.failure)
        self.stopping = True
        self.join(30)
        self.test.assertIsNone(self.failure)


def drain(connection):
    try:
        while connection.recv(65536):
            pass
    except (OSError, ssl.SSLError, ValueError):
        pass


def read_frames(connection, seconds):
    """Frames that come within that time, as (kind, flags, stream, payload)."""
    data, end, frames = b"", time.monotonic() + seconds, []
    while time.monotonic() < end:
        connection.settimeout(max(0.1, end - time.monotonic()))
        try:
            piece = connection.recv(65536)
        except (OSError, ssl.SSLError):
            break
        if not piece:
            break
        data += piece
        while len(data) >= 9:
            length = int.from_bytes(data[:3], "big")
            if len(data) < 9 + length:
                break
            frames.append((data[3], data[4], int.from_bytes(data[5:9], "big") & (1 << 31) - 1,
                           data[9:9 + length]))
            data = data[9 + length:]
    return frames


if __name__ == "__main__":
    unittest.main()
