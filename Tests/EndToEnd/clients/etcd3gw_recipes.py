"""etcd3gw, OpenStack's client of the JSON gateway, through what it offers: PORT PKI-FOLDER."""

import faulthandler
import os
import sys
import threading

import etcd3gw
from etcd3gw.lock import Lock

port, pki = sys.argv[1:]
# Whatever hangs says where.
faulthandler.dump_traceback_later(45, exit=True)
# Else a bundle named in the environment wins over the one that is given.
os.environ["REQUESTS_CA_BUNDLE"] = pki + "/ca.crt"


def client():
    return etcd3gw.client(
        host="127.0.0.1", port=int(port), protocol="https", ca_cert=pki + "/ca.crt",
        cert_cert=pki + "/client.crt", cert_key=pki + "/client.key", timeout=10)


store = client()
assert store.put("gw/one", "1") is True
assert store.get("gw/one") == [b"1"]
assert store.create("gw/one", "2") is False
assert store.replace("gw/one", "1", "3") is True
store.put("gw/two", "2")
found = store.get_prefix("gw/", sort_order="descend", sort_target="key")
assert [value for value, _ in found] == [b"2", b"3"], found
assert store.status()["version"].startswith("3."), store.status()
assert len(store.members()) == 3

lease = store.lease(ttl=100)
store.put("gw/leased", "x", lease)
assert lease.keys() == [b"gw/leased"]
assert lease.refresh() == 100
assert 0 < lease.ttl() <= 100
assert lease.revoke() is True
assert store.get("gw/leased") == []

with Lock("gw", ttl=20, client=store) as lock:
    assert lock.is_acquired()
    assert Lock("gw", ttl=20, client=client()).acquire() is False
assert Lock("gw", ttl=20, client=client()).acquire() is True

# From a revision, because the client does not wait until the watch is there.
revision = int(store.status()["header"]["revision"])
events, cancel = store.watch_prefix("gw/watched/", start_revision=revision + 1)
writer = threading.Thread(
    target=lambda: [client().put(f"gw/watched/{n}", str(n)) for n in range(3)])
writer.start()
seen = [next(events)["kv"]["value"] for _ in range(3)]
cancel()
writer.join()
assert seen == [b"0", b"1", b"2"], seen

assert store.delete_prefix("gw/") is True
assert store.get_prefix("gw/") == []
print("ok")
