"""Users, roles and rights: Debian's etcdctl and etcd 3.5.1's, the JSON gateway, and calls made by hand.

The second half has a test for each advisory of etcd about its auth in 2026."""

import base64
import http.client
import json
import os
import ssl
import subprocess
import threading
import time
import unittest

from cluster import ETCDCTL, Cluster, wait_for

WHEEL = os.environ.get("MARTLET_TEST_ETCD_FOLDER")
ETCDCTLS = [ETCDCTL] + ([WHEEL + "/etcdctl"] if WHEEL else [])


def b64(text):
    return base64.b64encode(text.encode()).decode()


class AuthTests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster(nodes=0, flags=["--store-only"])
        cls.cluster.up()
        pki = cls.cluster.directory + "/pki"
        cls.pki = pki
        cls.files = ["--cacert", pki + "/ca.crt", "--cert", pki + "/client.crt",
                     "--key", pki + "/client.key"]
        cls.tls = ssl.create_default_context(cafile=pki + "/ca.crt")
        cls.tls.load_cert_chain(pki + "/client.crt", pki + "/client.key")

    @classmethod
    def tearDownClass(cls):
        cls.cluster.close()

    def setUp(self):
        """root/pw; alice/secret, who may do all below alice/ and read public/."""
        for arguments in (
                ["user", "add", "root:pw"], ["role", "add", "root"],
                ["user", "grant-role", "root", "root"],
                ["user", "add", "alice:secret"], ["role", "add", "alices"],
                ["role", "grant-permission", "alices", "readwrite", "--prefix=true", "alice/"],
                ["role", "grant-permission", "alices", "read", "--prefix=true", "public/"],
                ["user", "grant-role", "alice", "alices"],
                ["put", "private", "p"], ["put", "public/a", "1"], ["put", "alice/a", "1"],
                ["auth", "enable"]):
            self.ctl(*arguments)

    def tearDown(self):
        self.root("auth", "disable")
        for kind in ("user", "role"):
            for name in self.ctl(kind, "list").out.split():
                self.ctl(kind, "delete", name)
        self.ctl("del", "", "--from-key")

    def ctl(self, *arguments, user=None, **options):
        extra = ["--user", user] if user else []
        return self.cluster.etcdctl(*extra, *arguments, **options)

    def root(self, *arguments, **options):
        return self.ctl(*arguments, user="root:pw", **options)

    def alice(self, *arguments, **options):
        return self.ctl(*arguments, user="alice:secret", **options)

    def refused(self, result, text):
        self.assertNotEqual(result.code, 0, result)
        self.assertIn(text, result.err, result)

    def denied(self, *arguments, **options):
        self.refused(self.alice(*arguments, check=False, **options),
                     "etcdserver: permission denied")

    def watcher(self, *arguments, user="alice:secret", number=2, program=ETCDCTL):
        return subprocess.Popen(
            [program, "--endpoints", self.cluster.endpoint(number), *self.files, "--user", user,
             "watch", *arguments],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={"ETCDCTL_API": "3"})

    def call(self, path, body=None, token=None, number=1):
        headers = {"Content-Type": "application/json"}
        if token is not None:
            headers["Authorization"] = token
        connection = http.client.HTTPSConnection(
            "127.0.0.1", self.cluster.store_port + 10 * (number - 1), context=self.tls, timeout=20)
        connection.request("POST", path, json.dumps(body or {}), headers)
        response = connection.getresponse()
        # The answer of a watch is a line, and goes on.
        answer = json.loads(response.readline() if path == "/v3/watch" else response.read())
        connection.close()
        return response.status, answer

    def token(self, name="alice", password="secret", number=1):
        status, answer = self.call(
            "/v3/auth/authenticate", {"name": name, "password": password}, number=number)
        self.assertEqual(status, 200, answer)
        return answer["token"]

    def call_denied(self, path, body, token):
        status, answer = self.call(path, body, token)
        self.assertEqual((status, answer.get("code")), (403, 7), answer)
        self.assertEqual(answer["message"], "etcdserver: permission denied")

    # What users do.

    def test_every_user_has_their_own_on_every_replica_with_both_clients(self):
        for program in ETCDCTLS:
            for number in (1, 2, 3):
                def ctl(user, *arguments, check=True):
                    done = subprocess.run(
                        [program, "--endpoints", self.cluster.endpoint(number), *self.files,
                         *(["--user", user] if user else []), *arguments],
                        capture_output=True, text=True, env={"ETCDCTL_API": "3"}, timeout=30)
                    self.assertEqual(done.returncode == 0, check, done)
                    return done.stdout if check else done.stderr

                self.assertEqual(ctl("alice:secret", "put", "alice/x", "1"), "OK\n")
                self.assertEqual(ctl("alice:secret", "get", "public/a"), "public/a\n1\n")
                self.assertEqual(ctl("root:pw", "get", "private"), "private\np\n")
                for arguments in (["get", "private"], ["put", "public/a", "2"],
                                  ["get", "", "--from-key"], ["del", "alice", "z"]):
                    self.assertIn("etcdserver: permission denied",
                                  ctl("alice:secret", *arguments, check=False))
                self.assertIn("etcdserver: user name is empty",
                              ctl(None, "get", "private", check=False))
                for user in ("alice:wrong", "nobody:secret"):
                    self.assertIn("authentication failed, invalid user ID or password",
                                  ctl(user, "get", "alice/x", check=False))

    def test_listing_and_changing_users_and_roles(self):
        self.assertEqual(self.root("user", "list").out, "alice\nroot\n")
        self.assertEqual(self.root("role", "list").out, "alices\nroot\n")
        self.assertIn("Roles: alices", self.root("user", "get", "alice").out)
        shown = self.root("role", "get", "alices").out
        self.assertIn("[alice/, alice0) (prefix alice/)", shown)
        # One's own is no secret; the others' is.
        self.assertIn("alices", self.alice("user", "get", "alice").out)
        self.assertIn("public/", self.alice("role", "get", "alices").out)
        self.denied("user", "get", "root")
        self.denied("role", "get", "root")
        self.denied("user", "list")
        self.denied("user", "grant-role", "alice", "root")
        self.denied("auth", "disable")
        for arguments, text in (
                (["user", "add", "alice:x"], "user name already exists"),
                (["user", "delete", "bob"], "user name not found"),
                (["user", "delete", "root"], "invalid auth management"),
                (["user", "revoke-role", "root", "root"], "invalid auth management"),
                (["user", "revoke-role", "alice", "root"], "role is not granted to the user"),
                (["user", "grant-role", "alice", "none"], "role name not found"),
                (["role", "add", "alices"], "role name already exists"),
                (["role", "delete", "root"], "invalid auth management"),
                (["role", "revoke-permission", "alices", "other"],
                 "permission is not granted to the role")):
            self.refused(self.root(*arguments, check=False), text)
        self.root("role", "revoke-permission", "alices", "--prefix=true", "public/")
        self.denied("get", "public/a")
        self.root("user", "passwd", "--interactive=false", "alice", input="new\n")
        self.refused(self.alice("get", "alice/a", check=False), "authentication failed")
        self.assertEqual(self.ctl("get", "alice/a", user="alice:new").out, "alice/a\n1\n")

    def test_enabling_takes_a_root(self):
        self.root("auth", "disable")
        self.ctl("user", "revoke-role", "root", "root")
        status, answer = self.call("/v3/auth/enable")
        self.assertEqual((status, answer["message"]),
                         (400, "etcdserver: root user does not have root role"))
        self.ctl("user", "delete", "root")
        status, answer = self.call("/v3/auth/enable")
        self.assertEqual(answer["message"], "etcdserver: root user does not exist")
        status, answer = self.call("/v3/auth/authenticate", {"name": "alice", "password": "secret"})
        self.assertEqual(answer["message"], "etcdserver: authentication is not enabled")
        self.assertNotIn("enabled", self.call("/v3/auth/status")[1])
        self.ctl("user", "add", "root:pw")
        self.ctl("user", "grant-role", "root", "root")
        self.ctl("auth", "enable")
        # From then on even that is root's, as with etcd.
        self.assertEqual(self.call("/v3/auth/status")[1]["message"],
                         "etcdserver: user name is empty")
        self.assertTrue(self.call("/v3/auth/status", {}, self.token("root", "pw"))[1]["enabled"])

    def test_a_token_is_good_on_every_member_until_its_user_changes(self):
        token = self.token(number=1)
        for number in (1, 2, 3):
            status, answer = self.call("/v3/kv/range", {"key": b64("alice/a")}, token, number)
            self.assertEqual(status, 200, answer)
        for bad in (token[:-1] + ("0" if token[-1] != "0" else "1"), "x", "a.b", token + "00", ""):
            status, answer = self.call("/v3/kv/range", {"key": b64("alice/a")}, bad)
            self.assertEqual((status, answer["code"], answer["message"]),
                             (401, 16, "etcdserver: invalid auth token"), bad)
        status, answer = self.call("/v3/kv/range", {"key": b64("alice/a")})
        self.assertEqual((status, answer["message"]), (400, "etcdserver: user name is empty"))
        self.root("user", "passwd", "--interactive=false", "alice", input="secret\n")
        status, answer = self.call("/v3/kv/range", {"key": b64("alice/a")}, token)
        self.assertEqual(status, 401, answer)

    def test_a_user_without_a_password_cannot_log_in(self):
        self.root("user", "add", "carol", "--no-password")
        for password in ("", "x"):
            status, answer = self.call(
                "/v3/auth/authenticate", {"name": "carol", "password": password})
            self.assertEqual(answer.get("message"),
                             "etcdserver: authentication failed, invalid user ID or password")

    def test_users_outlive_a_restart_of_everything(self):
        self.cluster.kill_everything()
        self.cluster.up()
        self.assertEqual(self.alice("get", "alice/a").out, "alice/a\n1\n")
        self.denied("get", "private")

    # The four ways to lose the right to public/, and what gives it back.
    GRANT = ["user", "grant-role", "alice", "alices"]
    LOSSES = (
        (["user", "revoke-role", "alice", "alices"], [GRANT]),
        (["role", "revoke-permission", "alices", "--prefix=true", "public/"],
         [["role", "grant-permission", "alices", "read", "--prefix=true", "public/"]]),
        (["user", "delete", "alice"], [["user", "add", "alice:secret"], GRANT]),
        (["role", "delete", "alices"],
         [["role", "add", "alices"],
          ["role", "grant-permission", "alices", "read", "--prefix=true", "public/"], GRANT]))
    # The same as the gateway has them.
    LOSING_CALLS = (
        ("/v3/auth/user/revoke", {"name": "alice", "role": "alices"}),
        ("/v3/auth/role/revoke",
         {"role": "alices", "key": b64("public/"), "range_end": b64("public0")}),
        ("/v3/auth/user/delete", {"name": "alice"}),
        ("/v3/auth/role/delete", {"role": "alices"}))

    def test_a_lost_right_ends_etcdctls_watch(self):
        for program in ETCDCTLS:
            for lose, regain in self.LOSSES:
                watcher = self.watcher("--prefix", "public/", program=program)
                kept = self.watcher("--prefix", "public/", user="root:pw", program=program)
                for process in (watcher, kept):
                    self.spoken_to(process)
                self.root(*lose)
                self.root("put", "public/late", "x")
                out, err = watcher.communicate(timeout=20)
                self.assertNotEqual(watcher.returncode, 0)
                self.assertIn("watch is canceled by the server", err)
                self.assertNotIn("late", out)
                wait_for("root's watch goes on",
                         lambda: kept.stdout.readline() == "public/late\n", every=0)
                kept.kill()
                kept.communicate()
                self.regain(regain)
                self.root("del", "public/late")

    def regain(self, commands):
        for arguments in commands:
            self.root(*arguments)

    def gateway_watch(self, token, number):
        """A watch of public/ at a replica: its connection, and its stream of lines."""
        connection = http.client.HTTPSConnection(
            "127.0.0.1", self.cluster.store_port + 10 * (number - 1), context=self.tls, timeout=20)
        self.addCleanup(connection.close)
        body = {"create_request": {"key": b64("public/"), "range_end": b64("public0")}}
        connection.request("POST", "/v3/watch", json.dumps(body),
                           {"Authorization": token, "Content-Type": "application/json"})
        stream = connection.getresponse()
        self.assertTrue(json.loads(stream.readline())["result"]["created"])
        return connection, stream

    def changer(self):
        """Makes root's calls at the first replica, one behind the other on one connection."""
        headers = {"Authorization": self.token("root", "pw"), "Content-Type": "application/json"}
        connection = http.client.HTTPSConnection(
            "127.0.0.1", self.cluster.store_port, context=self.tls, timeout=20)
        self.addCleanup(connection.close)

        def call(path, body):
            connection.request("POST", path, json.dumps(body), headers)
            response = connection.getresponse()
            answer = response.read()
            self.assertEqual(response.status, 200, answer)

        return call

    def test_nothing_that_is_put_after_a_right_was_lost_is_told(self):
        """On no replica, however soon the put comes; who has the right gets it."""
        change = self.changer()
        for (path, body), (_, regain) in zip(self.LOSING_CALLS, self.LOSSES):
            with self.subTest(path=path):
                alices, roots = (
                    [self.gateway_watch(token, number)[1] for number in (1, 2, 3)]
                    for token in (self.token(), self.token("root", "pw")))
                change("/v3/kv/put", {"key": b64("public/early"), "value": b64("x")})
                for stream in alices + roots:
                    self.assertEqual(self.keys(stream), ["public/early"])
                change(path, body)
                change("/v3/kv/put", {"key": b64("public/late"), "value": b64("x")})
                for stream in alices:
                    last = json.loads(stream.readline())["result"]
                    self.assertTrue(last.get("canceled"), last)
                    self.assertEqual(last["cancel_reason"], "etcdserver: permission denied")
                    self.assertNotIn("events", last)
                for stream in roots:
                    self.assertEqual(self.keys(stream), ["public/late"])
                self.regain(regain)

    def keys(self, stream):
        """Of the next batch."""
        result = json.loads(stream.readline())["result"]
        return [base64.b64decode(event["kv"]["key"]).decode() for event in result.get("events", [])]

    def test_another_password_ends_the_token_and_not_the_watch(self):
        """As with etcd: the right is the user's still."""
        token, change = self.token(), self.changer()
        _, stream = self.gateway_watch(token, 2)
        change("/v3/auth/user/changepw", {"name": "alice", "password": "secret"})
        change("/v3/kv/put", {"key": b64("public/late"), "value": b64("x")})
        self.assertEqual(self.keys(stream), ["public/late"])
        status, answer = self.call("/v3/kv/range", {"key": b64("public/a")}, token)
        self.assertEqual((status, answer["message"]), (401, "etcdserver: invalid auth token"))

    def test_a_lost_right_closes_its_watches_within_a_tenth_of_a_second(self):
        """On every replica, without anything that is put."""
        change = self.changer()
        for (path, body), (_, regain) in zip(self.LOSING_CALLS, self.LOSSES):
            token, ends, threads = self.token(), {}, []

            def follow(number, stream, ends=ends):
                line = stream.readline()
                ends[number] = (time.monotonic(), json.loads(line)["result"])

            for number in (1, 2, 3):
                _, stream = self.gateway_watch(token, number)
                threads.append(threading.Thread(target=follow, args=(number, stream)))
                threads[-1].start()
            change(path, body)
            answered = time.monotonic()
            for thread in threads:
                thread.join()
            for _, last in ends.values():
                self.assertTrue(last["canceled"], last)
                self.assertEqual(last["cancel_reason"], "etcdserver: permission denied")
            took = max(moment for moment, _ in ends.values()) - answered
            print(f"{path}: {1000 * took:.0f} ms after its answer", end=" ", flush=True)
            self.assertLess(took, 0.1, path)
            self.regain(regain)

    def spoken_to(self, process):
        """Waits until a watcher of public/ is there: it prints a put."""
        done = threading.Event()

        def put():
            while not done.wait(0.05):
                self.root("put", "public/a", "1")

        thread = threading.Thread(target=put)
        thread.start()
        try:
            self.assertEqual(process.stdout.readline(), "PUT\n")
        finally:
            done.set()
            thread.join()

    def test_maintenance_is_roots(self):
        self.denied("compaction", "1")
        self.denied("defrag")
        for action in ("ACTIVATE", "DEACTIVATE"):
            self.call_denied("/v3/maintenance/alarm", {"action": action, "alarm": "NOSPACE"},
                             self.token())
        self.denied("member", "remove", "1")
        self.denied("move-leader", "1")
        self.denied("snapshot", "save", self.cluster.directory + "/denied.db")
        self.denied("endpoint", "hashkv")
        self.root("defrag")
        self.root("alarm", "list")
        self.root("endpoint", "hashkv")
        self.root("snapshot", "save", self.cluster.directory + "/root.db")
        # As with etcd since 3.6, whoever is known may look, and nobody else.
        self.alice("alarm", "list")
        self.alice("endpoint", "status")
        status, answer = self.call("/v3/maintenance/status")
        self.assertEqual((status, answer["message"]), (400, "etcdserver: user name is empty"))

    def test_martlet_store_logs_in_as_etcdctl_does(self):
        store = self.cluster.store
        self.assertIn("p", store("get", "private", "--user", "root:pw").out)
        store("snapshot", "save", self.cluster.directory + "/own", "--user", "root:pw")
        for user, text in (([], "user name is empty"), (["--user", "alice:secret"], "denied"),
                           (["--user", "root:no"], "authentication failed"),
                           (["--user", "root"], "bad --user")):
            self.refused(store("get", "private", *user, check=False), text)

    def test_locks_and_elections_take_the_right_to_their_keys(self):
        self.assertIn("alice/lock", self.alice("lock", "alice/lock", "echo", "alice/lock").out)
        self.call_denied("/v3/lock/lock", {"name": b64("private")}, self.token())
        self.call_denied("/v3/election/leader", {"name": b64("private")}, self.token())
        self.call_denied("/v3/lock/unlock", {"key": b64("private")}, self.token())

    # The advisories of 2026.

    def test_nested_transactions_are_looked_into(self):
        """CVE-2026-33343: what a nested transaction did was not checked."""
        token = self.token()
        inner = {"request_put": {"key": b64("private"), "value": b64("x")}}
        nested = {"request_txn": {"failure": [{"request_txn": {"success": [inner]}}]}}
        for body in ({"success": [nested]}, {"failure": [nested]},
                     {"success": [{"request_txn": {"success": [
                         {"request_range": {"key": b64("private")}}]}}]},
                     {"success": [{"request_txn": {"compare": [
                         {"key": b64("private"), "target": "VERSION", "version": "1"}]}}]}):
            self.call_denied("/v3/kv/txn", body, token)
        self.assertEqual(self.root("get", "private").out, "private\np\n")
        allowed = {"request_txn": {"success": [{"request_put": {"key": b64("alice/n")}}]}}
        self.assertEqual(self.call("/v3/kv/txn", {"success": [allowed]}, token)[0], 200)

    def test_previous_values_and_leases_of_nested_puts_are_looked_into(self):
        """CVE-2026-44283: prev_kv needs the right to read, a lease the right to its keys."""
        self.root("role", "grant-permission", "alices", "write", "drop")
        self.root("put", "drop", "secret")
        lease = self.root("lease", "grant", "600").out.split()[1]
        self.root("put", "private", "p", "--lease", lease)
        token = self.token()
        for put in ({"key": b64("drop"), "prev_kv": True},
                    {"key": b64("alice/x"), "lease": str(int(lease, 16))}):
            self.call_denied("/v3/kv/put", put, token)
            operation = {"request_put": put}
            self.call_denied("/v3/kv/txn", {"success": [operation]}, token)
            self.call_denied(
                "/v3/kv/txn", {"success": [{"request_txn": {"success": [operation]}}]}, token)
        self.denied("del", "drop", "--prev-kv")
        self.alice("put", "drop", "mine")

    def test_members_alarms_leases_and_compaction_take_a_token(self):
        """CVE-2026-33413: MemberList, Alarm, leases and Compact were open to anybody."""
        lease = self.root("lease", "grant", "600").out.split()[1]
        self.root("put", "private", "p", "--lease", lease)
        number = str(int(lease, 16))
        for path, body in (
                ("/v3/cluster/member/list", {}), ("/v3/maintenance/alarm", {}),
                ("/v3/maintenance/alarm", {"action": "ACTIVATE", "alarm": "NOSPACE"}),
                ("/v3/kv/compaction", {"revision": "1"}), ("/v3/lease/grant", {"TTL": "5"}),
                ("/v3/lease/revoke", {"ID": number}), ("/v3/lease/leases", {}),
                ("/v3/lease/timetolive", {"ID": number, "keys": True})):
            status, answer = self.call(path, body)
            self.assertEqual((status, answer.get("message")),
                             (400, "etcdserver: user name is empty"), path)
        self.refused(self.ctl("lease", "keep-alive", "--once", lease, check=False),
                     "user name is empty")
        self.denied("lease", "revoke", lease)
        self.denied("lease", "timetolive", lease, "--keys")
        self.denied("lease", "list")
        self.renewal_denied(lease)
        self.assertEqual(self.root("get", "private").out, "private\np\n")
        self.alice("member", "list")
        self.root("lease", "revoke", lease)

    def renewal_denied(self, lease):
        """The stream ends with the refusal, at the leader and at who asks it."""
        for number in (1, 2, 3):
            status, answer = self.call(
                "/v3/lease/keepalive", {"ID": str(int(lease, 16))}, self.token(), number)
            self.assertIn("etcdserver: permission denied", json.dumps(answer), (status, number))
            self.assertNotIn("TTL", json.dumps(answer))

    def test_a_lease_is_kept_alive_and_listed_by_who_has_its_keys(self):
        """The leases' part of CVE-2026-33413."""
        lease = self.alice("lease", "grant", "600").out.split()[1]
        renewed = "keepalived with TTL(600)"
        self.assertIn(renewed, self.alice("lease", "keep-alive", "--once", lease).out)
        self.alice("put", "alice/held", "1", "--lease", lease)
        self.assertIn(renewed, self.alice("lease", "keep-alive", "--once", lease).out)
        self.assertIn(lease, self.alice("lease", "list").out)
        # One key of somebody else's is enough, and one that may only be read.
        for key in ("private", "public/held"):
            self.root("put", key, "1", "--lease", lease)
            self.renewal_denied(lease)
            self.assertIn(renewed, self.root("lease", "keep-alive", "--once", lease).out)
            listed = self.alice("lease", "list", check=False)
            self.assertEqual(listed.code == 0, key == "public/held", listed)
            self.root("put", key, "1")
        self.assertIn(renewed, self.alice("lease", "keep-alive", "--once", lease).out)
        self.root("lease", "revoke", lease)

    def test_the_right_to_one_key_is_not_one_to_watch_what_follows(self):
        """GHSA-xg4h: who could read one key could watch everything behind it."""
        self.root("role", "grant-permission", "alices", "read", "one")
        token = self.token()
        for key, end in (("one", "\0"), ("one", "onf"), ("\0", "\0")):
            body = {"create_request": {"key": b64(key), "range_end": b64(end)}}
            status, answer = self.call("/v3/watch", body, token)
            self.assertEqual(status, 200)
            self.assertTrue(answer["result"]["canceled"])
            self.assertIn("permission denied", answer["result"]["cancel_reason"])
        out, err = self.watcher("one", "--prefix").communicate(timeout=20)
        self.assertIn("permission denied", out + err)


if __name__ == "__main__":
    unittest.main()
