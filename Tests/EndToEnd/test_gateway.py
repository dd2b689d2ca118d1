"""The store's client port over HTTP: etcd's JSON gateway, health pages, locks and elections."""

import base64
import http.client
import json
import os
import ssl
import threading
import time
import unittest

from cluster import ETCDCTL, Cluster, run

PYTHON = os.environ.get("MARTLET_TEST_PYTHON", "python3")


def b64(text):
    return base64.b64encode(text.encode()).decode()


def plain(text):
    return base64.b64decode(text).decode()


class GatewayTests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster(nodes=0, flags=["--store-only"])
        cls.cluster.up()
        pki = cls.cluster.directory + "/pki"
        cls.tls = ssl.create_default_context(cafile=pki + "/ca.crt")
        cls.tls.load_cert_chain(pki + "/client.crt", pki + "/client.key")

    @classmethod
    def tearDownClass(cls):
        cls.cluster.close()

    def connect(self, number=1, timeout=20):
        return http.client.HTTPSConnection(
            "127.0.0.1", self.cluster.store_port + 10 * (number - 1), context=self.tls,
            timeout=timeout)

    def ask(self, path, body=None, number=1, raw=None, method="POST"):
        connection = self.connect(number)
        text = raw if raw is not None else json.dumps(body if body is not None else {})
        connection.request(method, path, text, {"Content-Type": "application/json"})
        response = connection.getresponse()
        data = response.read()
        connection.close()
        try:
            return response.status, json.loads(data)
        except json.JSONDecodeError:
            return response.status, data.decode()

    def good(self, path, body=None, number=1):
        status, answer = self.ask(path, body, number)
        self.assertEqual(status, 200, answer)
        return answer

    def test_put_range_delete(self):
        put = self.good("/v3/kv/put", {"key": b64("g/a"), "value": b64("1")})
        self.assertEqual(set(put), {"header"})
        self.assertEqual(set(put["header"]), {"cluster_id", "member_id", "revision", "raft_term"})
        self.assertIsInstance(put["header"]["revision"], str)
        self.good("/v3/kv/put", {"key": b64("g/b"), "value": b64("2")}, number=2)
        # Camel case and numbers in strings are as good as the names of the proto file.
        found = self.good("/v3/kv/range", {
            "key": b64("g/"), "rangeEnd": b64("g0"), "limit": "10", "sort_order": "DESCEND",
            "sortTarget": "KEY", "nobody": 1}, number=3)
        self.assertEqual(found["count"], "2")
        self.assertNotIn("more", found)
        self.assertEqual([plain(kv["key"]) for kv in found["kvs"]], ["g/b", "g/a"])
        self.assertEqual(found["kvs"][1]["create_revision"], put["header"]["revision"])
        self.assertEqual(found["kvs"][1]["version"], "1")
        gone = self.good("/v3/kv/deleterange",
                         {"key": b64("g/"), "range_end": b64("g0"), "prev_kv": True})
        self.assertEqual(gone["deleted"], "2")
        self.assertEqual([plain(kv["value"]) for kv in gone["prev_kvs"]], ["1", "2"])
        self.assertEqual(set(self.good("/v3/kv/range", {"key": b64("g/a")})), {"header"})

    def test_transaction(self):
        body = {
            "compare": [{"target": "CREATE", "key": b64("t"), "create_revision": "0"}],
            "success": [{"request_put": {"key": b64("t"), "value": b64("x")}}],
            "failure": [{"request_range": {"key": b64("t")}}]}
        first = self.good("/v3/kv/txn", body)
        self.assertTrue(first["succeeded"])
        self.assertIn("response_put", first["responses"][0])
        second = self.good("/v3/kv/txn", body)
        self.assertNotIn("succeeded", second)
        found = second["responses"][0]["response_range"]["kvs"][0]
        self.assertEqual(plain(found["value"]), "x")

    def test_errors_have_etcds_codes_and_words(self):
        for path, body, status, code, message in [
            ("/v3/kv/put", {}, 400, 3, "etcdserver: key is not provided"),
            ("/v3/kv/range", {"key": b64("a"), "revision": "99999999"}, 400, 11,
             "etcdserver: mvcc: required revision is a future revision"),
            ("/v3/lease/revoke", {"ID": "123"}, 404, 5,
             "etcdserver: requested lease not found"),
            ("/v3/kv/put", {"key": "%%"}, 400, 3, "key: illegal base64 data at input byte 0"),
            ("/v3/kv/put", {"key": 1}, 400, 3, "key is not a base64 string"),
            ("/v3/kv/range", {"key": b64("a"), "limit": "many"}, 400, 3,
             "limit is not a Int64"),
            ("/v3/kv/range", {"key": b64("a"), "sort_order": "UP"}, 400, 3,
             "sort_order is none of NONE, ASCEND, DESCEND"),
            ("/v3/kv/txn", {"success": [{"request_put": []}]}, 400, 3,
             "success[0].request_put is not a JSON object"),
            ("/v3/maintenance/downgrade", {"action": "CANCEL"}, 400, 9,
             "etcdserver: no inflight downgrade job"),
        ]:
            with self.subTest(path=path, body=body):
                self.assertEqual(self.ask(path, body), (
                    status, {"error": message, "code": code, "message": message}))
        status, answer = self.ask("/v3/kv/put", raw="{")
        self.assertEqual((status, answer["code"]), (400, 3))
        self.assertEqual(self.ask("/v3/nothing", {})[0], 404)
        self.assertEqual(self.ask("/v3/kv/put", method="GET", raw="")[0], 405)

    def test_leases(self):
        lease = self.good("/v3/lease/grant", {"TTL": 100})
        self.assertEqual(lease["TTL"], "100")
        self.good("/v3/kv/put", {"key": b64("l"), "value": "", "lease": lease["ID"]})
        told = self.good("/v3/lease/timetolive", {"ID": lease["ID"], "keys": True})
        self.assertEqual([plain(key) for key in told["keys"]], ["l"])
        self.assertEqual(told["grantedTTL"], "100")
        kept = self.good("/v3/lease/keepalive", {"ID": lease["ID"]})
        self.assertEqual(kept["result"]["TTL"], "100")
        self.assertIn({"ID": lease["ID"]}, self.good("/v3/lease/leases")["leases"])
        self.good("/v3/lease/revoke", {"ID": lease["ID"]})
        self.assertNotIn("kvs", self.good("/v3/kv/range", {"key": b64("l")}))

    def open_stream(self, path, body, number=1):
        connection = self.connect(number)
        connection.request("POST", path, json.dumps(body))
        response = connection.getresponse()
        self.assertEqual(response.status, 200)
        return connection, response

    def test_watch_goes_on_after_the_request(self):
        connection, lines = self.open_stream(
            "/v3/watch", {"create_request": {"key": b64("w"), "prev_kv": True}}, number=2)
        self.assertTrue(json.loads(lines.readline())["result"]["created"])
        for value in ("1", "2"):
            self.good("/v3/kv/put", {"key": b64("w"), "value": b64(value)})
        self.good("/v3/kv/deleterange", {"key": b64("w")})
        events = []
        while len(events) < 3:
            events += json.loads(lines.readline())["result"]["events"]
        connection.close()
        # PUT is the first of its names and left out, as protobuf's JSON has it.
        self.assertEqual([event.get("type", "PUT") for event in events], ["PUT", "PUT", "DELETE"])
        self.assertEqual([plain(event["kv"]["value"]) for event in events[:2]], ["1", "2"])
        self.assertEqual(plain(events[2]["prev_kv"]["value"]), "2")

    def test_locks_are_had_one_after_another(self):
        first = self.good("/v3/lock/lock", {"name": b64("lock")})
        self.assertTrue(plain(first["key"]).startswith("lock/"))
        got = []
        waiter = threading.Thread(
            target=lambda: got.append(self.good("/v3/lock/lock", {"name": b64("lock")}, number=2)))
        waiter.start()
        # One that goes away while it waits leaves no claim behind.
        gone = self.connect(3)
        gone.request("POST", "/v3/lock/lock", json.dumps({"name": b64("lock")}))
        time.sleep(0.5)
        gone.close()
        self.assertEqual(got, [])
        self.good("/v3/lock/unlock", {"key": first["key"]})
        waiter.join(20)
        self.assertEqual(len(got), 1)
        self.good("/v3/lock/unlock", {"key": got[0]["key"]})
        third = self.good("/v3/lock/lock", {"name": b64("lock")})
        self.good("/v3/lock/unlock", {"key": third["key"]})

    def test_a_lock_ends_with_its_lease(self):
        lease = self.good("/v3/lease/grant", {"TTL": 100})["ID"]
        self.good("/v3/lock/lock", {"name": b64("mortal"), "lease": lease})
        waiter = threading.Thread(
            target=lambda: self.good("/v3/lock/lock", {"name": b64("mortal")}))
        waiter.start()
        self.good("/v3/lease/revoke", {"ID": lease})
        waiter.join(20)
        self.assertFalse(waiter.is_alive())

    def test_election(self):
        status, answer = self.ask("/v3/election/leader", {"name": b64("e")})
        self.assertEqual((status, answer["message"]), (500, "election: no leader"))
        won = self.good("/v3/election/campaign", {"name": b64("f"), "value": b64("me")})
        leader = won["leader"]
        self.assertEqual(plain(leader["name"]), "f")
        connection, lines = self.open_stream("/v3/election/observe", {"name": b64("f")})
        told = json.loads(lines.readline())["result"]["kv"]
        self.assertEqual(plain(told["value"]), "me")
        self.good("/v3/election/proclaim", {"leader": leader, "value": b64("still me")})
        told = json.loads(lines.readline())["result"]["kv"]
        self.assertEqual(plain(told["value"]), "still me")
        found = self.good("/v3/election/leader", {"name": b64("f")})
        self.assertEqual(found["kv"]["key"], leader["key"])
        self.good("/v3/election/resign", {"leader": leader})
        status, answer = self.ask("/v3/election/proclaim", {"leader": leader, "value": ""})
        self.assertEqual((status, answer["message"]), (500, "election: not leader"))
        connection.close()

    def test_health_pages(self):
        self.assertEqual(self.ask("/health", method="GET", raw=""),
                         (200, {"health": "true", "reason": ""}))
        self.assertEqual(self.ask("/livez", method="GET", raw=""), (200, "ok\n"))
        self.assertEqual(self.ask("/readyz?verbose", method="GET", raw=""), (
            200, "[+]data_corruption ok\n[+]serializable_read ok\n[+]linearizable_read ok\n"
            "[+]non_learner ok\nok\n"))
        self.assertEqual(
            self.ask("/readyz/linearizable_read?verbose", method="GET", raw=""),
            (200, "[+]linearizable_read ok\nok\n"))
        self.assertEqual(self.ask("/readyz/nothing", method="GET", raw="")[0], 404)
        status, version = self.ask("/version", method="GET", raw="")
        self.assertEqual(set(version), {"etcdserver", "etcdcluster", "storage"})

    def test_a_page_leaves_the_connection_open(self):
        connection = self.connect()
        for path in ("/version", "/health", "/metrics", "/nothing"):
            connection.request("GET", path)
            connection.getresponse().read()
        connection.sock.settimeout(0.3)
        with self.assertRaises(TimeoutError):
            connection.sock.recv(1)
        connection.close()

    def test_etcd3gw(self):
        script = os.path.join(os.path.dirname(__file__), "clients", "etcd3gw_recipes.py")
        done = run([PYTHON, script, str(self.cluster.store_port), self.cluster.directory + "/pki"],
                   timeout=60)
        self.assertEqual(done.out.splitlines()[-1], "ok")

    def test_etcdctl_defrag(self):
        done = self.cluster.etcdctl("defrag")
        self.assertIn("Finished defragmenting etcd member", done.out)


if __name__ == "__main__":
    unittest.main()
