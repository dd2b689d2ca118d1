"""Moving house: what a real etcd saved is served by Martlet, and the other way round."""

import json
import os
import pathlib
import re
import shutil
import tempfile
import unittest

from cluster import MARTLET, Cluster, run
from etcd import DEBIAN, WHEEL, Etcd

RESTORE = [str(WHEEL / "etcdutl"), "snapshot", "restore"]


def fill(client):
    """A history with everything in it that a file can hold."""
    for index in range(0, 300, 50):
        client("put", f"k{index:03}", "v" * index)
    client("put", "k050", "changed")
    client("del", "k100")
    client("put", "k100", "back")
    client("txn", input="\nput t1 a\nput t2 b\ndel k150\n\n\n")
    client("put", "empty", "")
    client("put", "large", input="x" * 1_000_000)
    client("put", "k" * 3000, "a long key")
    for index, ttl in enumerate(("3000", "9000")):
        lease = client("lease", "grant", ttl).out.split()[1]
        client("put", f"leased{index}", "1", f"--lease={lease}")
    client("put", "leased0", "2", "--ignore-lease")
    client("put", "unleased", "1", f"--lease={lease}")
    client("put", "unleased", "2")
    client("compaction", "9")
    client("put", "last", "1")
    client("del", "t2")


class MoveTests(unittest.TestCase):
    def setUp(self):
        self.scratch = tempfile.mkdtemp(prefix="martlet-move-")
        self.addCleanup(shutil.rmtree, self.scratch)
        self.saved = self.scratch + "/saved.db"

    def etcd(self, folder):
        etcd = Etcd(members=1, folder=folder)
        self.addCleanup(etcd.close)
        return etcd

    def store_import(self, *flags, file=None, check=True):
        return run([MARTLET, "store", "import", file or self.saved, "--data-dir",
                    self.scratch + "/new", *flags], check=check)

    def martlet(self, replicas):
        cluster = Cluster(self.scratch + "/new", nodes=0, replicas=replicas,
                          flags=["--store-only"])
        self.addCleanup(cluster.close)
        cluster.up()
        return cluster

    @staticmethod
    def answer(done):
        """What was said, less the ids of the cluster and its log."""
        try:
            answer = json.loads(done.out)
        except json.JSONDecodeError:
            return done.code, done.out, re.findall("etcdserver: .*", done.err)
        answer["header"] = answer["header"]["revision"]
        return done.code, answer, []

    def assert_same(self, theirs, mine, newest):
        questions = [("get", "--prefix", "", "-w", "json", "--rev", str(revision))
                     for revision in range(7, newest + 1)]
        questions += [("get", "--prefix", "", "-w", "json"), ("lease", "list")]
        for question in questions:
            with self.subTest(question=question):
                self.assertEqual(
                    self.answer(theirs(*question, check=False)),
                    self.answer(mine(*question, check=False)))

    def test_from_etcd_and_back(self):
        for name, folder, replicas in (("3.5.1", WHEEL, 3), ("3.4", DEBIAN, 1)):
            with self.subTest(etcd=name):
                self.move(folder, replicas)
            shutil.rmtree(self.scratch + "/new", ignore_errors=True)
            os.remove(self.saved)

    def move(self, folder, replicas):
        etcd = self.etcd(folder)
        etcd.start()
        fill(etcd.etcdctl)
        etcd.etcdctl("snapshot", "save", self.saved, endpoints=etcd.endpoints[0])
        newest = json.loads(etcd.etcdctl("get", "last", "-w", "json").out)["header"]["revision"]
        done = self.store_import("--replicas", str(replicas))
        self.assertIn(f"imported revision {newest}, compacted up to 9: ", done.out)
        self.assertIn(f"2 leases for {replicas} replicas", done.out)
        cluster = self.martlet(replicas)
        self.assert_same(etcd.etcdctl, cluster.etcdctl, newest)
        lease = etcd.etcdctl("lease", "list").out.split()[-1]
        out = cluster.etcdctl("lease", "timetolive", lease, "--keys").out
        self.assertRegex(out, rf"lease {lease} granted with TTL\([39]000s\), remaining\(\d+s\), "
                              r"attached keys\(\[leased[01]\]\)")
        # Every byte of the new replicas is in order, and they go on behind the revision.
        self.assertIn("no damage", cluster.store("scrub").out)
        put = json.loads(cluster.etcdctl("put", "more", "1", "-w", "json").out)
        self.assertEqual(put["header"]["revision"], newest + 1)
        # And back.
        out = cluster.store("export", self.scratch + "/back.db").out
        self.assertIn(f"exported revision {newest + 1}, ", out)
        cluster.stop()
        back = self.etcd(folder)
        peer = f"http://127.0.0.1:{back.port + 1}"
        restore = RESTORE if folder == WHEEL else [
            "env", "ETCDCTL_API=3", "etcdctl", "snapshot", "restore"]
        run([*restore, self.scratch + "/back.db", "--data-dir", back.path("m0"), "--name", "m0",
             "--initial-cluster", f"m0={peer}", "--initial-advertise-peer-urls", peer])
        os.remove(self.scratch + "/back.db")
        back.start()
        etcd.etcdctl("put", "more", "1")
        self.assert_same(etcd.etcdctl, back.etcdctl, newest + 1)

    def test_users_and_roles_move_too(self):
        etcd = self.etcd(WHEEL)
        etcd.start()
        for line in ("user add root:pw", "user grant-role root root", "role add keys",
                     "role grant-permission keys readwrite k",
                     "role grant-permission keys read app/ --prefix=true",
                     "role grant-permission keys write z --from-key", "role add nothing",
                     "user add anna:secret", "user grant-role anna keys",
                     "user grant-role anna nothing", "user add cert --no-password",
                     "put k 1", "auth enable"):
            etcd.etcdctl(*line.split())
        root = ("--user", "root:pw")
        etcd.etcdctl(*root, "snapshot", "save", self.saved, endpoints=etcd.endpoints[0])
        out = self.store_import("--replicas", "3").out
        self.assertIn("note: 3 users and 2 roles are taken over; authentication is on\n", out)
        cluster = self.martlet(3)
        questions = [
            (*root, "user", "list"), (*root, "role", "list"), (*root, "role", "get", "keys"),
            (*root, "user", "get", "anna"), (*root, "user", "get", "cert"), ("get", "k"),
            ("--user", "anna:secret", "get", "k"), ("--user", "anna:wrong", "get", "k"),
            ("--user", "anna:secret", "put", "app/1", "x"),
            ("--user", "anna:secret", "put", "zz", "x"), ("--user", "cert:", "get", "k")]

        def assert_same_rights(other):
            for question in questions:
                with self.subTest(question=question):
                    theirs, mine = (one(*question, check=False) for one in (etcd.etcdctl, other))
                    self.assertEqual(theirs.code, mine.code, mine)
                    self.assertEqual(theirs.out, mine.out)
                    self.assertEqual(*(re.findall("etcdserver: .*|invalid auth.*", done.err)
                                       for done in (theirs, mine)))

        assert_same_rights(cluster.etcdctl)
        # And back.
        file = self.scratch + "/back.db"
        run([MARTLET, "store", "export", file, "--data-dir", cluster.directory, *root])
        cluster.stop()
        back = self.etcd(WHEEL)
        peer = f"http://127.0.0.1:{back.port + 1}"
        run([*RESTORE, file, "--data-dir", back.path("m0"), "--name", "m0", "--initial-cluster",
             f"m0={peer}", "--initial-advertise-peer-urls", peer])
        back.start()
        assert_same_rights(back.etcdctl)

    def test_revisions_may_be_raised(self):
        etcd = self.etcd(WHEEL)
        etcd.start()
        fill(etcd.etcdctl)
        etcd.etcdctl("snapshot", "save", self.saved, endpoints=etcd.endpoints[0])
        newest = json.loads(etcd.etcdctl("get", "last", "-w", "json").out)["header"]["revision"]
        self.store_import("--replicas", "1", "--bump-revision", "1000")
        cluster = self.martlet(1)
        put = json.loads(cluster.etcdctl("put", "more", "1", "-w", "json").out)
        self.assertEqual(put["header"]["revision"], newest + 1001)

    def test_bad_files(self):
        etcd = self.etcd(WHEEL)
        etcd.start()
        fill(etcd.etcdctl)
        etcd.etcdctl("snapshot", "save", self.saved, endpoints=etcd.endpoints[0])
        whole = pathlib.Path(self.saved).read_bytes()
        flipped = bytearray(whole)
        flipped[len(whole) // 2] ^= 1
        hashed = bytearray(whole)
        hashed[-1] ^= 1
        metas = bytearray(whole)
        metas[20], metas[4096 + 20] = metas[20] ^ 1, metas[4096 + 20] ^ 1
        for name, content, words in [
            ("empty", b"", "not a bbolt file: it has 0 bytes"),
            ("text", b"nonsense\n" * 2000, "not a bbolt file: neither of its meta pages is whole"),
            ("cut", whole[:-5000], "which is not whole pages and a SHA-256"),
            ("without-hash", whole[:-32], "made by `etcdctl snapshot save`"),
            ("cut-to-pages", whole[:-8192], "the file is damaged"),
            ("flipped", flipped, "the file is damaged"),
            ("other-hash", hashed, "the file is damaged"),
            ("metas", metas, "neither of its meta pages is whole"),
            ("longer", whole + b"x" * 512, "the file is damaged"),
        ]:
            with self.subTest(name):
                file = f"{self.scratch}/{name}.db"
                pathlib.Path(file).write_bytes(content)
                done = self.store_import(file=file, check=False)
                self.assertEqual(done.code, 1, done)
                self.assertIn("error: nothing is imported: " + file, done.err)
                self.assertIn(words, done.err)
                self.assertEqual(len(done.err.splitlines()), 1)
                self.assertFalse(os.path.exists(self.scratch + "/new"))
        with self.subTest("a damaged page, and nobody to tell"):
            # The key of a record longer than the record.
            broken = whole[:-32].replace(b"\n\x04k050", b"\n\x7ek050")
            file = self.scratch + "/broken.db"
            pathlib.Path(file).write_bytes(broken)
            done = self.store_import("--skip-hash-check", file=file, check=False)
            self.assertEqual(done.code, 1, done)
            self.assertRegex(done.err, f"{file}: revision [0-9.]+: ")
        with self.subTest("gone"):
            done = self.store_import(file=self.scratch + "/gone", check=False)
            self.assertEqual((done.code, done.err.splitlines()[-1]), (
                1, f"error: nothing is imported: {self.scratch}/gone: No such file or directory"))
        with self.subTest("occupied"):
            os.mkdir(self.scratch + "/new")
            pathlib.Path(self.scratch, "new", "mine").touch()
            done = self.store_import(check=False)
            self.assertEqual((done.code, done.err), (
                1, f"error: {self.scratch}/new is not empty\n"))
            self.assertEqual(os.listdir(self.scratch + "/new"), ["mine"])
            shutil.rmtree(self.scratch + "/new")
        with self.subTest("a stopped member's own file"):
            etcd.kill(0)
            done = self.store_import(
                "--skip-hash-check", file=etcd.path("m0") + "/member/snap/db")
            self.assertIn("imported revision ", done.out)


if __name__ == "__main__":
    unittest.main()
