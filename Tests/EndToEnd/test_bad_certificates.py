"""Certificates that are missing, cut, nonsense, expired, of another authority or without their key, and who
must not be a peer: one line that says which file or which address, and the others go on."""

import os
import shutil
import socket
import subprocess
import threading
import time
import unittest

from certificates import Maker
from cluster import MARTLET, Cluster, run, wait_for

NONSENSE = "-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n"


class ClientTests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster(nodes=0, replicas=1, flags=["--store-only"])
        cls.cluster.up()
        cls.maker = Maker(cls.cluster.scratch + "/made")
        cls.pki = cls.cluster.directory + "/pki"
        cls.authority = cls.pki + "/ca.crt", cls.pki + "/ca.key"
        cls.client = cls.pki + "/client.crt", cls.pki + "/client.key"

    @classmethod
    def tearDownClass(cls):
        cls.cluster.close()

    def get(self, authority, certificate, key, endpoint=None):
        flags = ["--endpoints", endpoint or self.cluster.endpoint(1)]
        for flag, value in (("--cacert", authority), ("--cert", certificate), ("--key", key)):
            flags += [flag, value] if value else []
        return run([MARTLET, "store", "get", "/x", *flags], check=False, timeout=20)

    def test_martlet_store(self):
        ca, (crt, key) = self.authority[0], self.client
        nonsense = self.maker.write("nonsense.pem", NONSENSE)
        empty = self.maker.write("empty.pem", "")
        cut = self.maker.write("cut.pem", open(crt).read()[:300])
        none = self.maker.path("none.pem")
        own = self.maker.issue("issued", self.authority)
        old = self.maker.expired("old", self.authority)
        early = self.maker.issue("early", self.authority, start="20800101000000Z")
        other = self.maker.authority("other")
        peer = self.pki + "/replica-1/peer.crt", self.pki + "/replica-1/peer.key"
        address = self.cluster.endpoint(1).removeprefix("https://")
        refused = f"{address}: connection closed: the other side"
        cases = [
            ("none", (ca, None, None), refused),
            ("certificate alone", (ca, crt, None), "--cert and --key are given both"),
            ("key alone", (ca, None, key), "--cert and --key are given both"),
            ("no authority", (None, crt, key), "--cacert is needed"),
            ("missing", (ca, none, key), f"cannot read {none}: No such file"),
            ("key missing", (ca, crt, none), f"cannot read {none}: No such file"),
            ("authority missing", (none, crt, key), f"cannot read {none}: No such file"),
            ("a folder", (ca, "/tmp", key), "cannot read /tmp: Is a directory"),
            ("nonsense", (ca, nonsense, key), f"{nonsense} is not a certificate in PEM"),
            ("empty", (ca, empty, key), f"{empty} is not a certificate in PEM"),
            ("cut", (ca, cut, key), f"{cut} is not a certificate in PEM"),
            ("key is nonsense", (ca, crt, nonsense), f"{nonsense} is not a private key in PEM"),
            ("authority is nonsense", (nonsense, crt, key), f"{nonsense} is not a certificate"),
            ("authority is empty", (empty, crt, key), f"{empty} is not a certificate"),
            ("another's key", (ca, crt, own[1]), f"{own[1]} is not the key of {crt}"),
            ("expired", (ca, *old), f"{old[0]} expired at 2021-01-01T00:00:00Z"),
            ("not yet valid", (ca, *early), f"{early[0]} is not valid before 2080-01-01"),
            ("of another authority", (ca, *other), refused),
            ("a peer's", (ca, *peer), refused),
            ("the server's is of another", (other[0], crt, key),
             f"{address}: TLS: the certificate shown is not of the authority given"),
        ]
        self.assertEqual(self.get(ca, *own).code, 0)
        for name, files, words in cases:
            with self.subTest(name):
                done = self.get(*files)
                self.assertEqual((done.code, done.out), (1, ""), done)
                self.assertIn(words, done.err)
                self.assertEqual(done.err.count("\n"), 1, done)

    def test_the_wrong_port(self):
        address = self.cluster.endpoint(1).removeprefix("https://")
        plain = self.get(None, None, None, "http://" + address)
        self.assertEqual(plain.code, 1)
        self.assertIn(address, plain.err)
        peers = f"127.0.0.1:{self.cluster.store_port + 1}"
        done = self.get(self.authority[0], *self.client, endpoint="https://" + peers)
        self.assertEqual(done.code, 1)
        self.assertIn(f"{peers}: TLS: the certificate shown", done.err)

    def test_etcdctl_is_told_by_the_server(self):
        """The client's words are etcdctl's; the server's log says whom it refused and why."""
        old = self.maker.expired("older", self.authority)
        done = run(["etcdctl", "--endpoints", self.cluster.endpoint(1), "--cacert",
                    self.authority[0], "--cert", old[0], "--key", old[1], "--dial-timeout", "2s",
                    "--command-timeout", "2s", "get", "/x"], check=False)
        self.assertNotEqual(done.code, 0)
        wait_for("its log", lambda: "TLS from [IPv4]127.0.0.1" in self.cluster.logs()
                 and "the certificate shown is not of the authority given" in self.cluster.logs())


