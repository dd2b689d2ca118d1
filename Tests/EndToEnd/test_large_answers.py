"""Answers that are sent while they are read: with a real client, with one that leaves in the middle, and
beside a compaction."""

import hashlib
import json
import subprocess
import unittest

from cluster import ETCDCTL, Cluster
from wire import Broken, Connection, field, fields, put


class LargeAnswerTests(unittest.TestCase):
    def setUp(self):
        self.cluster = Cluster(nodes=0, replicas=1, flags=["--store-only", "--plaintext"])
        self.cluster.up()

    def tearDown(self):
        self.cluster.close()

    def etcdctl(self, *arguments):
        command = [ETCDCTL, "--endpoints", f"127.0.0.1:{self.cluster.store_port}", *arguments]
        return subprocess.run(command, capture_output=True, timeout=60, check=True).stdout

    def test_64_megabytes(self):
        connection = Connection(self.cluster.store_port)
        expected = hashlib.sha256()
        for number in range(64):
            value = hashlib.sha256(b"%d" % number).hexdigest().encode() * 15_625
            connection.call("/etcdserverpb.KV/Put", put(b"big/%02d" % number, value))
            expected.update(value + b"\n")
        got = self.etcdctl("get", "--prefix", "big/", "--print-value-only")
        self.assertEqual(hashlib.sha256(got).hexdigest(), expected.hexdigest())
        last = self.etcdctl("get", "--prefix", "big/", "--limit", "3", "--order", "DESCEND",
                            "--sort-by", "KEY", "--keys-only")
        self.assertEqual(last.split(), [b"big/63", b"big/62", b"big/61"])

        # A client that leaves in the middle, and one that stalls while everything it reads is
        # compacted: the others do not notice, and the stalled one is told.
        everything = field(1, b"big/") + field(2, b"big0")
        leaver, stalled = (Connection(self.cluster.store_port, 65535) for _ in range(2))
        leaver.begin("/etcdserverpb.KV/Range", everything)
        stream = stalled.begin("/etcdserverpb.KV/Range", everything)
        leaver.read()
        leaver.close()
        connection.call("/etcdserverpb.KV/Put", put(b"big/50", b"new"))
        status = json.loads(self.etcdctl("put", "big/51", "new", "-w", "json"))
        self.etcdctl("compaction", str(status["header"]["revision"]))
        stalled.window = 1 << 20
        stalled.give(stream, 1 << 28)
        while stream not in stalled.ended:
            stalled.read()
        self.assertLess(stalled.received[stream], 64_000_000)
        self.assertEqual(len(self.etcdctl("get", "--prefix", "big/", "--keys-only").split()), 64)
        connection.close()
        stalled.close()

    def test_range_stream_merges_to_the_range(self):
        connection = Connection(self.cluster.store_port)
        for number in range(300):
            size = 40_000 if number < 100 else 10
            connection.call("/etcdserverpb.KV/Put", put(b"s/%03d" % number, b"v" * size))
        everything = field(1, b"s/") + field(2, b"s0")
        for options in [
            b"", field(3, 120), field(5, 2), field(5, 2) + field(6, 3) + field(3, 150),
            field(10, 200), field(8, 1), field(9, 1), field(4, 50),
        ]:
            with self.subTest(options=options):
                request = everything + options
                whole = self.messages(connection, "/etcdserverpb.KV/Range", request)
                pieces = self.messages(connection, "/etcdserverpb.KV/RangeStream", request)
                merged = b"".join(fields(piece)[1][0] for piece in pieces)
                self.assertEqual(fields(merged), fields(whole[0]))
        self.assertGreater(len(self.messages(
            connection, "/etcdserverpb.KV/RangeStream", everything)), 3)
        with self.assertRaises(Broken):
            self.messages(connection, "/etcdserverpb.KV/RangeStream", field(4, 999_999) + everything)
        connection.close()

    def messages(self, connection, path, request):
        """The messages of a call's answer."""
        data = bytearray()
        connection.call(path, request, keep=lambda stream, payload: data.extend(payload))
        found = []
        while data:
            length = int.from_bytes(data[1:5], "big")
            found.append(bytes(data[5:5 + length]))
            del data[:5 + length]
        return found


if __name__ == "__main__":
    unittest.main()
