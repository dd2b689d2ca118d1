"""The commands of docs/runbooks, as somebody would paste them who is in that situation."""

import os
import re
import shutil
import signal
import subprocess
import time
import unittest

from cluster import DUMP, ETCDCTL, MARTLET, ROOT, Cluster, run, wait_for
from test_bad_files import flip_all


def blocks(name):
    """The ```sh blocks of a runbook, each a list of commands."""
    with open(ROOT / "docs" / "runbooks" / name) as file:
        text = file.read()
    found = re.findall(r"^ *```sh\n(.*?)^ *```", text, re.MULTILINE | re.DOTALL)
    return [[line.strip() for line in block.splitlines()] for block in found]


class BlockTests(unittest.TestCase):
    def test_no_block_stands_there_untried(self):
        with open(__file__) as file:
            tried = set(re.findall(r'self\.paste\("([a-z-]+\.md)", (\d)', file.read()))
        for name in os.listdir(ROOT / "docs" / "runbooks"):
            for number in range(len(blocks(name))):
                self.assertIn((name, str(number)), tried)


class RunbookTests(unittest.TestCase):
    def setUp(self):
        self.started = []

    def tearDown(self):
        for process in self.started:
            process.terminate()
        for process in self.started:
            process.wait(timeout=20)
        self.cluster.close()

    def begin(self, *flags, replicas=3):
        """A cluster in `.martlet` of a folder of its own, with a few keys."""
        self.cluster = Cluster(nodes=0, replicas=replicas, flags=["--store-only", *flags])
        self.folder = self.cluster.scratch
        self.cluster.directory = self.folder + "/.martlet"
        os.makedirs(self.folder + "/bin")
        for program in (MARTLET, DUMP, ETCDCTL):
            os.symlink(program, f"{self.folder}/bin/{os.path.basename(program)}")
        self.cluster.up()
        for number in range(10):
            self.cluster.store("put", f"/some/prefix/{number}", f"value-{number}")
        self.cluster.store("put", "/some/key", "right")

    def paste(self, runbook, number, **replacing):
        """Runs the commands of a block one after the other; what all of them wrote."""
        out = ""
        for line in blocks(runbook)[number]:
            for old, new in replacing.items():
                line = re.sub(old, new, line)
            line = self.with_own_ports(line)
            if line.startswith(("martlet up", "martlet server")):
                self.start(line)
                continue
            done = self.bash(line)
            # What was started in another terminal may not lead or follow yet.
            end = time.monotonic() + 30
            while done.code != 0 and self.started and time.monotonic() < end:
                time.sleep(0.3)
                done = self.bash(line)
            self.assertEqual(done.code, 0, f"$ {line}\n{done}")
            out += done.out
        return out

    def bash(self, line):
        return run(["bash", "-c", line], check=False, env=self.environment(), cwd=self.folder)

    def environment(self):
        return {**os.environ, "PATH": f"{self.folder}/bin:{os.environ['PATH']}"}

    def with_own_ports(self, line):
        """The ports of this test instead of those that `martlet up` chooses."""
        return re.sub(r"\b24(\d\d)\b", lambda found: str(
            self.cluster.store_port + int(found.group(1)) + 2400 - 2379), line)

    def start(self, line):
        """What goes on running in a terminal of its own."""
        words = line.split()
        if words[1] == "up":
            words += ["--store-only", "--store-port", str(self.cluster.store_port)]
        terminal = f"{self.folder}/terminal-{len(self.started)}"
        with open(terminal, "w") as out:
            process = subprocess.Popen(words, cwd=self.folder, env=self.environment(), stdout=out,
                                       stderr=out)
        self.started.append(process)
        if words[1] == "up":
            try:
                wait_for("its first words", lambda: re.search(
                    "^ready|does not vote|stays stopped", open(terminal).read(), re.MULTILINE))
            except AssertionError as error:
                raise AssertionError(f"$ {line}\n{open(terminal).read()}") from error

    def get(self, key, directory=".martlet"):
        return self.bash(f"martlet store get --data-dir {directory} {key} --print-value-only").out

    def test_a_lost_directory(self):
        self.begin()
        shutil.rmtree(self.cluster.directory + "/replica-2")
        wait_for("it is told", lambda: "has lost its directory" in (
            self.cluster.process.stdout.read() or b"").decode())
        out = self.paste("replica-lost.md", 0)
        self.assertEqual(out.count("replica-2"), 2, out)
        wait_for("it serves", lambda: self.cluster.etcdctl(
            "endpoint", "health", number=2, check=False).code == 0)

    def test_a_replica_that_stays_stopped(self):
        self.begin()
        self.cluster.stop()
        with open(self.cluster.directory + "/replica-2/failed", "w") as file:
            file.write("sync failed: Input/output error\n")
        self.start("martlet up")
        terminal = self.started.pop()
        terminal.send_signal(signal.SIGINT)
        terminal.wait(timeout=20)
        out = self.paste("replica-lost.md", 1)
        self.assertIn("replica-2", out)
        self.assertTrue(os.path.exists(self.cluster.directory + "/replica-2.old"))
        wait_for("it serves", lambda: self.cluster.etcdctl(
            "endpoint", "health", number=2, check=False).code == 0)
        self.assertEqual(self.get("/some/key"), "right\n")

    def test_a_lost_quorum(self):
        self.begin()
        self.cluster.stop()
        for number in (1, 3):
            shutil.rmtree(f"{self.cluster.directory}/replica-{number}")
        out = self.paste("lost-quorum.md", 0)
        self.assertIn("writes that never reached replica-2: lost", out)
        self.assertEqual(self.get("/some/key"), "right\n")

    def test_a_full_disk(self):
        self.begin()
        out = self.paste("full-disk.md", 0)
        self.assertEqual(out.splitlines()[0], "10")
        self.assertIn("compacted revision 1", out)
        self.assertEqual(self.get("/some/key"), "right\n")

    def test_a_corrupt_disk(self):
        self.begin(replicas=1)
        self.assertIn("log", self.paste("corrupt-disk.md", 0))
        self.cluster.stop()
        data = self.cluster.directory + "/replica-1/keyspace/data.mdb"
        flip_all(data, b"value-7")
        out = self.paste("corrupt-disk.md", 1)
        self.assertIn("/some/prefix/7", out)
        self.assertEqual(self.get("/some/key", "new"), "right\n")

    def test_a_time(self):
        self.begin("--archive", replicas=1)
        time.sleep(1.1)
        self.cluster.store("put", "/some/key", "wrong")
        self.cluster.stop()
        out = self.paste("restore-to-a-time.md", 0)
        times = re.findall(r"\d{4}-\d\d-\d\dT[\d:.]+Z", out)
        self.assertEqual(len(times), 2, out)
        self.paste("restore-to-a-time.md", 1, **{r"\S*T21:52:54Z": times[0]})
        self.assertEqual(self.get("/some/key", "new"), "right\n")

    def test_members(self):
        self.begin()
        out = self.paste("change-members.md", 0)
        self.assertIn("replica-5", out)
        wait_for("all vote", lambda: self.bash("martlet store member list").out.count("false") == 5)
        out = self.paste("change-members.md", 1)
        self.assertIn("replica-2 leads", out)
        self.assertNotIn("replica-3", out.split("IS LEARNER")[-1])


if __name__ == "__main__":
    unittest.main()