class AuthorityTests(unittest.TestCase):
    """What `martlet up` finds in DATA-DIR/pki; all that authorities sign it makes anew."""

    def setUp(self):
        self.cluster = Cluster(nodes=0, replicas=1, flags=["--store-only"])
        self.cluster.up()
        self.cluster.store("put", "/x", "1")
        self.cluster.stop()
        self.pki = self.cluster.directory + "/pki"
        self.maker = Maker(self.cluster.scratch + "/made")

    def tearDown(self):
        self.cluster.close()

    def refused(self, *words):
        done = run([MARTLET, "up", "--data-dir", self.cluster.directory, "--replicas", "1",
                    "--store-only", "--store-port", str(self.cluster.store_port)], check=False)
        self.assertEqual(done.code, 1, done)
        for word in words:
            self.assertIn(word, done.err)
        self.assertEqual(done.err.count("\n"), 1, done)

    def test_authorities(self):
        def write(name, text):
            with open(f"{self.pki}/{name}", "w") as file:
                file.write(text)

        other = self.maker.authority("other")
        root = self.maker.authority("root")
        old = self.maker.expired("old-authority", root)
        cases = [
            ("nonsense", lambda: write("ca.crt", NONSENSE), "/pki/ca.crt is not a certificate"),
            ("key is nonsense", lambda: write("peer-ca.key", NONSENSE),
             "/pki/peer-ca.key is not a private key"),
            ("another's key", lambda: shutil.copy(other[1], self.pki + "/api-ca.key"),
             "/pki/api-ca.key is not the key of "),
            ("key gone", lambda: os.remove(self.pki + "/ca.key"), "/pki/ca.key is missing"),
            ("certificate gone", lambda: os.remove(self.pki + "/ca.crt"),
             "/pki/ca.crt is missing"),
            ("expired", lambda: [shutil.copy(old[at], f"{self.pki}/ca.{end}")
                                 for at, end in ((0, "crt"), (1, "key"))],
             "/pki/ca.crt expired at 2021-01-01T00:00:00Z"),
        ]
        for name, spoil, words in cases:
            with self.subTest(name):
                shutil.copytree(self.pki, self.pki + ".kept")
                spoil()
                self.refused(words)
                shutil.rmtree(self.pki)
                os.rename(self.pki + ".kept", self.pki)
        for name in ("client.crt", "replica-1/store.key", "replica-1/peer.crt"):
            write(name, NONSENSE)
        self.cluster.up()
        self.assertEqual(self.cluster.store("get", "/x", "--print-value-only").out.strip(), "1")

    def test_an_expired_certificate_is_told_and_does_not_stop_the_replica(self):
        """One clock is wrong perhaps; `martlet up` issues certificates anew, servers alone do not."""
        old = self.maker.expired("store", (self.pki + "/ca.crt", self.pki + "/ca.key"))
        for at, end in ((0, "crt"), (1, "key")):
            shutil.copy(old[at], f"{self.pki}/replica-1/store.{end}")
        log = self.cluster.scratch + "/log"
        with open(log, "w") as out:
            server = subprocess.Popen([MARTLET, "server", "--data-dir", self.cluster.directory,
                                       "--replica", "1"], stdout=out, stderr=out)
        try:
            wait_for("its words", lambda: "serves etcd clients" in open(log).read())
            self.assertIn("/pki/replica-1/store.crt expired at 2021-01-01T00:00:00Z",
                          open(log).read())
            done = self.cluster.store("get", "/x", check=False)
            self.assertEqual(done.code, 1)
            self.assertIn("TLS: the certificate shown is not", done.err)
        finally:
            server.kill()
            server.wait()

    def test_one_process_at_a_time(self):
        self.cluster.up()
        self.refused("another `martlet up` runs on this directory: ", "/data/")
        twice = run([MARTLET, "server", "--data-dir", self.cluster.directory, "--replica", "1"],
                    check=False, timeout=20)
        self.assertEqual(twice.code, 1, twice)
        self.assertIn("another process runs a replica on ", twice.err)
        for command in (["store", "recover", "--force-new-cluster"],
                        ["store", "snapshot", "restore", "/etc/passwd"]):
            done = run([MARTLET, *command, "--data-dir", self.cluster.directory], check=False)
            self.assertEqual(done.code, 1, done)
            self.assertIn(self.cluster.directory, done.err)
        self.assertEqual(self.cluster.store("get", "/x", "--print-value-only").out.strip(), "1")


