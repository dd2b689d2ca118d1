"""Members and leaders, changed by etcdctl and by `martlet store`."""

import json
import os
import signal
import subprocess
import unittest

from cluster import MARTLET, Cluster, wait_for


def members(cluster, **options):
    out = cluster.etcdctl("member", "list", "-w", "json", **options).out
    return {member.get("name", ""): member for member in json.loads(out)["members"]}


def endpoints(cluster):
    return ",".join(cluster.endpoint(number) for number in (1, 2, 3))


class LeaderTests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster(nodes=0, flags=["--store-only"])
        cls.cluster.up()

    @classmethod
    def tearDownClass(cls):
        cls.cluster.close()

    def leader(self):
        return wait_for("a leader", self.cluster.leader)

    def test_move_leader(self):
        heir = self.leader() % 3 + 1
        heir_id = format(members(self.cluster)[f"replica-{heir}"]["ID"], "x")
        done = self.cluster.etcdctl("move-leader", heir_id, endpoints=endpoints(self.cluster))
        self.assertIn("Leadership transferred", done.out)
        self.assertEqual(self.leader(), heir)
        self.cluster.store("put", "a", "1")
        # Only the leader can be asked, as with etcd.
        refused = self.cluster.etcdctl("move-leader", heir_id, number=heir % 3 + 1, check=False)
        self.assertNotEqual(refused.code, 0)
        refused = self.cluster.etcdctl(
            "move-leader", "1234", endpoints=endpoints(self.cluster), check=False)
        self.assertIn("etcdserver: bad leader transferee", refused.err)

    def test_transfer_leader(self):
        heir = self.leader() % 3 + 1
        self.assertEqual(
            self.cluster.store("transfer-leader", f"replica-{heir}").out,
            f"replica-{heir} leads\n")
        self.assertEqual(self.leader(), heir)
        self.assertRegex(self.cluster.store("transfer-leader").out, r"replica-[123] leads\n")
        self.assertNotEqual(self.leader(), heir)
        refused = self.cluster.store("transfer-leader", "replica-9", check=False)
        self.assertIn("there is no member replica-9", refused.err)

    def test_a_leader_that_is_told_to_stop_hands_over(self):
        old = self.leader()
        before = json.loads(self.cluster.etcdctl(
            "endpoint", "status", "-w", "json", number=old).out)[0]["Status"]["raftTerm"]
        pid = self.cluster.pid(f"replica-{old}")
        os.kill(pid, signal.SIGTERM)
        wait_for("its end", lambda: not os.path.exists(f"/proc/{pid}"))
        new = wait_for("another leader", lambda: self.cluster.leader() not in (None, old)
                       and self.cluster.leader())
        after = json.loads(self.cluster.etcdctl(
            "endpoint", "status", "-w", "json", number=new).out)[0]["Status"]["raftTerm"]
        self.assertEqual(after, before + 1)
        wait_for("its return", lambda: self.cluster.etcdctl(
            "endpoint", "health", number=old, check=False).code == 0)

    def test_etcdctl_member_commands(self):
        url = f"https://127.0.0.1:{self.cluster.store_port + 13}"
        added = self.cluster.etcdctl("member", "add", "other", f"--peer-urls={url}")
        self.assertIn("ETCD_INITIAL_CLUSTER_STATE=\"existing\"", added.out)
        self.assertIn(f"other={url}", added.out)
        listed = members(self.cluster)
        self.assertEqual(sorted(listed), ["", "replica-1", "replica-2", "replica-3"])
        self.assertTrue(listed[""]["isLearner"])
        self.assertEqual(listed[""]["peerURLs"], [url])
        new_id = format(listed[""]["ID"], "x")
        taken = self.cluster.etcdctl("member", "add", "x", f"--peer-urls={url}", check=False)
        self.assertIn("etcdserver: Peer URLs already exists", taken.err)
        promoted = self.cluster.etcdctl("member", "promote", new_id, check=False)
        self.assertIn("in sync with leader", promoted.err)
        other_url = f"https://127.0.0.1:{self.cluster.store_port + 14}"
        self.cluster.etcdctl("member", "update", new_id, f"--peer-urls={other_url}")
        self.assertEqual(members(self.cluster)[""]["peerURLs"], [other_url])
        self.assertIn("removed", self.cluster.etcdctl("member", "remove", new_id).out)
        self.assertEqual(sorted(members(self.cluster)), ["replica-1", "replica-2", "replica-3"])
        again = self.cluster.etcdctl("member", "remove", new_id, check=False)
        self.assertIn("etcdserver: member not found", again.err)
        bad = self.cluster.etcdctl("member", "add", "x", "--peer-urls=ftp://h:1", check=False)
        self.assertNotEqual(bad.code, 0)


class GrowthTests(unittest.TestCase):
    def test_three_become_five_and_then_another_three(self):
        cluster = Cluster(nodes=0, flags=["--store-only"])
        servers = []
        try:
            cluster.up()
            cluster.store("put", "a", "1")
            for number, port in ((4, cluster.store_port + 13), (5, cluster.store_port + 23)):
                cluster.store("member", "add", f"replica-{number}", f"127.0.0.1:{port}")
                servers.append(subprocess.Popen(
                    [MARTLET, "server", "--data-dir", cluster.directory, "--replica",
                     str(number)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))

            def all_vote():
                listed = members(cluster)
                return len(listed) == 5 and not any(
                    member.get("isLearner") for member in listed.values())
            wait_for("five voters", all_vote)
            pids = [cluster.pid(f"replica-{number}") for number in (1, 2)]
            out = cluster.store("member", "set", "replica-3", "replica-4", "replica-5").out
            self.assertEqual(out, "the voters are replica-3, replica-4, replica-5\n")
            wait_for("the end of the two", lambda: not any(
                os.path.exists(f"/proc/{pid}") for pid in pids))
            self.assertEqual(
                sorted(members(cluster, number=3)), ["replica-3", "replica-4", "replica-5"])
            self.assertEqual(cluster.etcdctl("get", "a", number=3).out, "a\n1\n")
            cluster.etcdctl("put", "b", "2", number=3)
            fifth = f"https://127.0.0.1:{cluster.store_port + 22}"
            self.assertEqual(cluster.etcdctl("get", "b", endpoints=fifth).out, "b\n2\n")
            self.assertIn("was removed from the cluster", cluster.logs())
        finally:
            for server in servers:
                server.terminate()
            for server in servers:
                server.wait(timeout=10)
            cluster.close()
