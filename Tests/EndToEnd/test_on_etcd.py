"""The control plane on a real etcd: the same kubectl, no replicas of its own."""

import json
import pathlib
import signal
import subprocess
import threading
import unittest

import test_kubectl
from cluster import KUBECTL, MARTLET, Cluster, free_ports, run, wait_for
from etcd import DEBIAN, WHEEL, Etcd


class KubectlOnEtcdTests(test_kubectl.KubectlTests):
    """Everyday kubectl, all of it, over three members of etcd 3.5 with TLS."""

    folder, version = WHEEL, "3.5."

    @classmethod
    def make_cluster(cls):
        cls.etcd = Etcd(folder=cls.folder, tls=True)
        cls.addClassCleanup(cls.etcd.close)
        cls.etcd.start()
        return Cluster(nodes=1, replicas=1, etcd=cls.etcd)

    def test_00_it_is_the_etcd_that_is_meant(self):
        out = self.etcd.etcdctl("endpoint", "status", "-w", "json").out
        for member in json.loads(out):
            self.assertTrue(member["Status"]["version"].startswith(self.version), member)

    def test_90_every_object_has_its_own_revision(self):
        """A watch may go on after any resource version, so no two of a kind share one."""
        self.kubectl("create", "deployment", "many", "--image=web", "--replicas=30")
        try:
            def made():
                return len(self.cluster.get_json("pods", "-l", "app=many")["items"]) == 30
            wait_for("30 pods are made", made)
            out = self.etcd.etcdctl("get", "--prefix", "/registry/pods/", "-w", "fields").out
            versions = [line for line in out.splitlines() if line.startswith('"CreateRevision"')]
            self.assertGreaterEqual(len(versions), 30)
            self.assertEqual(len(versions), len(set(versions)))
        finally:
            self.kubectl("delete", "deployment", "many", "--wait=true")

    def test_91_foreign_values_are_named(self):
        for value in ("k8s\0\n\x0c", "nonsense"):
            self.etcd.etcdctl("put", "/registry/configmaps/default/foreign", input=value)
            done = self.kubectl("get", "configmap", "foreign", check=False)
            self.assertEqual(done.code, 1)
            self.assertIn("/registry/configmaps/default/foreign", done.err)
            self.assertIn("protobuf" if value.startswith("k8s") else "not an object", done.err)
        self.etcd.etcdctl("del", "/registry/configmaps/default/foreign")
        self.kubectl("get", "configmaps")


class KubectlOnDebiansEtcdTests(KubectlOnEtcdTests):
    """The same over Debian's, which knows neither lease checkpoints nor what came with 3.5."""

    folder, version = DEBIAN, "3.4."


