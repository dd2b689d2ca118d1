"""Everyday kubectl against a running cluster, with real pods."""

import json
import os
import shutil
import subprocess
import tempfile
import time
import unittest
import urllib.request

from cluster import KUBECTL, ROOT, Cluster, run, wait_for

WEB = str(ROOT / "examples" / "web.yaml")


class KubectlTests(unittest.TestCase):
    """Runs over a cluster of any make: test_on_etcd.py has another."""

    @classmethod
    def make_cluster(cls):
        return Cluster(nodes=1)

    @classmethod
    def setUpClass(cls):
        cls.cluster = cls.make_cluster()
        cls.addClassCleanup(cls.cluster.close)
        cls.cluster.up()

    def kubectl(self, *arguments, **options):
        return self.cluster.kubectl(*arguments, **options)

    def running(self, selector, count, namespace="default"):
        def check():
            items = self.cluster.get_json("pods", "-l", selector, "-n", namespace)["items"]
            live = [p for p in items if "deletionTimestamp" not in p["metadata"]]
            ready = [
                p for p in live for c in p["status"].get("conditions", [])
                if c["type"] == "Ready" and c["status"] == "True"]
            return len(live) == count and len(ready) == count and len(items) == count and items
        return wait_for(f"{count} pods of {selector} are ready", check, seconds=60)

    def test_01_node_is_ready(self):
        out = self.kubectl("get", "nodes").out.split()
        self.assertIn("node-1", out)
        self.assertIn("Ready", out)
        self.kubectl("wait", "node/node-1", "--for=condition=Ready", "--timeout=10s")

    def test_02_deployment_serves(self):
        out = self.kubectl("apply", "-f", WEB).out
        self.assertEqual(out, "configmap/web created\ndeployment.apps/web created\n")
        self.assertIn("successfully rolled out",
                      self.kubectl("rollout", "status", "deployment/web", "--timeout=60s").out)
        for pod in self.running("app=web", 3):
            url = f"http://{pod['status']['podIP']}:8080/index.html"
            with urllib.request.urlopen(url, timeout=5) as answer:
                self.assertEqual(answer.read(), b"Hello from Martlet.\n")
        out = self.kubectl("get", "deploy,rs,pods", "-o", "wide").out
        self.assertIn("deployment.apps/web   3/3", out)
        self.assertIn("node-1", out)
        again = self.kubectl("apply", "-f", WEB).out
        self.assertEqual(again, "configmap/web unchanged\ndeployment.apps/web unchanged\n")

    def test_03_describe_logs_events(self):
        out = self.kubectl("describe", "deployment", "web").out
        self.assertIn("ScalingReplicaSet", out)
        pod = self.running("app=web", 3)[0]
        name, address = pod["metadata"]["name"], pod["status"]["podIP"]
        self.assertIn("Started", self.kubectl("describe", "pod", name).out)
        urllib.request.urlopen(f"http://{address}:8080/", timeout=5).read()
        wait_for("the request is in the log", lambda: "response:200" in
                 self.kubectl("logs", name).out)
        self.assertIn("Scheduled", self.kubectl("get", "events").out)
        follow = subprocess.Popen(
            [KUBECTL, "--kubeconfig", self.cluster.directory + "/kubeconfig", "logs", "-f",
             "--tail=1", name], stdout=subprocess.PIPE, text=True)
        try:
            self.assertTrue(follow.stdout.readline())
            urllib.request.urlopen(f"http://{address}:8080/index.html", timeout=5).read()
            self.assertTrue(follow.stdout.readline())
        finally:
            follow.kill()
            follow.wait()

    def test_04_scale_and_watch(self):
        watch = subprocess.Popen(
            [KUBECTL, "--kubeconfig", self.cluster.directory + "/kubeconfig", "get", "pods",
             "-w", "--no-headers", "-l", "app=web"], stdout=subprocess.PIPE, text=True)
        try:
            self.assertIn("web-", watch.stdout.readline())
            self.kubectl("scale", "deployment/web", "--replicas=5")
            self.running("app=web", 5)
            self.kubectl("scale", "deployment/web", "--replicas=2")
            self.running("app=web", 2)
            seen = [watch.stdout.readline() for _ in range(6)]
            self.assertTrue(any("Running" in line for line in seen), seen)
        finally:
            watch.kill()
            watch.wait()

    def test_05_rollouts(self):
        self.kubectl("set", "env", "deployment/web", "COLOUR=blue")
        self.kubectl("rollout", "status", "deployment/web", "--timeout=60s")
        self.kubectl("set", "image", "deployment/web", "web=busybox:2")
        self.kubectl("rollout", "status", "deployment/web", "--timeout=60s")
        history = self.kubectl("rollout", "history", "deployment/web").out
        self.assertIn("3", history.split())
        self.kubectl("rollout", "undo", "deployment/web")
        self.kubectl("rollout", "status", "deployment/web", "--timeout=60s")
        image = self.kubectl("get", "deployment", "web", "-o",
                             "jsonpath={.spec.template.spec.containers[0].image}").out
        self.assertEqual(image, "busybox:1")
        self.kubectl("rollout", "restart", "deployment/web")
        self.kubectl("rollout", "status", "deployment/web", "--timeout=60s")
        self.running("app=web", 2)

    def test_06_label_annotate_patch_edit_replace(self):
        self.kubectl("create", "configmap", "things", "--from-literal=a=1")
        self.kubectl("label", "configmap/things", "tier=one")
        self.kubectl("annotate", "configmap/things", "note=hello")
        self.kubectl("patch", "configmap/things", "--type=merge", "-p", '{"data":{"b":"2"}}')
        self.kubectl("patch", "configmap/things", "--type=json", "-p",
                     '[{"op":"add","path":"/data/c","value":"3"}]')
        self.kubectl("patch", "configmap/things", "-p", '{"data":{"d":"4"}}')
        found = self.cluster.get_json("configmap", "things")
        self.assertEqual(found["data"], {"a": "1", "b": "2", "c": "3", "d": "4"})
        self.assertEqual(found["metadata"]["labels"], {"tier": "one"})
        self.kubectl("patch", "deployment/web", "--type=strategic", "-p", json.dumps(
            {"spec": {"template": {"spec": {"containers": [
                {"name": "web", "env": [{"name": "EXTRA", "value": "x"}]}]}}}}))
        names = [e["name"] for e in self.cluster.get_json("deployment", "web")
                 ["spec"]["template"]["spec"]["containers"][0]["env"]]
        self.assertIn("POD_IP", names)
        self.assertIn("EXTRA", names)
        self.kubectl("edit", "configmap/things")
        found["data"] = {"z": "26"}
        self.kubectl("replace", "-f", "-", input=json.dumps(found))
        stale = self.kubectl("replace", "-f", "-", input=json.dumps(found), check=False)
        self.assertNotEqual(stale.code, 0)
        self.assertIn("the object has been modified", stale.err)

    def test_07_output_formats_and_selectors(self):
        for output in ("yaml", "json", "name", "wide", "jsonpath={.items[*].metadata.name}",
                       "custom-columns=NAME:.metadata.name"):
            self.assertTrue(self.kubectl("get", "pods", "-o", output).out)
        self.assertIn("app=web", self.kubectl("get", "pods", "--show-labels").out)
        self.assertEqual(self.cluster.get_json("pods", "-l", "app in (nothing)")["items"], [])
        self.assertTrue(
            self.cluster.get_json("pods", "--field-selector", "status.phase=Running")["items"])
        bad = self.kubectl("get", "pods", "-l", "a in (", check=False)
        self.assertIn("unable to parse requirement", bad.err)

    def test_08_create_everything(self):
        self.kubectl("create", "namespace", "n1")
        self.kubectl("create", "secret", "generic", "s", "--from-literal=p=q", "-n", "n1")
        self.kubectl("create", "serviceaccount", "robot", "-n", "n1")
        self.kubectl("create", "deployment", "sleeper", "--image=busybox", "-n", "n1", "--",
                     "busybox", "sleep", "1000")
        self.running("app=sleeper", 1, "n1")
        wait_for("the default service account",
                 lambda: self.cluster.get_json("serviceaccount", "default", "-n", "n1"))
        self.kubectl("delete", "namespace", "n1", timeout=90)
        gone = self.kubectl("get", "namespace", "n1", check=False)
        self.assertIn('namespaces "n1" not found', gone.err)
        self.assertEqual(
            self.cluster.etcdctl("get", "--prefix", "/registry/secrets/n1/").out, "")

    def test_09_cascades(self):
        for cascade in ("background", "foreground", "orphan"):
            name = f"c-{cascade}"
            self.kubectl("create", "deployment", name, "--image=busybox", "--", "busybox",
                         "sleep", "1000")
            self.running(f"app={name}", 1)
            self.kubectl("delete", "deployment", name, f"--cascade={cascade}", timeout=90)
            if cascade == "orphan":
                time.sleep(1)
                sets = self.cluster.get_json("rs", "-l", f"app={name}")["items"]
                self.assertEqual(len(sets), 1)
                self.assertNotIn("ownerReferences", sets[0]["metadata"])
                self.kubectl("delete", "rs", "-l", f"app={name}")
            wait_for(f"pods of {name} are gone", lambda: not self.cluster.get_json(
                "pods", "-l", f"app={name}")["items"])

    def test_10_dry_run_diff_explain_and_friends(self):
        self.kubectl("create", "configmap", "dry", "--from-literal=a=b", "--dry-run=server")
        self.assertNotEqual(self.kubectl("get", "configmap", "dry", check=False).code, 0)
        changed = open(WEB).read().replace("Hello from Martlet.", "Hello again.")
        diff = self.kubectl("diff", "-f", "-", input=changed, check=False)
        self.assertEqual(diff.code, 1, diff)
        self.assertIn("+    Hello again.", diff.out)
        resources = self.kubectl("api-resources").out
        for word in ("deployments", "po ", "configmaps", "namespaces"):
            self.assertIn(word, resources)
        self.assertIn("replicas", self.kubectl("explain", "deployment.spec").out)
        self.assertIn("Server Version: v1.36", self.kubectl("version").out)
        self.assertIn("is running at", self.kubectl("cluster-info").out)
        refused = self.kubectl("get", "--raw", "/apis/nothing/v1/things", check=False)
        self.assertIn("NotFound", refused.err)

    def test_11_bad_input(self):
        bad = self.kubectl("apply", "-f", "-", check=False, input="""
apiVersion: apps/v1
kind: Deployment
metadata: {name: bad}
spec: {replicaz: 1, selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {containers: [{name: x, image: busybox}]}}}
""")
        self.assertIn('unknown field "spec.replicaz"', bad.err)
        bad = self.kubectl("create", "-f", "-", check=False, input="""
{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"Bad_Name"}}
""")
        self.assertIn("a lowercase RFC 1123 subdomain", bad.err)
        self.cluster.etcdctl("put", "/registry/configmaps/default/garbage", "not an object")
        try:
            bad = self.kubectl("get", "configmap", "garbage", check=False)
            self.assertNotEqual(bad.code, 0)
            self.kubectl("get", "--raw", "/readyz")
        finally:
            self.cluster.etcdctl("del", "/registry/configmaps/default/garbage")

    def test_12_agent_killed_leaves_pods(self):
        before = {p["metadata"]["name"]: p["status"]["containerStatuses"][0]["containerID"]
                  for p in self.running("app=web", 2)}
        os.kill(self.cluster.pid("node-1"), 9)
        time.sleep(2)
        after = {p["metadata"]["name"]: p["status"]["containerStatuses"][0]["containerID"]
                 for p in self.running("app=web", 2)}
        self.assertEqual(before, after)

    def test_13_volumes_follow_their_config_map(self):
        pod = self.running("app=web", 2)[0]
        url = f"http://{pod['status']['podIP']}:8080/index.html"
        self.kubectl("patch", "configmap", "web", "--type=merge",
                     "-p", '{"data":{"index.html":"Changed.\\n"}}')
        # A changed annotation makes the agent look at once rather than within a minute.
        self.kubectl("annotate", "pod", pod["metadata"]["name"], "looked=again", "--overwrite")

        def is_changed():
            with urllib.request.urlopen(url, timeout=5) as answer:
                return answer.read() == b"Changed.\n"
        wait_for("the new content is served", is_changed, seconds=20)

    def test_14_https_probe_and_post_start(self):
        folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, folder)
        run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=secure",
             "-keyout", folder + "/tls.key", "-out", folder + "/tls.crt"])
        self.kubectl("create", "secret", "tls", "secure", f"--cert={folder}/tls.crt",
                     f"--key={folder}/tls.key")
        self.kubectl("apply", "-f", "-", input=SECURE)
        self.kubectl("wait", "pod/secure", "--for=condition=Ready", "--timeout=30s")
        wait_for("the hook that fails is told of", lambda: "PostStartHook failed" in self.kubectl(
            "get", "events", "--field-selector", "involvedObject.name=failing-hook").out)
        self.kubectl("delete", "pod", "secure", "failing-hook", "--now")


