"""An archive of the log with files that are cut, flipped, missing, exchanged or another cluster's: one error
that names the file, nothing written, and what lies before the damage can still be had."""

import json
import os
import shutil
import unittest

from cluster import DUMP, MARTLET, Cluster, run
from test_bad_files import cut, flip, swap

ROUNDS = 3
KEYS = 40


def archives(folder):
    """The files that hold a round's puts, in their order: not those of what a start writes."""
    paths = sorted(f"{folder}/{name}" for name in os.listdir(folder) if name.endswith(".entries"))
    return [path for path in paths if os.path.getsize(path) > 4000]


class BadArchiveTests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster(nodes=0, replicas=1, flags=["--store-only", "--archive"])
        cls.states = cls.fill(cls.cluster)
        cls.other = Cluster(nodes=0, replicas=1, flags=["--store-only", "--archive"])
        cls.fill(cls.other)

    @classmethod
    def tearDownClass(cls):
        cls.cluster.close()
        cls.other.close()

    @staticmethod
    def state(replica):
        return json.loads(run([DUMP, replica, "hash", "--json"]).out)

    @classmethod
    def fill(cls, cluster):
        """Each round ends with a stop, and that with a file of the archive; answers the states."""
        states = []
        for number in range(ROUNDS):
            cluster.up()
            cluster.store("put", "--stdin", input="".join(
                f"/k/{number}/{key} {os.urandom(200).hex()}\n" for key in range(KEYS)))
            cluster.stop()
            states.append(cls.state(cluster.directory + "/replica-1"))
        return states

    def restore(self, folder, *flags):
        target = self.cluster.scratch + "/target"
        shutil.rmtree(target, ignore_errors=True)
        done = run([MARTLET, "store", "snapshot", "restore", folder, "--data-dir", target, *flags],
                   check=False)
        self.assertEqual(os.path.exists(target), done.code == 0, done)
        self.assertFalse([name for name in os.listdir(self.cluster.scratch)
                          if name not in ("data", "folder", "target")])
        return done, target

    def spoilt(self, spoil):
        """A copy of the archive, spoilt in the file of the second round; and that file."""
        folder = self.cluster.scratch + "/folder"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(self.cluster.directory + "/snapshots", folder)
        path = archives(folder)[1]
        spoil(path)
        return folder, path

    def before(self, folder):
        want = self.states[0]
        done, target = self.restore(folder, "--to-revision", str(want["revision"]))
        self.assertEqual(done.code, 0, done)
        self.assertEqual(self.state(target + "/replica-1"), want)

    def test_whole(self):
        folder, _ = self.spoilt(lambda _: None)
        for want in self.states:
            done, target = self.restore(folder, "--to-revision", str(want["revision"]))
            self.assertEqual(done.code, 0, done)
            self.assertEqual(self.state(target + "/replica-1"), want)

    def test_spoilt(self):
        def exchange(path):
            """Each under the other's name."""
            next = archives(os.path.dirname(path))[2]
            os.rename(path, path + ".tmp")
            os.rename(next, path)
            os.rename(path + ".tmp", next)

        def of_another(path):
            theirs = archives(self.other.directory + "/snapshots")[1]
            shutil.copy(theirs, path)

        cases = [
            ("cut", lambda path: cut(path, os.path.getsize(path) - 7), True, "at byte"),
            ("cut to its header", lambda path: cut(path, 40), True, "at byte"),
            ("empty", lambda path: cut(path, 0), True, "at byte"),
            ("a bit", lambda path: flip(path, 900), True, "at byte"),
            ("a bit of the header", lambda path: flip(path, 20), True, "at byte"),
            ("sectors exchanged", lambda path: swap(path, 512, 2, 4), True, "at byte"),
            ("foreign", lambda path: shutil.copy("/etc/passwd", path), True, "at byte 0"),
            ("names exchanged", exchange, True, "not as the name says"),
            ("another cluster's", of_another, True, "of cluster"),
            ("missing", os.remove, False, "of the log are missing before"),
            ("another name", lambda path: os.rename(path, path + ".old.entries"), False,
             "of the log are missing before"),
            ("a folder", lambda path: [os.remove(path), os.mkdir(path)], True, "is not a file"),
        ]
        for name, spoil, names_file, words in cases:
            with self.subTest(name):
                folder, path = self.spoilt(spoil)
                for goal in (["--to-revision", str(self.states[2]["revision"])],
                             ["--to-time", "2100-01-01T00:00:00Z"], ["--archive", folder]):
                    done, _ = self.restore(folder, *goal)
                    self.assertEqual(done.code, 1, done)
                    self.assertIn(words, done.err)
                    if names_file:
                        self.assertIn(path, done.err)
                self.before(folder)

    def test_a_name_that_is_no_archives_is_told(self):
        """The last file under another name: nothing says that it belongs to the archive."""
        folder, _ = self.spoilt(lambda _: None)
        last = archives(folder)[2]
        os.rename(last, folder + "/copy-of-the-last.entries")
        done, target = self.restore(folder, "--archive", folder)
        self.assertEqual(done.code, 0, done)
        self.assertIn("copy-of-the-last.entries", done.out)
        self.assertEqual(self.state(target + "/replica-1"), self.states[1])

    def test_no_snapshot_to_begin_with(self):
        folder, _ = self.spoilt(lambda _: None)
        snapshot, = (f"{folder}/{name}" for name in os.listdir(folder)
                     if name.endswith(".snapshot"))
        flip(snapshot, os.path.getsize(snapshot) // 2)
        done, _ = self.restore(folder, "--to-revision", str(self.states[2]["revision"]))
        self.assertEqual(done.code, 1, done)
        self.assertIn("holds no snapshot to begin with", done.err)
        self.assertIn(snapshot, done.err)

    def test_a_folder_that_is_not_there(self):
        for flags in ([], ["--to-revision", "5"]):
            done, _ = self.restore(self.cluster.scratch + "/nowhere", *flags)
            self.assertEqual(done.code, 1, done)
            self.assertIn("/nowhere", done.err)
        folder, _ = self.spoilt(lambda _: None)
        done, _ = self.restore(folder, "--archive", self.cluster.scratch + "/nowhere")
        self.assertEqual(done.code, 1, done)
        self.assertIn("/nowhere", done.err)


if __name__ == "__main__":
    unittest.main()
