"""Snapshots of a running cluster: saved, checked, restored, taken by the clock, to a revision."""

import glob
import json
import os
import pty
import re
import select
import shutil
import socket
import subprocess
import threading
import time
import unittest

from cluster import DUMP, MARTLET, Cluster, run, wait_for


class CuttingProxy:
    """Passes connections on to a port, and cuts the first few after so many bytes, or carries nothing
    any more from `holds_after` on."""

    def __init__(self, port, cuts, after, holds_after=None):
        self.port, self.cuts, self.after, self.holds_after = port, cuts, after, holds_after
        self.held, self.carried = threading.Event(), 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        server = socket.create_connection(("127.0.0.1", self.port))
        passed = 0
        while True:
            for one in select.select([client, server], [], [])[0]:
                data = one.recv(65536)
                passed += len(data)
                self.carried += len(data)
                if self.holds_after is not None and passed > self.holds_after:
                    self.held.set()
                    continue
                if not data or (self.cuts > 0 and passed > self.after):
                    if data:
                        self.cuts -= 1
                    client.close()
                    server.close()
                    return
                (server if one is client else client).sendall(data)

    def close(self):
        self.listener.close()


def state_hash(path):
    return json.loads(run([DUMP, path, "hash", "--json"]).out)


class SnapshotTests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster(nodes=0)
        cls.cluster.up()
        cls.cluster.kubectl("create", "configmap", "kept", "--from-literal=a=b")
        cls.file = os.path.join(cls.cluster.scratch, "snapshot")
        cls.cluster.store("snapshot", "save", cls.file)

    @classmethod
    def tearDownClass(cls):
        cls.cluster.close()

    def restore(self, file, directory):
        return run([MARTLET, "store", "snapshot", "restore", file, "--data-dir", directory],
                   check=False)

    def test_a_new_cluster_starts_from_it(self):
        target = os.path.join(self.cluster.scratch, "restored")
        done = self.restore(self.file, target)
        self.assertEqual(done.code, 0, done)
        again = Cluster(directory=target, nodes=0)
        try:
            again.up()
            self.assertEqual(again.get_json("configmap", "kept")["data"], {"a": "b"})
            for number in (1, 2, 3):
                keys = again.etcdctl("get", "/registry/configmaps/default/kept", "--keys-only",
                                     number=number).out.split()
                self.assertEqual(len(keys), 1)
        finally:
            again.close()

    def test_damaged_files_are_refused_before_anything_is_written(self):
        content = open(self.file, "rb").read()
        target = os.path.join(self.cluster.scratch, "never")
        damaged = os.path.join(self.cluster.scratch, "damaged")
        middle = len(content) // 2
        for bad in (content[:-1], content[:middle], b"",
                    content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1:]):
            with open(damaged, "wb") as file:
                file.write(bad)
            done = self.restore(damaged, target)
            self.assertNotEqual(done.code, 0)
            self.assertIn(damaged, done.err)
            self.assertIn("at byte", done.err)
            self.assertFalse(os.path.exists(target))

    def test_dump_reads_a_live_replica(self):
        replica = self.cluster.directory + "/replica-1"
        self.assertIn("revision", run([DUMP, replica, "stat"]).out)
        key = "/registry/configmaps/default/kept"
        self.assertIn("/registry/configmaps/", run([DUMP, replica, "keys"]).out)
        self.assertIn(key, run([DUMP, replica, "keys", "/registry/configmaps/"]).out)
        self.assertIn('"kept"', run([DUMP, replica, "get", key]).out)
        self.assertIn("put", run([DUMP, replica, "history", key]).out.lower())
        self.assertIn(key, run([DUMP, replica, "log"]).out)


    def test_status_and_verify_tell_order_damage_and_nonsense(self):
        status = json.loads(run([MARTLET, "store", "snapshot", "status", "-w", "json",
                                 self.file]).out)
        self.assertEqual(status["totalSize"], os.path.getsize(self.file))
        self.assertIn("TOTAL KEYS", run([MARTLET, "store", "snapshot", "status", self.file]).out)
        cut = os.path.join(self.cluster.scratch, "cut")
        with open(cut, "wb") as file:
            file.write(open(self.file, "rb").read()[:-5])
        for path, code in ((self.file, 0), (cut, 1), ("/etc/passwd", 2), ("/tmp", 2)):
            done = run([MARTLET, "store", "snapshot", "verify", path], check=False)
            self.assertEqual(done.code, code, done)

    def test_a_broken_connection_is_taken_up_again(self):
        for number in range(30):
            value = os.urandom(200_000).hex()
            self.cluster.store("put", "--stdin", input=f"/big/{number} {value}\n")
        proxy = CuttingProxy(self.cluster.store_port, cuts=3, after=2_500_000)
        pki = self.cluster.directory + "/pki"
        target = os.path.join(self.cluster.scratch, "resumed")
        try:
            run([MARTLET, "store", "snapshot", "save", target, "--endpoints",
                 f"https://127.0.0.1:{proxy.address}", "--cacert", pki + "/ca.crt",
                 "--cert", pki + "/client.crt", "--key", pki + "/client.key"])
        finally:
            proxy.close()
        self.assertEqual(proxy.cuts, 0)
        self.assertFalse(os.path.exists(target + ".part"))
        self.assertEqual(run([MARTLET, "store", "snapshot", "verify", target]).code, 0)
        nothing = run([MARTLET, "store", "snapshot", "save", target + "-2", "--endpoints",
                       "http://127.0.0.1:1"], check=False)
        self.assertNotEqual(nothing.code, 0)
        self.assertEqual(glob.glob(target + "-2*"), [])

    def test_a_save_that_was_killed_goes_on_where_it_ended(self):
        pki = self.cluster.directory + "/pki"
        target = os.path.join(self.cluster.scratch, "killed")
        proxy = CuttingProxy(self.cluster.store_port, cuts=0, after=0, holds_after=3_500_000)
        command = [MARTLET, "store", "snapshot", "save", target, "--endpoints",
                   f"https://127.0.0.1:{proxy.address}", "--cacert", pki + "/ca.crt",
                   "--cert", pki + "/client.crt", "--key", pki + "/client.key"]
        saving = subprocess.Popen(command)
        try:
            self.assertTrue(proxy.held.wait(60))
        finally:
            saving.kill()
            saving.wait()
        kept = os.path.getsize(target + ".part")
        self.assertGreater(kept, 1_000_000)
        self.assertFalse(os.path.exists(target))
        proxy.holds_after, proxy.carried = None, 0
        run(command)
        proxy.close()
        self.assertEqual(run([MARTLET, "store", "snapshot", "verify", target]).code, 0)
        self.assertLess(proxy.carried, os.path.getsize(target) - kept + 500_000)
        self.assertEqual(glob.glob(target + ".*"), [])

    def test_bumped_revisions(self):
        target = os.path.join(self.cluster.scratch, "bumped")
        before = state_hash(self.file)
        done = run([MARTLET, "store", "snapshot", "restore", self.file, "--data-dir", target,
                    "--replicas", "1", "--bump-revision", "1000", "--mark-compacted"])
        self.assertIn(str(before["revision"] + 1000), done.out)
        after = state_hash(target + "/replica-1")
        self.assertEqual(after["revision"], before["revision"] + 1000)
        self.assertEqual(after["hash"], before["hash"])