class EtcdTroubleTests(unittest.TestCase):
    """Members that die, and what is said when etcd is not there."""

    def setUp(self):
        self.etcd = Etcd(flags=["--heartbeat-interval", "50", "--election-timeout", "500"],
                         folder=DEBIAN)
        self.addCleanup(self.etcd.close)
        self.cluster = Cluster(
            nodes=1, replicas=1, flags=["--store-compaction-interval", "2s"], etcd=self.etcd)
        self.addCleanup(self.cluster.close)

    def ready(self, count):
        def check():
            done = self.cluster.kubectl("get", "deploy", "web", "-o",
                                        "jsonpath={.status.readyReplicas}", check=False)
            return done.out == str(count)
        wait_for(f"{count} pods are ready", check)

    def test_members_die_one_after_the_other(self):
        self.etcd.start()
        self.cluster.up()
        kubectl = self.cluster.kubectl
        kubectl("apply", "-f", test_kubectl.WEB)
        self.ready(3)
        watch = subprocess.Popen(
            [KUBECTL, "--kubeconfig", self.cluster.directory + "/kubeconfig", "get", "pods",
             "-w", "-o", "name", "-l", "app=web"], stdout=subprocess.DEVNULL)
        self.addCleanup(watch.wait)
        self.addCleanup(watch.kill)
        for index in range(3):
            with self.subTest(member=index):
                self.etcd.kill(index)
                kubectl("scale", "deployment/web", f"--replicas={index + 1}")
                self.ready(index + 1)
                kubectl("create", "configmap", f"during-{index}", "--from-literal=a=b")
                self.etcd.start(index)
        self.assertEqual(
            len(self.cluster.get_json("configmaps", "-n", "default")["items"]), 5)
        # Compaction goes on meanwhile, and nobody minds.
        log = pathlib.Path(self.cluster.directory, "replica-1", "server.log")
        wait_for("etcd is compacted", lambda: "etcd is compacted" in log.read_text(), seconds=20)
        self.assertIn("compact_rev_key", self.etcd.etcdctl("get", "compact_rev_key").out)
        # Without a majority nothing is answered wrongly; with it, everything goes on.
        self.etcd.kill(0)
        self.etcd.kill(1)
        done = kubectl("get", "pods", "--request-timeout=3s", check=False)
        self.assertNotEqual(done.code, 0)
        self.etcd.start(0, 1)
        kubectl("scale", "deployment/web", "--replicas=4")
        self.ready(4)

    def test_an_etcd_that_comes_later_is_waited_for(self):
        process = subprocess.Popen(
            [MARTLET, "up", "--data-dir", self.cluster.directory, "--replicas", "1", "--nodes",
             "1", "--api-port", str(self.cluster.api_port), *self.cluster.flags],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        timer = threading.Timer(60, process.kill)
        timer.start()
        self.addCleanup(timer.cancel)
        try:
            line = process.stdout.readline()
            self.assertIn("replica-1 waits for etcd at " + self.etcd.url, line)
            self.assertIn("onnection refused", line)
            self.etcd.start()
            while not (line := process.stdout.readline()).startswith("ready"):
                self.assertTrue(line, "it ended")
            self.assertIn("on etcd at " + self.etcd.url, line)
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(timeout=15)
            process.stdout.close()


class EtcdFlagTests(unittest.TestCase):
    """What is wrong is said at once, with its name."""

    def up(self, directory, *flags):
        port = free_ports(4)
        return run([MARTLET, "up", "--data-dir", directory, "--replicas", "1",
                    "--store-port", str(port), "--api-port", str(port + 2), *flags],
                   check=False, timeout=20)

    def test_bad_flags(self):
        etcd = Etcd(members=1, tls=True)
        self.addCleanup(etcd.close)
        url = ["--store-endpoints", etcd.url]
        ca, cert = etcd.path("pki/ca.crt"), ["--store-cert", etcd.path("pki/client.crt")]
        for flags, words in [
            (["--store-endpoints", "127.0.0.1"], "bad endpoint 127.0.0.1"),
            (["--store-endpoints", ""], "--store-endpoints is empty"),
            (["--store-cacert", ca], "--store-cacert needs --store-endpoints"),
            (url, "--store-cacert is needed for https endpoints"),
            ([*url, "--store-cacert", ca + ".gone"], f"cannot read {ca}.gone"),
            ([*url, "--store-cacert", etcd.path("pki/ca.key")],
             "ca.key is not a certificate in PEM"),
            ([*url, "--store-cacert", ca, *cert], "--store-cert and --store-key go together"),
            ([*url, "--store-cacert", ca, *cert, "--store-key", etcd.path("pki/server.key")],
             f"server.key is not the key of {etcd.path('pki/client.crt')}"),
            ([*url, "--store-only"], "leave nothing to run"),
            ([*url, "--store-compaction-interval", "5"], "--store-compaction-interval"),
            (["--store-endpoints", etcd.url + ",http://127.0.0.1:1"],
             "some are https and others are not"),
        ]:
            with self.subTest(flags=flags):
                directory = etcd.path("never")
                done = self.up(directory, *flags)
                self.assertNotEqual(done.code, 0)
                self.assertIn(words, done.err)
                self.assertFalse(pathlib.Path(directory).exists())

    def test_a_certificate_of_another_authority(self):
        etcd, other = Etcd(members=1, tls=True), Etcd(members=1, tls=True)
        self.addCleanup(etcd.close)
        self.addCleanup(other.close)
        etcd.start()
        process = subprocess.Popen(
            [MARTLET, "up", "--data-dir", etcd.path("data"), "--replicas", "1", "--api-port",
             str(free_ports(1)), "--store-endpoints", etcd.url, *other.martlet_flags[2:]],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        timer = threading.Timer(60, process.kill)
        timer.start()
        self.addCleanup(timer.cancel)
        try:
            line = process.stdout.readline()
            self.assertIn(f"waits for etcd at {etcd.url}: {etcd.url}: ", line)
            self.assertIn("TLS: the certificate shown is not of the authority given", line)
        finally:
            process.send_signal(signal.SIGINT)
            self.assertEqual(process.wait(timeout=15), 0)
            process.stdout.close()

    def test_a_server_alone_lays_its_folder_out(self):
        etcd = Etcd(members=1, tls=True)
        self.addCleanup(etcd.close)
        etcd.start()
        directory, port = etcd.path("alone"), free_ports(1)
        for turn in range(2):
            process = subprocess.Popen(
                [MARTLET, "server", "--data-dir", directory, "--api-port", str(port),
                 *etcd.martlet_flags], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            timer = threading.Timer(60, process.kill)
            timer.start()
            self.addCleanup(timer.cancel)
            kubectl = [KUBECTL, "--kubeconfig", directory + "/kubeconfig"]
            try:
                wait_for("the API serves", lambda: run(
                    [*kubectl, "get", "--raw", "/readyz"], check=False).out == "ok")
                done = run([*kubectl, "create", "configmap", "kept"], check=False)
                self.assertIn("exists" if done.code else "created", done.out + done.err)
            finally:
                process.send_signal(signal.SIGINT)
                self.assertEqual(process.wait(timeout=15), 0)
                process.stdout.close()
            path = pathlib.Path(directory, "cluster.json")
            layout = json.loads(path.read_text())
            # What somebody else laid out stays.
            if turn == 1:
                self.assertEqual(layout["nodes"], ["node-1", "node-2"])
            layout["nodes"] = ["node-1", "node-2"]
            path.write_text(json.dumps(layout))
        self.assertIn("exists", done.err)
        self.assertIn("/configmaps/default/kept",
                      etcd.etcdctl("get", "--prefix", "--keys-only", "/registry").out)
        done = run([MARTLET, "server", "--data-dir", directory, "--name", "m1",
                    *etcd.martlet_flags], check=False)
        self.assertIn("--name does not go with --store-endpoints", done.err)

    def test_a_folder_keeps_to_its_kind_of_store(self):
        etcd = Etcd(members=1)
        self.addCleanup(etcd.close)
        cluster = Cluster(nodes=0, replicas=1, flags=["--store-only"])
        self.addCleanup(cluster.close)
        cluster.up()
        cluster.stop()
        done = self.up(cluster.directory, *etcd.martlet_flags)
        self.assertEqual(done.code, 1)
        self.assertIn("holds a cluster with replicas of its own", done.err)


if __name__ == "__main__":
    unittest.main()
