"""One member of `martlet server` on https: etcd's certificate flags, and who a certificate or a JWT
says its holder is."""

import base64
import json
import os
import shutil
import ssl
import subprocess
import tempfile
import unittest
import urllib.error
import urllib.request

from certificates import Maker
from cluster import ETCDCTL, MARTLET, free_ports, run, wait_for


def b64(text):
    return base64.b64encode(text.encode()).decode()


def jwt_part(text):
    return json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))


class Member:
    def __init__(self, *flags, client_certificates):
        self.folder = tempfile.mkdtemp(prefix="martlet-e2e-")
        self.made = Maker(self.folder + "/pki")
        self.authority = self.made.authority("clients-and-servers")
        self.server = self.made.issue("server", self.authority)
        first = free_ports(2)
        self.client_url = f"https://127.0.0.1:{first}"
        peer = f"https://127.0.0.1:{first + 1}"
        tls = ["--cert-file", self.server[0], "--key-file", self.server[1],
               "--peer-cert-file", self.server[0], "--peer-key-file", self.server[1],
               "--peer-trusted-ca-file", self.authority[0]]
        if client_certificates:
            tls += ["--client-cert-auth", "--trusted-ca-file", self.authority[0]]
        self.log = open(self.folder + "/log", "w")
        self.process = subprocess.Popen(
            [MARTLET, "server", "--data-dir", self.folder + "/data", "--listen-client-urls",
             self.client_url, "--advertise-client-urls", self.client_url, "--listen-peer-urls",
             peer, "--initial-advertise-peer-urls", peer, "--initial-cluster", "default=" + peer,
             *tls, *flags], stdout=self.log, stderr=self.log, cwd=self.folder)

    def ctl(self, *arguments, pair=None, check=True):
        command = [ETCDCTL, "--endpoints", self.client_url, "--cacert", self.authority[0]]
        if pair:
            command += ["--cert", pair[0], "--key", pair[1]]
        return run([*command, *arguments], check=check, env={**os.environ, "ETCDCTL_API": "3"})

    def gateway(self, path, body, token=None, pair=None):
        """Status and JSON of the answer."""
        context = ssl.create_default_context(cafile=self.authority[0])
        if pair:
            context.load_cert_chain(*pair)
        request = urllib.request.Request(
            self.client_url + path, data=json.dumps(body).encode(),
            headers={"Authorization": token} if token else {})
        try:
            with urllib.request.urlopen(request, timeout=10, context=context) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    def enable_auth(self, pair=None):
        """With root, and alice who may write below alice/."""
        for line in ("user add root:pw", "user grant-role root root", "role add alices",
                     "role grant-permission alices readwrite alice/ --prefix=true",
                     "user add alice:secret", "user grant-role alice alices", "auth enable"):
            self.ctl(*line.split(), pair=pair)

    def close(self):
        self.process.terminate()
        self.process.wait(timeout=20)
        self.log.close()
        shutil.rmtree(self.folder, ignore_errors=True)


class TLSTests(unittest.TestCase):
    def member(self, *flags, client_certificates=False, pair=None):
        member = Member(*flags, client_certificates=client_certificates)
        self.addCleanup(member.close)
        pair = member.made.issue("root", member.authority) if client_certificates else None
        wait_for("it serves", lambda: member.ctl(
            "endpoint", "health", pair=pair, check=False).code == 0)
        return member, pair

    def test_the_name_on_a_certificate_is_a_user(self):
        member, root = self.member(client_certificates=True)
        alice = member.made.issue("alice", member.authority)
        stranger = member.made.issue("mallory", member.authority)
        self.assertNotEqual(member.ctl("get", "x", check=False).code, 0)
        member.enable_auth(pair=root)
        member.ctl("put", "private", "p", pair=root)
        member.ctl("put", "alice/1", "a", pair=alice)
        self.assertEqual(member.ctl("get", "alice/1", pair=alice).out, "alice/1\na\n")
        for pair in (alice, stranger):
            done = member.ctl("get", "private", pair=pair, check=False)
            self.assertIn("permission denied", done.err)
        # A password says more than a certificate.
        done = member.ctl("get", "private", "--user", "alice:secret", pair=root, check=False)
        self.assertIn("permission denied", done.err)
        # Behind the gateway there may be a proxy, whose certificate is not its clients'.
        status, answer = member.gateway("/v3/kv/range", {"key": b64("private")}, pair=root)
        self.assertEqual((status, answer["message"]), (400, "etcdserver: user name is empty"))

    def test_json_web_tokens(self):
        folder = tempfile.mkdtemp(prefix="martlet-e2e-")
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        private, public = folder + "/jwt.key", folder + "/jwt.pub"
        run(["openssl", "genrsa", "-out", private, "2048"])
        run(["openssl", "rsa", "-in", private, "-pubout", "-out", public])
        member, _ = self.member(
            "--auth-token", f"jwt,sign-method=RS256,priv-key={private},pub-key={public},ttl=10m")
        member.enable_auth()
        root = ["--user", "root:pw"]
        member.ctl("put", "private", "p", *root)
        self.assertEqual(member.ctl("get", "private", *root).out, "private\np\n")
        done = member.ctl("get", "private", "--user", "alice:secret", check=False)
        self.assertIn("permission denied", done.err)
        status, answer = member.gateway(
            "/v3/auth/authenticate", {"name": "alice", "password": "secret"})
        self.assertEqual(status, 200)
        token = answer["token"]
        head, claims, signature = token.split(".")
        self.assertEqual(jwt_part(head), {"alg": "RS256", "typ": "JWT"})
        self.assertEqual(jwt_part(claims)["username"], "alice")
        self.assertGreater(jwt_part(claims)["revision"], 1)
        put = {"key": b64("alice/1"), "value": b64("a")}
        self.assertEqual(member.gateway("/v3/kv/put", put, token)[0], 200)
        # Another's claims under this signature.
        forged = base64.urlsafe_b64encode(json.dumps(
            {**jwt_part(claims), "username": "root"}).encode()).decode().rstrip("=")
        status, answer = member.gateway("/v3/kv/put", put, f"{head}.{forged}.{signature}")
        self.assertEqual((status, answer["message"]), (401, "etcdserver: invalid auth token"))
        # As in etcd a change of users asks everybody to log in again.
        member.ctl("role", "add", "another", *root)
        status, answer = member.gateway("/v3/kv/put", put, token)
        self.assertEqual(
            (status, answer["message"]), (400, "etcdserver: revision of auth store is old"))

    def test_keys_that_do_not_do_are_said(self):
        folder = tempfile.mkdtemp(prefix="martlet-e2e-")
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        with open(folder + "/key", "w") as file:
            file.write("not a key\n")
        for options, words in ((f"sign-method=ES256,priv-key={folder}/key", "do not do for ES256"),
                               (f"sign-method=ES256,priv-key={folder}/none", f"{folder}/none")):
            done = run([MARTLET, "server", "--data-dir", folder + "/data", "--auth-token",
                        "jwt," + options], check=False)
            self.assertNotEqual(done.code, 0)
            self.assertIn("--auth-token", done.err)
            self.assertIn(words, done.err)


if __name__ == "__main__":
    unittest.main()