SECURE = """
apiVersion: v1
kind: Pod
metadata: {name: secure}
spec:
  volumes:
  - {name: tls, secret: {secretName: secure}}
  containers:
  - name: server
    image: openssl
    command: [openssl, s_server, -quiet, -www, -accept, "$(POD_IP):8443",
              -cert, $(MARTLET_VOLUMES)/tls/tls.crt, -key, $(MARTLET_VOLUMES)/tls/tls.key]
    volumeMounts:
    - {name: tls, mountPath: $(MARTLET_VOLUMES)/tls}
    lifecycle: {postStart: {exec: {command: ["true"]}}}
    readinessProbe:
      httpGet: {scheme: HTTPS, port: 8443, path: /}
      periodSeconds: 1
---
apiVersion: v1
kind: Pod
metadata: {name: failing-hook}
spec:
  restartPolicy: Never
  containers:
  - name: main
    image: busybox
    command: [sleep, "1000"]
    lifecycle: {postStart: {exec: {command: [sh, -c, "echo no luck; exit 3"]}}}
"""


class RestartTests(unittest.TestCase):
    def test_everything_comes_back(self):
        cluster = Cluster(nodes=1)
        try:
            cluster.up()
            cluster.kubectl("apply", "-f", WEB)
            cluster.kubectl("rollout", "status", "deployment/web", "--timeout=60s")
            self.assertEqual(cluster.stop(), 0)
            leftovers = subprocess.run(
                ["pgrep", "-f", "busybox httpd"], capture_output=True, text=True).stdout
            self.assertEqual(leftovers, "")
            cluster.up()
            cluster.kubectl("wait", "deployment/web", "--for=condition=Available",
                            "--timeout=60s")
            cluster.kill_everything()
            cluster.up()
            def serving():
                pods = cluster.get_json("pods", "-l", "app=web")["items"]
                for pod in pods:
                    url = f"http://{pod['status']['podIP']}:8080/"
                    try:
                        urllib.request.urlopen(url, timeout=2).read()
                    except OSError:
                        return False
                return len(pods) == 3
            wait_for("the pods serve again", serving)
        finally:
            cluster.close()


if __name__ == "__main__":
    unittest.main()
