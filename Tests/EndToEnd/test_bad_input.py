"""What is wrong gets one clear error; nothing else stops."""

import fcntl
import json
import os
import shutil
import socket
import ssl
import subprocess
import tempfile
import threading
import unittest
import urllib.error
import urllib.request

from cluster import MARTLET, Cluster, free_ports, run


class BeforeStartTests(unittest.TestCase):
    def setUp(self):
        self.scratch = tempfile.mkdtemp(prefix="martlet-bad-")
        self.port = free_ports(40)

    def tearDown(self):
        shutil.rmtree(self.scratch)

    def up(self, *flags, directory=None):
        return run([MARTLET, "up", "--data-dir", directory or self.scratch + "/data",
                    "--store-port", str(self.port), "--api-port", str(self.port + 3), *flags],
                   check=False, timeout=30)

    def test_port_in_use_is_named(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", self.port + 10))
            taken.listen()
            done = self.up()
        self.assertEqual(done.code, 1)
        self.assertIn(f"port {self.port + 10} of replica-2 is not free", done.err)

    def test_what_a_killed_server_still_has_is_waited_for(self):
        # Killed with a large keyspace, it has ports and lock until its memory is taken down.
        cluster = Cluster(directory=self.scratch + "/killed", nodes=0, replicas=1,
                          flags=["--store-only"])
        cluster.up()
        cluster.stop()
        taken = socket.socket()
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", cluster.store_port))
        taken.listen()
        lock = open(self.scratch + "/killed/replica-1/lock", "rb+")
        fcntl.flock(lock, fcntl.LOCK_EX)
        releases = [threading.Timer(0.7, taken.close), threading.Timer(1.2, lock.close)]
        for release in releases:
            release.start()
        try:
            cluster.up()
        finally:
            for release in releases:
                release.join()
            cluster.close()

    def test_wrong_flags(self):
        self.assertIn("--replicas is 1, 3 or 5", self.up("--replicas", "2").err)
        self.assertIn("--plaintext needs --store-only", self.up("--plaintext").err)
        self.assertIn("--hosts names 2 addresses for 3 replicas",
                      self.up("--hosts", "127.0.0.2,127.0.0.3").err)
        self.assertIn("--hosts: db is not an IPv4 address",
                      self.up("--hosts", "127.0.0.2,db,127.0.0.3").err)
        self.assertIn("is not free", self.up("--hosts", "192.0.2.1,127.0.0.2,127.0.0.3").err)

    def test_newer_format(self):
        os.makedirs(self.scratch + "/data")
        with open(self.scratch + "/data/cluster.json", "w") as file:
            json.dump({"format": 99}, file)
        done = self.up()
        self.assertEqual(done.code, 71)
        self.assertIn("cluster.json: format 99 is newer", done.err)

    def test_directory_of_another_number_of_replicas(self):
        cluster = Cluster(directory=self.scratch + "/one", nodes=0, replicas=1)
        cluster.up()
        cluster.stop()
        done = self.up(directory=self.scratch + "/one")
        self.assertEqual(done.code, 1)
        self.assertIn("holds a cluster of 1 replicas", done.err)


class RunningTests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster(nodes=0)
        cls.cluster.up()
        cls.api = f"https://127.0.0.1:{cls.cluster.api_port}"

    @classmethod
    def tearDownClass(cls):
        cls.cluster.close()

    def setUp(self):
        self.pids = self.cluster.pids()

    def tearDown(self):
        self.assertEqual(self.pids, self.cluster.pids(), self.cluster.logs())
        self.assertEqual(self.cluster.kubectl("get", "--raw", "/readyz").out.strip(), "ok")

    def request(self, method, path, body=None, content_type="application/json", client=True):
        context = ssl.create_default_context(cafile=self.cluster.directory + "/pki/api-ca.crt")
        if client:
            self.write_admin()
            context.load_cert_chain(self.scratch_file("admin.crt"), self.scratch_file("admin.key"))
        request = urllib.request.Request(
            self.api + path, data=body, method=method, headers={"Content-Type": content_type})
        try:
            with urllib.request.urlopen(request, context=context, timeout=20) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    def scratch_file(self, name):
        return os.path.join(self.cluster.scratch, name)

    def write_admin(self):
        import base64
        import re
        text = open(self.cluster.directory + "/kubeconfig").read()
        for field, name in (("client-certificate-data", "admin.crt"),
                            ("client-key-data", "admin.key")):
            with open(self.scratch_file(name), "wb") as file:
                file.write(base64.b64decode(re.search(field + r": (\S+)", text).group(1)))

    def status(self, *arguments, **options):
        code, body = self.request(*arguments, **options)
        status = json.loads(body)
        self.assertEqual(status["kind"], "Status", body)
        self.assertEqual(status["code"], code)
        return code, status

    def test_bodies(self):
        path = "/api/v1/namespaces/default/configmaps"
        for body, type in ((b"{", "application/json"), (b"a: [", "application/yaml"),
                           (b"k8s\x00\xff\xff\xff", "application/vnd.kubernetes.protobuf"),
                           (b'{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":7}}',
                            "application/json")):
            code, status = self.status("POST", path, body, type)
            self.assertEqual(code, 400, status)
        code, _ = self.status("POST", path, b"x", "text/plain")
        self.assertEqual(code, 415)
        code, _ = self.status("POST", path, b'{"a":"' + b"x" * (3 << 20) + b'"}')
        self.assertEqual(code, 413)

    def test_paths(self):
        self.assertEqual(self.status("GET", "/apis/none.example/v1/things")[0], 404)
        self.assertEqual(self.status("GET", "/api/v1/namespaces/default/nothings")[0], 404)
        self.assertEqual(self.status("DELETE", "/api/v1/namespaces/default/pods/none")[0], 404)

    def test_no_certificate_is_forbidden(self):
        code, status = self.status("GET", "/api/v1/pods", client=False)
        self.assertIn(code, (401, 403))

    def test_garbage_on_every_port(self):
        port = self.cluster.store_port
        for number in (port, port + 1, self.cluster.api_port):
            for noise in (b"GET / HTTP/1.0\r\n\r\n", b"\x00" * 100, os.urandom(4096)):
                with socket.create_connection(("127.0.0.1", number), timeout=5) as connection:
                    try:
                        connection.sendall(noise)
                        connection.settimeout(5)
                        connection.recv(100)
                    except OSError:
                        pass

    def test_future_revision(self):
        bad = self.cluster.etcdctl("get", "x", "--rev", "999999999", check=False)
        self.assertIn("required revision is a future revision", bad.err)


if __name__ == "__main__":
    unittest.main()