class ScheduleTests(unittest.TestCase):
    """Snapshots by the clock with an archive: any moment can be had back."""

    def test_restores_to_revisions_times_and_from_one_survivor(self):
        cluster = Cluster(nodes=0, flags=["--store-only", "--archive", "--snapshot-every", "2s",
                                          "--snapshot-keep", "2"])
        try:
            cluster.up()
            known = []
            for number in range(12):
                cluster.store("put", f"/a/{number % 5}", f"value-{number}")
                known.append(state_hash(cluster.directory + f"/replica-{cluster.leader()}"))
            folder = cluster.directory + "/snapshots"
            newest = known[-1]["revision"]
            wait_for("the archive", lambda: self.restore(
                folder, cluster.scratch + "/probe", "--to-revision", str(newest)).code == 0)
            self.assertLessEqual(len(glob.glob(folder + "/*.snapshot")), 3)
            for want in known[-3:]:
                target = cluster.scratch + f"/at-{want['revision']}"
                done = self.restore(folder, target, "--to-revision", str(want["revision"]))
                self.assertEqual(done.code, 0, done)
                self.assertEqual(state_hash(target + "/replica-1"), want)
            beyond = self.restore(folder, cluster.scratch + "/beyond", "--to-revision", "99999")
            self.assertEqual(beyond.code, 1)
            self.assertFalse(os.path.exists(cluster.scratch + "/beyond"))
            cluster.stop()
            self.lose_two(cluster, known[-1])
        finally:
            cluster.close()

    def restore(self, source, target, *flags):
        shutil.rmtree(target, ignore_errors=True)
        return run([MARTLET, "store", "snapshot", "restore", source, "--data-dir", target, *flags],
                   check=False)

    def lose_two(self, cluster, want):
        recover = [MARTLET, "store", "recover", "--data-dir", cluster.directory]
        self.assertEqual(run(recover, check=False).code, 1)
        refused = run(recover + ["--force-new-cluster"], check=False)
        self.assertIn("a majority", refused.err)
        for number in (1, 3):
            shutil.rmtree(cluster.directory + f"/replica-{number}")
        done = run(recover + ["--force-new-cluster"])
        self.assertIn("knew to be committed", done.out)
        self.assertTrue(os.path.exists(cluster.directory + "/before-recover/replica-2"))
        self.assertEqual(state_hash(cluster.directory + "/replica-3")["hash"], want["hash"])
        # The archive is the old cluster's.
        cluster.flags = ["--store-only"]
        cluster.up()
        self.assertIn("value-11", cluster.store("get", "/a/1").out)


