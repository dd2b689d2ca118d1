"""Ten thousand watchers on the leader: its heartbeats go out in time all the same."""

import json
import os
import unittest

from cluster import BINARIES, ETCDCTL, Cluster, run


class WatcherTests(unittest.TestCase):
    def setUp(self):
        self.cluster = Cluster(nodes=0, flags=["--store-only", "--plaintext"])
        self.cluster.up()

    def tearDown(self):
        self.cluster.close()

    def port(self, number):
        return self.cluster.store_port + 10 * (number - 1)

    def status(self):
        """Of each member."""
        endpoints = ",".join(f"127.0.0.1:{self.port(number)}" for number in (1, 2, 3))
        answer = run([ETCDCTL, "--endpoints", endpoints, "endpoint", "status", "-w", "json"],
                     env={**os.environ, "ETCDCTL_API": "3"})
        return [member["Status"] for member in json.loads(answer.out)]

    def test_they_cost_no_election(self):
        before = self.status()
        leader = next(number for number, status in enumerate(before, 1)
                      if status["header"]["member_id"] == status["leader"])
        for _ in range(3):
            report = json.loads(run(
                [f"{BINARIES}/store-bench", "--endpoint", f"127.0.0.1:{self.port(leader)}",
                 "--workload", "watch", "--connections", "100", "--streams", "100",
                 "--requests", "50"], timeout=120).out)
            self.assertEqual(report["failed"], 0)
            after = self.status()
            self.assertEqual({status["raftTerm"] for status in after}, {before[0]["raftTerm"]})
            self.assertEqual({status.get("leader") for status in after}, {before[0]["leader"]})