class AgentTests(unittest.TestCase):
    def test_the_agents_certificate(self):
        cluster = Cluster(replicas=1)
        self.addCleanup(cluster.close)
        cluster.up()
        cluster.stop()
        pki = cluster.directory + "/pki"
        for name, words in (("node-1.crt", "is not a certificate in PEM"),
                            ("node-1.key", "is not a private key in PEM"),
                            ("api-ca.crt", "is not a certificate in PEM")):
            with self.subTest(name):
                with open(f"{pki}/{name}") as file:
                    whole = file.read()
                for text in (NONSENSE, ""):
                    with open(f"{pki}/{name}", "w") as file:
                        file.write(text)
                    done = run([MARTLET, "agent", "--data-dir", cluster.directory, "--node",
                                "node-1"], check=False, timeout=20)
                    self.assertEqual(done.code, 1, done)
                    self.assertIn(f"{pki}/{name} {words}", done.err)
                with open(f"{pki}/{name}", "w") as file:
                    file.write(whole)


class StrangePeer:
    """Listens where a replica should, and answers whoever comes with the same bytes."""

    def __init__(self, port, answer):
        self.answer = answer
        self.connections = 0
        self.listener = socket.create_server(("127.0.0.1", port), reuse_port=False)
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with connection:
                try:
                    connection.settimeout(2)
                    connection.recv(4096)
                    connection.sendall(self.answer)
                    self.connections += 1
                except OSError:
                    pass

    def close(self):
        self.listener.close()


class StrangePeerTests(unittest.TestCase):
    """Replica 2 of three is somebody else: the others say so once each, and serve."""

    def start(self, cluster, number):
        path = f"{cluster.scratch}/log-{number}"
        with open(path, "w") as out:
            server = subprocess.Popen([MARTLET, "server", "--data-dir", cluster.directory,
                                       "--replica", str(number)], stdout=out, stderr=out)
        self.servers.append(server)
        return path

    def setUp(self):
        self.servers = []
        self.clusters = []

    def tearDown(self):
        for server in self.servers:
            server.kill()
            server.wait()
        for cluster in self.clusters:
            cluster.close()

    def made(self, *flags, like=None):
        cluster = Cluster(nodes=0, flags=["--store-only", *flags])
        if like:
            cluster.store_port, cluster.api_port = like.store_port, like.api_port
        self.clusters.append(cluster)
        cluster.up()
        cluster.store("put", "/x", "1")
        cluster.stop()
        return cluster

    def said_once(self, cluster, logs, *words):
        for path in logs:
            wait_for("its word", lambda: all(word in open(path).read() for word in words))
        wait_for("they serve", lambda: cluster.store("put", "/y", "2", check=False).code == 0)
        time.sleep(1)
        for path in logs:
            lines = [line for line in open(path) if words[0] in line]
            self.assertEqual(len(lines), 1, lines)

    def test_whose_certificate_does_not_count(self):
        cluster = self.made()
        maker = Maker(cluster.scratch + "/made")
        pki = cluster.directory + "/pki"
        old = maker.expired("replica-2", (pki + "/peer-ca.crt", pki + "/peer-ca.key"))
        for at, end in ((0, "crt"), (1, "key")):
            shutil.copy(old[at], f"{pki}/replica-2/peer.{end}")
        logs = [self.start(cluster, number) for number in (1, 3)]
        second = self.start(cluster, 2)
        place = f"replica-2 at 127.0.0.1:{cluster.store_port + 11}: TLS: the certificate shown"
        self.said_once(cluster, logs, place)
        wait_for("its own word", lambda: "/peer.crt expired at 2021-01-01" in open(second).read())

    def test_of_another_cluster(self):
        cluster = self.made("--plaintext")
        other = self.made("--plaintext", like=cluster)
        logs = [self.start(cluster, number) for number in (1, 3)]
        self.start(other, 2)
        place = f"replica-2 at 127.0.0.1:{cluster.store_port + 11}: "
        self.said_once(cluster, logs, place + "this is a replica of another cluster")

    def test_who_answers_nonsense(self):
        cluster = self.made("--plaintext")
        logs = [self.start(cluster, number) for number in (1, 3)]
        place = f"replica-2 at 127.0.0.1:{cluster.store_port + 11}: "
        strange = StrangePeer(cluster.store_port + 11, b"HTTP/1.0 400 Bad Request\r\n\r\n" * 9)
        try:
            self.said_once(cluster, logs, place)
            # Tried again with pauses, not over and over.
            self.assertLess(strange.connections, 100)
        finally:
            strange.close()


if __name__ == "__main__":
    unittest.main()
