"""martlet-dump: every action on live replicas and snapshot files, the checks on damaged ones too."""

import base64
import json
import os
import shutil
import unittest

from cluster import DUMP, Cluster, run


def dump(path, *arguments, check=True):
    return run([DUMP, path, *arguments], check=check)


def lines(path, *arguments):
    return [json.loads(line) for line in dump(path, *arguments, "--json").out.splitlines()]


class DumpTests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster(nodes=0, flags=["--store-only", "--archive"])
        cls.cluster.up()
        for number in range(40):
            cls.cluster.store("put", f"/k/{number % 10}", f"needle-{number}-" + "x" * 3000)
        cls.cluster.store("del", "/k/3")
        cls.file = os.path.join(cls.cluster.scratch, "snapshot")
        cls.cluster.store("snapshot", "save", cls.file)
        cls.replica = cls.cluster.directory + "/replica-1"

    @classmethod
    def tearDownClass(cls):
        cls.cluster.close()

    def test_stat_names_prefixes_and_dead_space(self):
        for path in (self.replica, self.file):
            groups = [line for line in lines(path, "stat") if line["part"] == "prefix"]
            keys = {group["prefix"]: group for group in groups}
            self.assertEqual(keys["/k/"]["keys"], 9)
            self.assertGreater(keys["/k/"]["deadBytes"], 50_000)
            self.assertIn("DEAD", dump(path, "stat").out)

    def test_hashes_agree_between_replicas_and_snapshot(self):
        hashes = {lines(path, "hash", "--revision", "30")[0]["hash"]
                  for path in (self.replica, self.file,
                               self.cluster.directory + "/replica-2",
                               self.cluster.directory + "/replica-3")}
        self.assertEqual(len(hashes), 1)

    def test_diff_history_and_get(self):
        newest = lines(self.file, "hash")[0]["revision"]
        changes = {line["key"]: line["change"]
                   for line in lines(self.file, "diff", str(newest - 1), str(newest))}
        self.assertEqual(changes, {"/k/3": "removed"})
        self.assertEqual(len(lines(self.file, "history", "/k/3")), 5)
        self.assertIn("needle-33", dump(self.file, "get", "/k/3", "--revision",
                                        str(newest - 1)).out)

    def test_export_is_etcds_json(self):
        found = lines(self.file, "export", "/k/")
        self.assertEqual(len(found), 9)
        first = found[0]
        self.assertEqual(base64.b64decode(first["key"]), b"/k/0")
        self.assertTrue(base64.b64decode(first["value"]).startswith(b"needle-30-"))
        answer = json.loads(self.cluster.etcdctl("get", "/k/0", "-w", "json").out)["kvs"][0]
        for field in ("key", "value", "create_revision", "mod_revision", "version"):
            self.assertEqual(first[field], answer[field])

    def test_log_filters(self):
        writes = lines(self.replica, "log", "--key", "/k/3")
        self.assertEqual(len(writes), 5)
        self.assertTrue(all(line["milliseconds"] > 0 for line in writes))
        one = writes[0]["index"]
        self.assertEqual([line["index"] for line in
                          lines(self.replica, "log", "--index", f"{one}..{one + 1}")],
                         [one, one + 1])
        self.assertEqual(lines(self.replica, "log", "--type", "compact"), [])
        self.assertEqual(lines(self.replica, "log", "--term", "999"), [])
        self.assertEqual(dump(self.replica, "log", "--type", "nonsense", check=False).code, 64)

    def test_verify_and_repair_of_damage(self):
        self.assertEqual(dump(self.replica, "verify", check=False).code, 0)
        copy = os.path.join(self.cluster.scratch, "damaged")
        shutil.copytree(self.replica, copy)
        data = os.path.join(copy, "keyspace", "data.mdb")
        content = bytearray(open(data, "rb").read())
        place = content.find(b"needle-35-")
        while place >= 0:
            content[place + 8] ^= 1
            place = content.find(b"needle-35-", place + 1)
        open(data, "wb").write(content)
        found = dump(copy, "verify", check=False)
        self.assertEqual(found.code, 1, found)
        self.assertIn("at byte", found.out)
        self.assertIn("/k/5", found.out)
        target = os.path.join(self.cluster.scratch, "repaired")
        refused = dump(copy, "repair", target, check=False)
        self.assertEqual(refused.code, 2)
        self.assertFalse(os.path.exists(target))
        done = dump(copy, "repair", target, "--yes")
        self.assertIn("lost", done.out)
        self.assertIn("/k/5", done.out)
        repaired = os.path.join(target, "repaired.snapshot")
        self.assertEqual(dump(repaired, "verify", check=False).code, 0)
        kept = {base64.b64decode(line["key"]): line["mod_revision"]
                for line in lines(repaired, "export", "/k/")}
        whole = {base64.b64decode(line["key"]): line["mod_revision"]
                 for line in lines(self.file, "export", "/k/")}
        self.assertLess(kept.pop(b"/k/5"), whole.pop(b"/k/5"))
        self.assertEqual(kept, whole)

    def test_verify_of_snapshot_files(self):
        content = bytearray(open(self.file, "rb").read())
        content[len(content) // 2] ^= 1
        bad = os.path.join(self.cluster.scratch, "bad.snapshot")
        open(bad, "wb").write(content)
        found = dump(bad, "verify", check=False)
        self.assertEqual(found.code, 1)
        self.assertIn("revision", found.out)
        target = os.path.join(self.cluster.scratch, "saved")
        saved = dump(bad, "repair", target, "--yes")
        self.assertIn("damaged; held", saved.out)
        repaired = os.path.join(target, "repaired.snapshot")
        self.assertEqual(dump(repaired, "verify", check=False).code, 0)
        self.assertEqual(dump("/etc/passwd", "verify", check=False).code, 2)
        self.assertEqual(dump("/nonexistent", "verify", check=False).code, 2)


if __name__ == "__main__":
    unittest.main()
