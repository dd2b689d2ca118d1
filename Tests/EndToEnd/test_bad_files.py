"""Files of every kind that are cut, flipped, exchanged or somebody else's, under a replica that is
alone and so has nobody to ask: one error that names the file and an exit code of docs/runbooks, or all
that was acknowledged is served. Never a part of it."""

import glob
import os
import re
import shutil
import socket
import struct
import subprocess
import time
import unittest

from cluster import ETCDCTL, MARTLET, Cluster, run

KEYS = 400


def flip(path, offset):
    with open(path, "r+b") as file:
        file.seek(offset)
        byte = file.read(1)
        file.seek(offset)
        file.write(bytes([byte[0] ^ 4]))


def flip_all(path, text):
    """A bit of every place that holds the text: also of copies on pages that are free by now."""
    with open(path, "rb") as file:
        content = file.read()
    for found in re.finditer(re.escape(text), content):
        flip(path, found.start() + 2)


def swap(path, size, one, other):
    with open(path, "r+b") as file:
        def at(number):
            file.seek(number * size)
            return file.read(size)
        first, second = at(one), at(other)
        for number, content in ((one, second), (other, first)):
            file.seek(number * size)
            file.write(content)


def cut(path, size):
    os.truncate(path, size)


def put_number(path, offset, value):
    """Eight bytes, or four where that is the field's size."""
    with open(path, "r+b") as file:
        file.seek(offset)
        file.write(struct.pack("<I", value) if offset % 4096 == 40 else struct.pack("<Q", value))


def newest_meta(path):
    """0 or 1: the meta page of the newer transaction."""
    with open(path, "rb") as file:
        content = file.read(8192)
    first, second = (struct.unpack_from("<Q", content, at + 144)[0] for at in (0, 4096))
    return 0 if first > second else 1


OTHER_APPLICATION = r"""
#include <lmdb.h>
int main(int count, char **arguments) {
    MDB_env *env; MDB_txn *txn; MDB_dbi table; MDB_val key = {3, "key"}, value = {5, "value"};
    return mdb_env_create(&env) || mdb_env_set_maxdbs(env, 4)
        || mdb_env_open(env, arguments[1], MDB_NOSUBDIR, 0600) || mdb_txn_begin(env, 0, 0, &txn)
        || mdb_dbi_open(txn, "things", MDB_CREATE, &table)
        || mdb_put(txn, table, &key, &value, 0) || mdb_txn_commit(txn);
}
"""


def of_another_application(replica, folder):
    write(folder + "/other.c", OTHER_APPLICATION)
    run(["cc", "-o", folder + "/other", folder + "/other.c", "-llmdb"])
    os.remove(replica + "/keyspace/data.mdb")
    run([folder + "/other", replica + "/keyspace/data.mdb"])


def write(path, text):
    with open(path, "w") as file:
        file.write(text)


