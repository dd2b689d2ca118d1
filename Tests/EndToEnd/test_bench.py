"""The comparison with etcd, without servers: turns, what makes a figure count, and the record."""

import csv
import pathlib
import sys
import tempfile
import unittest
from unittest import mock

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools"))
import bench_etcd  # noqa: E402
from bench_load import check  # noqa: E402
from bench_table import KINDS, SECTIONS, Table, record  # noqa: E402

OLD = """section,figure,better,goal,kind,round,value
watch,"one watcher, events/s",more,3.0,martlet,1,300
watch,"one watcher, events/s",more,3.0,etcd,1,100
gap,no longer measured,less,0.5,martlet,1,9
gap,gap s,less,0.5,martlet,1,9
gap,gap s,less,0.5,etcd,1,9
"""
TEXT = "".join(f"<!-- tools/bench store --only {section} -->\nold {section}\n<!-- end -->\n"
               for section in SECTIONS)


class FakePeer:
    """Notes what is done with clusters, in order."""

    story = []

    def __init__(self, kind, replicas):
        self.kind, self.replicas, self.port, self.before = kind, replicas, 1, 7
        self.start()

    def tell(self, what):
        self.story.append((self.kind, what))

    def start(self):
        self.tell("start")

    def kill(self):
        self.tell("kill")

    def close(self):
        self.tell("close")

    def revision(self):
        return self.before

    def private_mb(self):
        return 5.0

    def leader(self):
        return 1

    def pids(self):
        return [10, 11, 12]


def fake_load(peer, workload, *_, **flags):
    peer.tell(workload)
    unit = {"watch": "events", "list": "lists", "list-stream": "lists"}.get(workload, "requests")
    return {"per_second": 10.0, "p50_ms": 1.0, "p99_ms": 2.0, "bytes": 1000, "seconds": 1.0,
            "cpu": 0.4 if peer.kind == "etcd" else 0.2, "generator": 0.1, "unit": unit}


class BenchTests(unittest.TestCase):
    def setUp(self):
        FakePeer.story = []

    def section(self, name, **arguments):
        table = Table()
        table.section = name
        plan = bench_etcd.Plan(3, 2, 100, 1)
        with mock.patch.multiple(
                bench_etcd, Peer=FakePeer, load=fake_load,
                h2load=lambda peer, path, *_: fake_load(peer, path),
                filled=lambda peer, *_, **__: peer.tell("fill"),
                end_leases=lambda _, pids, *__: (pids[0], 0), **arguments):
            bench_etcd.RUNS[name](table, plan)
        return table

    def order(self, what):
        return [kind for kind, did in FakePeer.story if did == what]

    def test_loads_are_in_turns(self):
        self.section("watch")
        self.assertEqual(self.order("watch"), 2 * (2 * ["martlet"] + 2 * ["etcd"]))
        table = self.section("leases")
        self.assertEqual(self.order("keep-alive"), 2 * list(KINDS))
        rows = table.of("leases")
        self.assertTrue(all(len(row.rounds[kind]) == 2 for row in rows.values() for kind in KINDS))
        # The leader is the first to go on.
        self.assertEqual(rows["100,000 leases end at once, s"].median("etcd"), 11)

    def test_memory_has_a_cluster_for_each_round(self):
        self.section("memory")
        self.assertEqual(self.order("start"), 2 * list(KINDS))
        self.assertEqual(self.order("fill"), 2 * list(KINDS))

    def test_starts_are_in_turns_and_alone(self):
        self.section("start")
        self.assertEqual(self.order("fill"), list(KINDS))
        self.assertEqual(self.order("start"), 3 * list(KINDS))
        running = set()
        for kind, did in FakePeer.story:
            if did == "start":
                self.assertEqual(running, set())
                running.add(kind)
            elif did == "kill":
                running.remove(kind)

    def test_whatever_counts_requests_says_what_they_cost(self):
        for section, units in (("throughput", {"requests"}), ("watch", {"events"}),
                               ("list", {"lists"}), ("heat", {"requests"}), ("leases", {"requests"})):
            table = self.section(section)
            seen = set()
            for name, row in table.of(section).items():
                if any(word in name for word in ("requests/s", "events/s", "MB/s", "p99", "p50")):
                    self.assertIn(f"server CPU s per 1,000 {row.unit}: Martlet ", table.line(name))
                    seen.add(row.unit)
            self.assertEqual(seen, units)
        pages = self.section("list").rows["list of 100,000 keys in pages of 1,000, MB/s"]
        self.assertAlmostEqual(pages.median("etcd", "cpu"), 40)

    def test_a_figure_counts_only_if_the_store_moved_by_it(self):
        good = {"requests": 10, "failed": 0, "writes": 4, "bytes": 6 * 256}
        check(good, "mixed", "etcd", 4)
        for moved in (3, 5):
            with self.assertRaisesRegex(RuntimeError, f"4 acknowledged .* by {moved}"):
                check(good, "mixed", "etcd", moved)
        for change in ({"failed": 1}, {"requests": 0}, {"bytes": 6 * 256 - 1}):
            with self.assertRaises(RuntimeError):
                check(good | change, "mixed", "etcd", 4)

    def test_a_gap_counts_only_if_the_store_moved_by_it(self):
        for begun, acknowledged, is_good in ((9, 0, True), (0, 0, True), (9, 1, False)):
            table = Table()
            with mock.patch.multiple(
                    bench_etcd, Connection=mock.Mock(), time=mock.Mock(),
                    gap=lambda *_: (0.5, begun, acknowledged)), \
                    mock.patch.object(FakePeer, "mend", create=True):
                if is_good:
                    bench_etcd.gaps(table, FakePeer("etcd", 3), None)
                    continue
                with self.assertRaisesRegex(RuntimeError, "1 acknowledged writes of 9"):
                    bench_etcd.gaps(table, FakePeer("etcd", 3), None)

    def test_a_record_replaces_its_section_alone(self):
        table = Table()
        table.section = "gap"
        for kind, value in (("martlet", 1), ("etcd", 4), ("martlet", 3), ("etcd", 4)):
            table.add(kind, "gap s", value, "less", 0.5, {
                "unit": "requests", "cpu": value / 10, "generator": 0.1, "per_second": 5})
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            (folder / "store.csv").write_text(OLD)
            (folder / "store.md").write_text(TEXT)
            for _ in range(2):
                with mock.patch("bench_table.plot"):
                    record(table, {"gap": table.lines("gap")}, ["--rounds", "2", "--only", "gap"],
                           folder)
            with open(folder / "store.csv", newline="") as file:
                rows = list(csv.DictReader(file))
            text = (folder / "store.md").read_text()
        self.assertEqual([(row["section"], row["kind"], row["round"], row["value"],
                           row["cpu_s_per_1000"]) for row in rows], [
            ("watch", "martlet", "1", "300", ""), ("watch", "etcd", "1", "100", ""),
            ("gap", "martlet", "1", "1", "0.1"), ("gap", "martlet", "2", "3", "0.3"),
            ("gap", "etcd", "1", "4", "0.4"), ("gap", "etcd", "2", "4", "0.4")])
        self.assertIn("old watch\n", text)
        self.assertNotIn("old gap\n", text)
        self.assertIn("`tools/bench store --rounds 2 --only gap`", text)
        self.assertIn("gap s: Martlet 2, etcd 4, 0.50x (goal <= 0.5x met); server CPU s per 1,000"
                      " requests: Martlet 0.2, etcd 0.4, 0.50x\n", text)


if __name__ == "__main__":
    unittest.main()
