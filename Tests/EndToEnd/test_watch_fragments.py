"""Watchers that take large batches in pieces: `fragment` of a WatchCreateRequest, on Martlet and, to know
that as much is true of it, on etcd."""

import json
import os
import unittest

from cluster import ETCDCTL, Cluster, run
from etcd import Etcd
from wire import Connection, field, fields

# etcd's limit of a message: that of a request, and 512 KiB for what gRPC adds.
MESSAGE_MAX = 1536 * 1024 + 512 * 1024
COUNT, VALUE = 7, 200_000
KEYS = [b"f/%d" % number for number in range(COUNT)]


class FragmentTests(unittest.TestCase):
    """Seven keys of 200 kB are put in a transaction, put again, and deleted by one request. The events
    of a revision go into one message without the values from before, and not with them."""

    @classmethod
    def setUpClass(cls):
        cls.start()

    @classmethod
    def start(cls):
        cls.cluster = Cluster(nodes=0, replicas=1, flags=["--store-only", "--plaintext"])
        cls.addClassCleanup(cls.cluster.close)
        cls.cluster.up()
        cls.port = cls.cluster.store_port

    @classmethod
    def restart(cls):
        cls.cluster.stop()
        cls.cluster.up()

    def connect(self):
        connection = Connection(self.port)
        self.addCleanup(connection.close)
        return connection

    def change(self):
        """Makes the three revisions, and answers them."""
        def ctl(*arguments, input=None):
            done = run([ETCDCTL, "--endpoints", f"127.0.0.1:{self.port}", *arguments, "-w", "json"],
                       input=input, env={**os.environ, "ETCDCTL_API": "3"})
            return json.loads(done.out[done.out.index("{"):])["header"]["revision"]

        revisions = []
        for letter in ("a", "b"):
            puts = "\n".join(f"put {key.decode()} {letter * VALUE}" for key in KEYS)
            revisions.append(ctl("txn", input=f"\n{puts}\n\n\n"))
        return revisions + [ctl("del", "--prefix", "f/")]

    def next(self, connection, stream, data):
        """The next response of a watch, and its bytes."""
        while len(data) < 5 or len(data) < 5 + int.from_bytes(data[1:5], "big"):
            self.assertNotIn(stream, connection.ended)
            connection.read(lambda _, payload: data.extend(payload))
        length = int.from_bytes(data[1:5], "big")
        message = bytes(data[5:5 + length])
        del data[:5 + length]
        return fields(message), length

    def follow(self, fragment, previous, revisions=None):
        """What a watcher gets, live or, where `revisions` are there, from history: its responses as
        (bytes, whether it is a fragment, revisions of its events)."""
        connection, data = self.connect(), bytearray()
        create = (field(1, b"f/") + field(2, b"f0") + (field(3, revisions[0]) if revisions else b"")
                  + field(6, int(previous)) + field(8, int(fragment)))
        stream = connection.begin("/etcdserverpb.Watch/Watch", field(1, create), ends=False)
        created, _ = self.next(connection, stream, data)
        self.assertEqual(created.get(3), [1])
        revisions = revisions or self.change()
        responses, events = [], []
        while len(events) < 3 * COUNT:
            response, length = self.next(connection, stream, data)
            some = [fields(event) for event in response[11]]
            events += some
            responses.append((length, bool(response.get(7)),
                              [fields(event[2][0])[3][0] for event in some]))
        self.check_events(events, revisions, previous)
        return responses

    def check_events(self, events, revisions, previous):
        """All of them, in their order, whatever they came in."""
        found = []
        for event in events:
            now = fields(event[2][0])
            before = fields(event[3][0]) if 3 in event else {}
            found.append((now[3][0], now[1][0], event.get(1, [0])[0], now.get(5, [b""])[0],
                          before.get(5, [b""])[0]))
        a, b = b"a" * VALUE, b"b" * VALUE
        expected = [(revision, key, kind, value, before if previous else b"")
                    for revision, kind, value, before in zip(revisions, (0, 0, 1), (a, b, b""),
                                                             (b"", a, b))
                    for key in KEYS]
        # Not assertEqual, which would print megabytes.
        self.assertTrue(found == expected, [(one[0], one[1], one[2]) for one in found])

    def check_pieces(self, responses):
        """Each fits into a message, and who puts them together has whole revisions."""
        print([(length, more) for length, more, _ in responses], end=" ", flush=True)
        self.assertTrue(any(more for _, more, _ in responses))
        self.assertTrue(all(length <= MESSAGE_MAX for length, _, _ in responses))
        self.assertFalse(responses[-1][1])
        for (_, more, before), (_, _, after) in zip(responses, responses[1:]):
            if not more:
                self.assertLess(before[-1], after[0])

    def test_live(self):
        self.check_pieces(self.follow(fragment=True, previous=True))

    def test_live_below_the_limit(self):
        responses = self.follow(fragment=True, previous=False)
        self.assertEqual([more for _, more, _ in responses], [False] * len(responses))

    def test_live_without_being_asked_for(self):
        self.check_whole(self.follow(fragment=False, previous=True))

    def check_whole(self, responses):
        self.assertFalse(any(more for _, more, _ in responses))
        self.assertGreater(max(length for length, _, _ in responses), MESSAGE_MAX)
        for (_, _, before), (_, _, after) in zip(responses, responses[1:]):
            self.assertLess(before[-1], after[0])

    def test_history(self):
        revisions = self.change()
        for place in ("memory", "disk"):
            # What a server has in memory of the past goes with its process.
            if place == "disk":
                self.restart()
            with self.subTest(place=place):
                self.check_pieces(self.follow(True, True, revisions))
                self.check_whole(self.follow(False, True, revisions))


class FragmentsOfEtcdTests(FragmentTests):
    @classmethod
    def start(cls):
        cls.etcd = Etcd(members=1)
        cls.addClassCleanup(cls.etcd.close)
        cls.etcd.start()
        cls.port = cls.etcd.port

    @classmethod
    def restart(cls):
        cls.etcd.kill(0)
        cls.etcd.start(0)


if __name__ == "__main__":
    unittest.main()
