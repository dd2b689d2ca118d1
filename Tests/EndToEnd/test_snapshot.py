"""Snapshots of a running cluster: saved, checked, restored, taken by the clock, to a revision."""

import glob
import json
import os
import select
import shutil
import socket
import subprocess
import threading
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


if __name__ == "__main__":
    unittest.main()