class RetentionTests(unittest.TestCase):
    """Snapshots by the clock come on and on; the newest few stay."""

    KEEP = 3

    def test_the_oldest_goes_first_and_each_that_stays_restores(self):
        cluster = Cluster(nodes=0, flags=["--store-only", "--snapshot-every", "1s",
                                          "--snapshot-keep", str(self.KEEP)])
        try:
            cluster.up()
            folder = cluster.directory + "/snapshots"
            seen = self.watch(cluster, folder)
            self.assertEqual(seen, sorted(seen), "they did not come in the order of their times")
            self.assertEqual(cluster.stop(), 0)
            kept = self.listed(folder)
            self.assertEqual(len(kept), self.KEEP, kept)
            # The last may have come after the last look.
            seen += [name for name in kept if name not in seen]
            self.assertEqual(kept, seen[-self.KEEP:])
            for name in kept:
                self.restores(folder + "/" + name, cluster.scratch + "/" + name)
            self.serves(cluster.scratch + "/" + kept[0], self.revision(kept[0]))
        finally:
            cluster.close()

    def listed(self, folder):
        return sorted(os.path.basename(path) for path in glob.glob(folder + "/*.snapshot"))

    def revision(self, name):
        return int(name.removesuffix(".snapshot").rsplit("-", 1)[1])

    def watch(self, cluster, folder):
        """Writes until three times as many came as are to be kept; answers all, as they came."""
        seen, puts = [], 0
        end = time.monotonic() + 60
        while len(seen) < 3 * self.KEEP:
            self.assertLess(time.monotonic(), end, f"only these came: {seen}")
            # The first put makes revision 2.
            cluster.store("put", "/kept", f"of-{puts + 2}")
            puts += 1
            there = self.listed(folder)
            # The newest is there before the oldest goes.
            self.assertLessEqual(len(there), self.KEEP + 1)
            seen += [name for name in there if name not in seen]
            self.assertEqual(there, seen[len(seen) - len(there):], "not the newest")
        return seen

    def restores(self, file, target):
        self.assertEqual(run([MARTLET, "store", "snapshot", "verify", file]).code, 0)
        run([MARTLET, "store", "snapshot", "restore", file, "--data-dir", target])
        self.assertEqual(state_hash(target + "/replica-1")["revision"],
                         self.revision(os.path.basename(file)))

    def serves(self, directory, revision):
        again = Cluster(directory=directory, nodes=0, flags=["--store-only"])
        try:
            again.up()
            self.assertIn(f"of-{revision}", again.store("get", "/kept").out.split())
        finally:
            again.close()