class BadFilesTests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster(nodes=0, replicas=1, flags=["--store-only"])
        cls.fill(cls.cluster, "value")
        cls.other = Cluster(nodes=0, replicas=1, flags=["--store-only"])
        cls.fill(cls.other, "strange")

    @staticmethod
    def fill(cluster, value):
        cluster.up()
        lines = "".join(f"/k/{number} {value}-{number}-{'x' * 300}\n" for number in range(KEYS))
        done = cluster.store("put", "--stdin", input=lines)
        assert done.out.count("OK") == KEYS, done
        cluster.stop()

    @classmethod
    def tearDownClass(cls):
        cls.cluster.close()
        cls.other.close()

    def outcome(self, spoil, env=None):
        """Exit code and words of a server whose folder was spoilt; None if it serves everything."""
        folder = self.cluster.scratch + "/spoilt"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(self.cluster.directory, folder)
        spoil(folder + "/replica-1", folder)
        return self.serve(folder, env)

    def serve(self, folder, env):
        server = subprocess.Popen(
            [MARTLET, "server", "--data-dir", folder, "--replica", "1"],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            env={**os.environ, "SWIFT_BACKTRACE": "enable=no", **(env or {})})
        serves = False
        try:
            end = time.monotonic() + 20
            while time.monotonic() < end and server.poll() is None and not serves:
                values = self.values(folder)
                if values is not None:
                    self.assertEqual(values, [f"value-{number}" for number in range(KEYS)])
                    serves = True
                time.sleep(0.05)
            self.assertTrue(serves or server.poll() is not None, "neither serves nor ends")
        finally:
            server.kill()
            text = server.communicate()[0]
        return None if serves else server.returncode, text

    def values(self, folder):
        """Every value in order, as far as it tells one from the other; None if nobody answers."""
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", self.cluster.store_port)) != 0:
                return None
        pki = folder + "/pki"
        done = run([ETCDCTL, "--endpoints", self.cluster.endpoint(1), "--cacert", pki + "/ca.crt",
                    "--cert", pki + "/client.crt", "--key", pki + "/client.key",
                    "--command-timeout", "1s", "--dial-timeout", "1s",
                    "get", "/k/", "--prefix", "--print-value-only", "--sort-by", "CREATE"],
                   check=False)
        if done.code != 0:
            return None
        return [line.rsplit("-", 1)[0] for line in done.out.splitlines() if line]

    def check(self, cases):
        for name, spoil, code, *words in cases:
            with self.subTest(name):
                env = {"MARTLET_BOOT_ID_FILE": "/proc/version"} if "boot" in name else None
                found, text = self.outcome(spoil, env)
                self.assertEqual(found, code, text)
                for word in words:
                    self.assertIn(word, text)

    def test_log(self):
        def newest(replica):
            return sorted(glob.glob(replica + "/log/*.wal"))[-1]

        def of_another(replica, _):
            for path in glob.glob(replica + "/log/*.wal"):
                os.remove(path)
            for path in glob.glob(self.other.directory + "/replica-1/log/*.wal"):
                shutil.copy(path, replica + "/log")

        log = "/spoilt/replica-1/log/0000000000000001.wal"
        self.check([
            ("a bit in the middle", lambda r, _: flip(newest(r), 60_000), 72, log, "at byte"),
            ("cut in the middle", lambda r, _: cut(newest(r), 60_100), 72, log, "at byte"),
            ("sectors exchanged", lambda r, _: swap(newest(r), 512, 40, 70), 72, log, "at byte"),
            ("both headers", lambda r, _: [flip(newest(r), 40), flip(newest(r), 552)], 72, log),
            ("one header", lambda r, _: flip(newest(r), 40), None),
            ("another cluster's", of_another, 71, log, "belongs to cluster"),
            ("no file", lambda r, _: os.remove(newest(r)), 72, "/log"),
        ])

    def test_keyspace(self):
        def data(replica):
            return replica + "/keyspace/data.mdb"

        def of_another(replica, _):
            shutil.copy(data(self.other.directory + "/replica-1"), data(replica))

        def both(*change):
            """The same in both meta pages."""
            return lambda r, _: [put_number(data(r), page * 4096 + place, value)
                                 for page in (0, 1) for place, value in change]

        def in_newest(place, value):
            return lambda r, _: put_number(data(r), newest_meta(data(r)) * 4096 + place, value)

        size = os.path.getsize(data(self.cluster.directory + "/replica-1"))
        aside = "replica-1/keyspace.damaged"
        cut_off = ("data.mdb at byte", "the file ends before", aside)
        # With the log whole from its beginning, all of it can be built anew, at the first start.
        self.check([
            ("cut", lambda r, _: cut(data(r), 100_000), None, *cut_off),
            ("cut by a page", lambda r, _: cut(data(r), size - 4096), None, *cut_off),
            ("cut within a page", lambda r, _: cut(data(r), size - 4000), None, *cut_off),
            ("cut behind the meta pages", lambda r, _: cut(data(r), 8192), None, *cut_off),
            ("cut behind one meta page", lambda r, _: cut(data(r), 4096), None, aside),
            ("empty", lambda r, _: cut(data(r), 0), None),
            ("first meta page", lambda r, _: flip(data(r), 16), None, "at byte 0", aside),
            ("second meta page", lambda r, _: flip(data(r), 4112), None, "at byte 4096", aside),
            ("both meta pages", lambda r, _: [flip(data(r), 16), flip(data(r), 4112)], None, aside),
            ("last page too low", in_newest(136, 2), None, "contradict", aside),
            ("last page too high", in_newest(136, 1 << 30), None, "at byte", aside),
            ("last page impossible", in_newest(136, 1 << 60), None, "at byte", aside),
            ("transaction", in_newest(144, 77_777), None, "contradict", aside),
            ("root of the tables", in_newest(88 + 40, 3_000_000), None, "at byte", aside),
            ("root of free pages", in_newest(40 + 40, 3_000_000), None, "at byte", aside),
            ("of another page size", both((40, 8192)), None, "at byte", aside),
            ("of a page size that is none", both((40, 77)), None, "pages of 77 bytes", aside),
            ("not LMDB's", lambda r, _: shutil.copy("/etc/passwd", data(r)), None, aside),
            # Only who reads the value finds out; the next start builds all of it anew.
            ("a value", lambda r, _: flip_all(data(r), b"value-7-"), 1,
             "/replica-1/keyspace/data.mdb: table records, revision 9.0"),
            ("no file", lambda r, _: os.remove(data(r)), None),
            ("another cluster's", of_another, 71, "/keyspace", "belongs to cluster"),
            ("another application's", of_another_application, 71, "/keyspace/data.mdb",
             "not a keyspace of Martlet"),
        ])

    def test_marks(self):
        def boot(replica):
            return replica + "/keyspace/boot"

        member = "/replica-1/member"
        self.check([
            ("boot mark cut", lambda r, _: cut(boot(r), 3), None),
            ("boot mark gone", lambda r, _: os.remove(boot(r)), None),
            ("boot mark is nonsense", lambda r, _: write(boot(r), "\0\xff" * 3000), None),
            ("boot mark of another boot", lambda r, _: write(boot(r), "running other\n"), None),
            ("member cut", lambda r, _: cut(r + "/member", 20), 72, member, "damaged"),
            ("member is nonsense", lambda r, _: write(r + "/member", "\0" * 99), 72, member),
            ("member of a newer format",
             lambda r, _: write(r + "/member", "martlet-replica 2 0 0 member\n"), 71, member),
            ("member of another cluster", lambda r, _: shutil.copy(
                self.other.directory + member, r + "/member"), 71, "belongs to cluster"),
            ("a sync failed before", lambda r, _: write(r + "/failed", "sync failed: it\n"), 70,
             "not to be trusted"),
        ])

    def test_layout_and_certificates(self):
        def pki(name, change):
            return lambda _, folder: change(f"{folder}/pki/{name}")

        def nonsense(path):
            write(path, "-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n")

        def of_another(path):
            shutil.copy(path.replace(self.cluster.scratch + "/spoilt", self.other.directory), path)

        crt, key = "replica-1/store.crt", "replica-1/store.key"
        self.check([
            ("layout cut", lambda _, f: cut(f + "/cluster.json", 30), 1, "cluster.json"),
            ("layout gone", lambda _, f: os.remove(f + "/cluster.json"), 1, "cluster.json"),
            ("certificate is nonsense", pki(crt, nonsense), 1, crt),
            ("certificate empty", pki(crt, lambda path: cut(path, 0)), 1, crt),
            ("certificate gone", pki(crt, os.remove), 1, crt),
            ("key is nonsense", pki(key, nonsense), 1, key),
            ("key of another certificate", pki(key, of_another), 1, key),
            ("authority is nonsense", pki("ca.crt", nonsense), 1, "ca.crt"),
            ("peers' certificate is nonsense", pki("replica-1/peer.crt", nonsense), 1, "peer.crt"),
            ("peers' key is of another", pki("replica-1/peer.key", of_another), 1, "peer.key"),
            ("of another authority", lambda _, f: [of_another(f"{f}/pki/{name}") for name in
             (crt, key)], 1, crt, "is not signed by", "/pki/ca.crt"),
        ])

    def test_restore_from_bad_files(self):
        source = self.cluster.scratch + "/whole.snapshot"
        self.cluster.up()
        self.cluster.store("snapshot", "save", source)
        self.cluster.stop()
        size = os.path.getsize(source)
        target = self.cluster.scratch + "/never"
        for name, spoil in (
                ("cut", lambda path: cut(path, size - 9)),
                ("flipped", lambda path: flip(path, size // 2)),
                ("exchanged", lambda path: swap(path, 512, 2, 5)),
                ("foreign", lambda path: shutil.copy("/etc/passwd", path)),
                ("empty", lambda path: cut(path, 0))):
            with self.subTest(name):
                bad = self.cluster.scratch + "/bad.snapshot"
                shutil.copy(source, bad)
                spoil(bad)
                done = run([MARTLET, "store", "snapshot", "restore", bad, "--data-dir", target],
                           check=False)
                self.assertEqual(done.code, 1, done)
                self.assertIn(bad, done.err)
                self.assertIn("at byte", done.err)
                self.assertFalse(os.path.exists(target))


def crc32c(data):
    crc = 0xffffffff
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
    return crc ^ 0xffffffff


def frame(kind, body):
    tail = struct.pack("<I", kind) + body
    return struct.pack("<II", len(body), crc32c(tail)) + tail


class PeerTests(unittest.TestCase):
    """docs/formats/peer-protocol.md, spoken by somebody who should not."""

    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster(nodes=0, flags=["--store-only", "--plaintext"])
        cls.cluster.up()

    @classmethod
    def tearDownClass(cls):
        cls.cluster.close()

    def answer(self, data):
        """What the peer port says before it hangs up."""
        port = self.cluster.store_port + 1
        with socket.create_connection(("127.0.0.1", port), timeout=8) as connection:
            connection.sendall(data)
            text = b""
            while part := connection.recv(4096):
                text += part
        return text.decode(errors="replace")

    def hello(self, version=4, cluster=7, purpose=0):
        return frame(1, b"martlet-peer" + bytes([version, purpose])
                     + struct.pack("<QQQQ", cluster, 1, 2, 0) + b"\0\0\0\1\0")

    def test_who_is_refused_is_told_why(self):
        for version in (2, 9):
            self.assertIn(f"protocol version at byte 13: {version} is not known",
                          self.answer(self.hello(version=version)))
        self.assertIn("another cluster", self.answer(self.hello()))
        broken = bytearray(self.hello())
        broken[-1] ^= 1
        self.assertIn("checksum", self.answer(bytes(broken)))
        self.assertIn("no hello", self.answer(frame(4, b"")))
        self.assertIn("more than 4096", self.answer(struct.pack("<III", 1 << 30, 0, 1)))
        for noise in (b"GET / HTTP/1.1\r\n\r\n", os.urandom(5000)):
            try:
                self.answer(noise)
            except ConnectionResetError:
                pass  # It hangs up without having read the rest.
        self.cluster.store("put", "/alive", "1")


if __name__ == "__main__":
    unittest.main()
