"""etcd3, the gRPC client of Python, through what it offers: PORT PKI-FOLDER."""

import os
import sys
import threading
import time

# Its generated messages are of an old protobuf.
os.environ.setdefault("PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION", "python")

import etcd3

port, pki = sys.argv[1:]


def client():
    return etcd3.client(
        host="127.0.0.1", port=int(port), ca_cert=pki + "/ca.crt", cert_cert=pki + "/client.crt",
        cert_key=pki + "/client.key", timeout=10)


store = client()

# Keys.
store.put("e3/one", "1")
value, meta = store.get("e3/one")
assert (value, meta.key, meta.version) == (b"1", b"e3/one", 1), (value, meta.key, meta.version)
assert store.get("e3/none") == (None, None)
assert store.put("e3/one", "2", prev_kv=True).prev_kv.value == b"1"
assert store.replace("e3/one", "2", "3") is True
assert store.replace("e3/one", "2", "4") is False
assert store.put_if_not_exists("e3/one", "5") is False
for number in range(5):
    store.put(f"e3/many/{number}", str(9 - number))
found = list(store.get_prefix("e3/many/", sort_order="descend", sort_target="key"))
assert [value for value, _ in found] == [b"5", b"6", b"7", b"8", b"9"], found
found = list(store.get_prefix("e3/many/", sort_order="ascend", sort_target="value"))
assert [meta.key for _, meta in found][0] == b"e3/many/4", found
assert len(list(store.get_range("e3/many/1", "e3/many/3"))) == 2
assert [value for value, _ in store.get_prefix("e3/many/", keys_only=True)] == [b""] * 5
assert store.delete("e3/many/0") is True
assert store.delete("e3/many/0") is False
assert store.delete_prefix("e3/many/").deleted == 4

# Transactions, and one within another.
done, answers = store.transaction(
    compare=[store.transactions.value("e3/one") == "3", store.transactions.version("e3/one") > 1,
             store.transactions.create("e3/new") == 0],
    success=[store.transactions.put("e3/new", "x"), store.transactions.get("e3/one"),
             store.transactions.txn(
                 compare=[store.transactions.mod("e3/one") > 0],
                 success=[store.transactions.put("e3/inner", "y")], failure=[])],
    failure=[store.transactions.delete("e3/one")])
assert done is True
assert answers[1][0][0] == b"3", answers
assert store.get("e3/inner")[0] == b"y"
done, _ = store.transaction(
    compare=[store.transactions.value("e3/one") == "other"], success=[],
    failure=[store.transactions.delete("e3/one")])
assert done is False
assert store.get("e3/one")[0] is None

# Leases.
lease = store.lease(100)
store.put("e3/leased", "x", lease)
assert lease.granted_ttl == 100 and 0 < lease.remaining_ttl <= 100
assert lease.keys == [b"e3/leased"]
assert [answer.TTL for answer in lease.refresh()] == [100]
lease.revoke()
assert store.get("e3/leased")[0] is None
short = store.lease(1)
store.put("e3/short", "x", short)
end = time.monotonic() + 20
while store.get("e3/short")[0] is not None:
    assert time.monotonic() < end, "the lease never ends"
    time.sleep(0.1)

# Watches.
events, cancel = store.watch_prefix("e3/watched/")
for number in range(3):
    client().put(f"e3/watched/{number}", str(number))
client().delete("e3/watched/1")
seen = [next(events) for _ in range(4)]
assert [type(event).__name__ for event in seen] == ["PutEvent"] * 3 + ["DeleteEvent"], seen
assert [event.value for event in seen[:3]] == [b"0", b"1", b"2"]
cancel()
called = threading.Event()
watch = store.add_watch_callback("e3/called", lambda answer: called.set())
store.put("e3/called", "x")
assert called.wait(10)
store.cancel_watch(watch)
events, cancel = store.watch("e3/old", start_revision=1)
store.put("e3/old", "x")
assert next(events).value == b"x"
cancel()

# Locks, held by one at a time, and by nobody once the lease is over.
with store.lock("e3", ttl=60) as lock:
    assert lock.is_acquired()
    assert client().lock("e3", ttl=60).acquire(timeout=0.5) is False
other = client().lock("e3", ttl=2)
assert other.acquire(timeout=5) is True
assert client().lock("e3", ttl=60).acquire(timeout=20) is True, "a dead holder holds for ever"

# Members, status, maintenance.
assert len(list(store.members)) == 3
status = store.status()
assert status.version.startswith("3.") and status.leader.id in [m.id for m in store.members]
assert list(store.list_alarms()) == []
store.compact(store.get("e3/called")[1].mod_revision)
store.defragment()
assert store.hash() is not None
with open(os.devnull, "wb") as out:
    store.snapshot(out)
print("ok")