class ProgressTests(unittest.TestCase):
    """What `snapshot save` draws while it reads: on a terminal a line, else nothing."""

    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster(nodes=0, replicas=1, flags=["--store-only"])
        cls.cluster.up()
        # Several reads' worth.
        for number in range(10):
            value = os.urandom(200_000).hex()
            cls.cluster.store("put", "--stdin", input=f"/big/{number} {value}\n")

    @classmethod
    def tearDownClass(cls):
        cls.cluster.close()

    def command(self, target):
        return [MARTLET, "store", "snapshot", "save", target, "--data-dir", self.cluster.directory]

    def on_a_terminal(self, command):
        """Exit code, standard output, and what the terminal got as standard error."""
        screen, terminal = pty.openpty()
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=terminal) as process:
            os.close(terminal)
            drawn = b""
            try:
                while piece := os.read(screen, 65536):
                    drawn += piece
            except OSError:
                # So Linux says that nobody has the other end open any more.
                pass
            finally:
                os.close(screen)
            out = process.stdout.read().decode()
        return process.returncode, out, drawn.decode()

    def test_a_line_on_the_terminal_ends_at_100_percent(self):
        target = os.path.join(self.cluster.scratch, "seen")
        code, out, drawn = self.on_a_terminal(self.command(target))
        self.assertEqual(code, 0, drawn)
        self.assertTrue(out.startswith("saved revision "), out)
        self.assertNotIn("%", out)
        # One line, drawn over and over, that ends with a line feed.
        self.assertTrue(drawn.endswith("\r\n"), repr(drawn))
        self.assertEqual(drawn.count("\n"), 1, repr(drawn))
        frames = drawn.removesuffix("\r\n").split("\r\x1b[K")
        self.assertEqual(frames[0], "")
        self.assertIn("makes a snapshot", frames[1])
        bars = [re.fullmatch(r"\[(#*)(\.*)\] (\d+)%  (.+) of (.+), .+/s", frame)
                for frame in frames[2:]]
        self.assertTrue(bars and all(bars), frames)
        percents = [int(bar[3]) for bar in bars]
        self.assertEqual(percents, sorted(percents))
        for bar in bars:
            self.assertEqual(len(bar[1]) + len(bar[2]), 30)
            self.assertLessEqual(abs(len(bar[1]) - int(bar[3]) * 30 // 100), 1)
        self.assertEqual(percents[-1], 100)
        self.assertEqual(bars[-1][4], bars[-1][5])
        self.assertEqual(run([MARTLET, "store", "snapshot", "verify", target]).code, 0)

    def test_nothing_of_it_without_a_terminal(self):
        target = os.path.join(self.cluster.scratch, "unseen")
        done = run(self.command(target))
        self.assertEqual(done.err, "")
        self.assertRegex(done.out, r"^saved revision \d+, \d+ keys, .+ to .+\n$")
        self.assertNotIn("\x1b", done.out)


if __name__ == "__main__":
    unittest.main()
