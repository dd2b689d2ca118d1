"""More than three replicas can do, in control groups of 512 MB: none is killed for its memory."""

import os
import re
import unittest

from cluster import ROOT, run

CONTROL_GROUPS = "/sys/fs/cgroup/memory"


@unittest.skipUnless(os.access(CONTROL_GROUPS, os.W_OK),
                     "needs root and the memory control groups of version 1")
class MemoryTests(unittest.TestCase):
    def test_a_flood_kills_nobody(self):
        report = run([f"{ROOT}/tools/bench", "flood", "--seconds", "12"], timeout=300).out
        self.assertEqual(len(re.findall(r"^member \d: lives", report, re.M)), 3, report)
        self.assertNotIn("BROKE OFF", report)
        puts = int(re.search(r"Put: (\d+) answered whole", report)[1])
        self.assertGreater(puts, 0, report)
