"""What users of etcdctl do with keys, leases, history, locks and snapshots; for
tools/etcd-compare."""

from etcd_compare_play import Scene, Step, first_lines, in_formats

SHORT = "the shortest TTL is one and a half election timeouts, and those are shorter"
LEASE = r"lease ([0-9a-f]+) granted"
CLAIM = r"office/([0-9a-f]+)"


def key_steps():
    """From an empty store on."""
    s = Step
    yield from (s(text) for text in [
        "get nothing", "put a 1", "put a 2", "put b 1 --prev-kv", "put b 2 --prev-kv", "get a",
        "get a -w json", "get a -w fields", "get a --hex", "get a --print-value-only",
        "get a --keys-only", "get a --count-only", "get --count-only -w fields --prefix a",
        "get a --rev 2", "get a --rev 3", "get a --rev 999", "get a --rev -1",
        "get a c", "get a c --limit 1 -w json", "get --prefix ''", "get --from-key b",
        "get --prefix '' --order DESCEND", "get --prefix '' --sort-by VALUE --order ASCEND",
        "get --prefix '' --sort-by MODIFY --order DESCEND", "get --prefix '' --sort-by VERSION",
        "get --prefix '' --sort-by CREATE --order DESCEND", "get --prefix '' --sort-by nonsense",
        "get --prefix '' --order nonsense", "get a --consistency s", "get a --consistency x",
        "get ''", "put '' x", "put", "put a", "get", "del", "get a b c",
        "put a 3 --ignore-value", "put a --ignore-value", "put nothing --ignore-value",
        "put a 4 --lease 123abc", "put a 5 --ignore-lease", "del a --prev-kv", "del nothing",
        "put a 6", "get a -w json", "del a b --prev-kv", "put c1 x", "put c2 y",
        "del --prefix c", "del --from-key b", "get --prefix ''",
    ])
    yield s("put from stdin", stdin="x")
    yield s("put piped", stdin="a value\nof two lines")
    yield s("get piped -w json")
    yield s("put -- -dash -1")
    yield s("get -- -dash")
    yield from flag_steps()
    yield from transaction_steps()


def flag_steps():
    """Flags and formats of reads and writes, on a few keys whose orders all differ."""
    yield from (Step(text) for text in [
        "put o/1 c", "put o/2 a", "put o/3 b", "put o/2 a", "put o/2 d", "put o/1 c",
        *(f"get o/ --prefix --sort-by {target} --order {order}"
          for target in ("CREATE", "KEY", "MODIFY", "VALUE", "VERSION")
          for order in ("ASCEND", "DESCEND")),
        "get o/ --prefix --sort-by VALUE --limit 2", "get o/ --prefix --limit 2 -w fields",
        "get o/ --prefix --order DESCEND --limit 1 -w json", "get o/ --prefix --limit 0",
        "get o/ --prefix --limit -1", "get o/ --prefix --limit x", "get o/ --prefix --rev x",
        "get o/ --prefix --keys-only -w json", "get o/ --prefix --keys-only -w fields",
        "get o/ --prefix --keys-only --hex", "get o/ --prefix --hex -w fields",
        "get o/ --prefix --hex -w json", "get o/ --prefix --print-value-only",
        "get o/ --prefix --print-value-only --hex", "get o/ --prefix --print-value-only -w json",
        "get o/ --prefix --print-value-only --keys-only", "get o/ --prefix --keys-only=false",
        "get o/ --prefix --count-only", "get o/ --prefix --count-only -w json",
        "get o/ --prefix --count-only --keys-only", "get o/ --prefix --count-only --rev 4 -w json",
        "get o/2 --from-key --limit 2", "get '' --from-key --keys-only", "get o/2 o/1",
        "get o/2 o/2", "get o/1 o/3 --prefix", "get o/1 o/3 --from-key",
        "get o/ --prefix --from-key", "get o/ --prefix --consistency l",
        "get o/ --prefix --consistency s -w json", "get o/ --prefix --consistency ''",
        "put f 1 --hex --prev-kv", "put f 2 --hex --prev-kv", "put f 3 --ignore-lease --prev-kv",
        "put f --ignore-value --prev-kv", "put f --ignore-value --ignore-lease",
        "put f --ignore-value --lease 0", "put f 4 --ignore-lease --lease 123abc",
        "put f 5 --lease x", "put f 5 --lease", "put f 5 6", "put f 5 --bogus",
        "put f 5 -w nonsense", "get f -w nonsense", "del f g --from-key", "del f g --prefix",
        "del f --prefix --from-key", "del f g h", "del f --bogus", "del o/1 o/3 --prev-kv --hex",
        "put o/1 c", "put o/2 a", "del o/ --prefix --prev-kv -w json", "put ö ü", "get ö",
        "get ö -w json", "get ö --hex", "get ö -w protobuf", "del ö",
        "put 'two words' 'and three more'", "get 'two words' -w fields",
    ])
    for text in ("put f 7", "put f 8 --prev-kv", "get f", "get f --prefix --keys-only",
                 "get gone", "del f --prev-kv", "del f"):
        yield from in_formats(text)


def transaction_steps():
    s = Step
    yield s("put t 1")
    yield s("txn", stdin='value("t") = "1"\n\nput t 2\nget t\n\nget t\n\n')
    yield s("txn", stdin='value("t") = "1"\n\nput t 2\n\nget t\nput u 1\n\n')
    yield s("txn -w json", stdin='mod("t") > "1"\nver("t") < "9"\nc("t") != "1"\n\nget t\n\n\n')
    yield s("txn", stdin='lease("t") = "0"\n\ndel t\nput t 7\n\n\n')
    yield s("txn", stdin='\nput x 1\nput x 2\n\n\n')
    yield s("txn", stdin='\nput x 1\ndel x\n\n\n')
    yield s("txn", stdin='nonsense("t") = "0"\n\nget t\n\n\n')
    yield s("txn", stdin='val("gone") = ""\n\nget t\n\nget u\n\n')
    yield s("txn", stdin='create("gone") = "0"\n\nput gone now\n\nget gone\n\n')
    yield s("txn -w fields", stdin='\nget --prefix t\ndel --prefix nothing\n\n\n')
    # Every target and operator, of a key that is there and of one that is not.
    for target, value in (("value", "7"), ("val", "8"), ("mod", "9"), ("m", "9"), ("create", "9"),
                          ("c", "9"), ("ver", "1"), ("version", "1"), ("lease", "0")):
        for operator in "=<>!":
            sign = "!=" if operator == "!" else operator
            for key in ("t", "never"):
                yield s("txn", stdin=f'{target}("{key}") {sign} "{value}"\n\nget t\n\n\n')
    for text in ("txn -i", "txn --interactive"):
        yield s(text, stdin='value("t") = "7"\n\nput t 8 --prev-kv\nget t\n\nget u\n\n')
        yield s(text, stdin='value("t") = "7"\n\nput t 8\n\nget u --rev 3\ndel u --prev-kv\n\n')
        yield s(text, stdin='value("t" = "7"\n\nput t 8\n\n\n')
        yield s(text, stdin='value("t") = "7"\n')
    for lines in (
            'mod("t") = "x"\n\nget t\n\n\n', 'ver("t") = "-1"\n\nget t\n\n\n',
            'value("t") ~ "7"\n\nget t\n\n\n', 'lease("t") = "xyz"\n\nget t\n\n\n',
            '\nnonsense t\n\n\n', '\nput t\n\n\n', '\nput t 1 --lease 123abc\n\n\n',
            '\nput never --ignore-value\n\n\n', '\nget t --rev 9999\n\n\n', '\nget t x y\n\n\n',
            '\nget t --sort-by VALUE --order DESCEND --limit 1 --keys-only\n\n\n',
            '\nput "a b" "c \\n d"\nget "a b"\ndel "a b" --prev-kv\n\n\n',
            '\ndel t --prefix --prev-kv\nget t\n\n\n', '\nget --from-key t\n\n\n', '\n\n\n',
            'value("t") = "no"\n\nget t\n\n\n', '\nput t 9\nget t --rev 2\n\n\n'):
        yield s("txn", stdin=lines)
    yield from in_formats("txn", stdin='ver("t") > "0"\n\nget t\nput u 1\ndel u\n\n\n')
    yield from in_formats("txn", stdin='ver("t") = "0"\n\nget t\n\nput u 1 --prev-kv\nget u\n\n')
    yield s("txn --hex", stdin='\nput u 2 --prev-kv\nget u\ndel u --prev-kv\n\n\n')
    yield s("txn extra", stdin='\n\n\n')
    yield s("txn", stdin="\n" + "".join(f"put many/{i} x\n" for i in range(128)) + "\n\n")
    yield s("txn", stdin="\n" + "".join(f"put many/{i} x\n" for i in range(129)) + "\n\n")
    yield s("del many/ --prefix")


def lease_steps():
    s = Step
    yield s("lease grant 100", store={"lease": LEASE})
    yield s("lease grant 99999999999")
    yield s("lease grant x")
    yield s("put leased 1 --lease={lease}")
    yield s("get leased -w json")
    yield s("lease timetolive {lease}")
    yield s("lease timetolive {lease} --keys")
    yield s("lease timetolive {lease} --keys -w json")
    yield s("lease grant 50 -w json", store={"json": r'"ID":(\d+)'})
    yield s("lease timetolive 123456")
    yield s("lease keep-alive {lease} --once")
    yield s("lease keep-alive 123456 --once")
    yield Scene(
        "lease keep-alive",
        ("run", "lease grant 3", None, {"kept": LEASE}),
        ("start", "one", "lease keep-alive {kept}"), ("lines", "one", 2), ("end", "one", "INT"),
        ("start", "other", "lease keep-alive {kept}"), ("lines", "other", 1),
        ("run", "lease revoke {kept}"), ("end", "other"))
    yield s("put leased 2 --ignore-lease")
    yield s("get leased -w fields")
    yield s("get leased -w protobuf")
    yield s("txn", stdin='lease("leased") = "{lease}"\n\nget leased\n\n\n')
    yield s("txn", stdin='lease("leased") > "0"\n\nget leased\n\n\n')
    for text in ("lease timetolive {lease}", "lease timetolive {lease} --keys",
                 "lease timetolive 123456", "lease keep-alive {lease} --once",
                 "lease keep-alive 123456 --once", "lease list", "lease grant 70"):
        yield from in_formats(text)
    for form in ("json", "fields", "table", "protobuf"):
        yield s("lease grant 60", store={"other": LEASE})
        yield s(f"lease revoke {{other}} -w {form}")
        yield s(f"lease revoke 123456 -w {form}")
    yield from (s(text) for text in [
        "lease grant", "lease grant 1 2", "lease grant 9223372036854775807",
        "lease grant 9223372036854775808", "lease revoke", "lease revoke 0", "lease revoke 1 2",
        "lease timetolive", "lease timetolive x", "lease timetolive 0", "lease timetolive 0 --keys",
        "lease keep-alive", "lease keep-alive x", "lease keep-alive 0 --once", "lease list extra",
        "put leased 5 --lease=0", "put leased 6 --lease={lease}", "lease keep-alive 123456",
        "put leased 7 --lease={lease} --ignore-lease", "put leased --ignore-value --lease={lease}",
    ])
    yield s("lease list")
    yield s("put leased 3")
    yield s("lease timetolive {lease} --keys")
    yield s("put leased 4 --lease={lease}")
    yield s("lease revoke {lease}")
    yield s("lease revoke {lease}")
    yield s("lease revoke nonsense")
    yield s("get leased")
    yield s("lease list -w json")
    # Short ones last: no list may find them alive in one store and gone in the other.
    yield s("lease grant 0", store={"none": LEASE}, differs=SHORT)
    yield s("lease grant -- -5", store={"negative": LEASE}, differs=SHORT)
    yield s("lease grant 1", store={"short": LEASE}, differs=SHORT)
    yield s("put mortal 1 --lease={short}")
    yield s("get mortal", pause=4)
    yield s("lease timetolive {short}")


def history_steps():
    s = Step
    yield s("put h 1")
    yield s("put h 2")
    yield s("del h")
    yield s("put h 3")
    yield first_lines("watch h --rev 1 --prev-kv", 16)
    yield first_lines("watch --prefix '' --rev 2 -w json", 1, differs="a history of more than "
                      "32 KiB comes in several messages, whose headers say how far each goes")
    yield s("watch h --rev 1 --filter nothing")
    yield from watch_steps()
    yield s("compaction 10")
    yield s("compaction 10")
    yield s("compaction 9")
    yield s("compaction 9999")
    yield s("compaction -- -1")
    yield s("compaction x")
    yield s("compaction")
    yield s("compaction 1 2")
    yield s("get a --rev 5")
    yield s("txn", stdin="\nget a --rev 5\n\n\n")
    yield s("watch h --rev 2")
    yield s("watch h --rev 2 -w json", differs="the header says the revision, where etcd's has 0")
    for form in ("fields", "table", "protobuf"):
        yield s(f"watch h --rev 2 -w {form}",
                differs=None if form == "table" else
                "the header says the revision, where etcd's has 0")
    yield s("compaction --physical 12")
    yield from in_formats("compaction 12 --physical")


def watch_steps():
    """Of what has been written, before the compaction; what a watch runs on an event, too."""
    yield first_lines("watch h --rev 1 --prev-kv --hex", 16)
    yield first_lines("watch h --rev 1 --prev-kv -w fields", 40)
    yield first_lines("watch h i --rev 1", 9)
    yield first_lines("watch h --prefix --rev 1 --prev-kv -w json", 1)
    yield first_lines("watch '' --prefix --rev 2", 30)
    # Several events of one revision, the last of which ends the message.
    yield Scene(
        "watch -w protobuf",
        ("run", "txn", "\nput w/1 one\ndel h\nput w/2 the-end\n\n\n"),
        ("run", "get w/ --prefix -w json", None, {"WRITTEN": r'"revision":(\d+)'}),
        ("start", "it", "watch w/ --prefix --rev {WRITTEN} -w protobuf"),
        ("message", "it", "the-end"), ("end", "it", "KILL"))
    yield first_lines("watch w/ --prefix --rev {WRITTEN} -w table", 1)
    yield first_lines("watch h --rev 1 -- echo seen", 13)
    yield first_lines("watch h --rev 1 --prev-kv -- sh -c 'env | grep ETCD_WATCH | sort'", 18)
    yield first_lines("watch w/1 w/9 --rev {WRITTEN} -- sh -c 'echo $ETCD_WATCH_VALUE'", 8)
    yield first_lines("watch w/1 --rev {WRITTEN} -- sh -c 'exit 3'", 4)
    yield first_lines("watch w/1 --rev {WRITTEN} -- no-such-program", 4)
    # What is not asked for in the line may be in the environment.
    for variables in ({"ETCDCTL_WATCH_KEY": "h"},
                      {"ETCDCTL_WATCH_KEY": "h", "ETCDCTL_WATCH_RANGE_END": "i"}):
        given = " ".join(f"{name}={value}" for name, value in variables.items())
        yield Scene(
            f"watch --rev 1 with {given}",
            ("start", "it", "watch --rev 1", variables), ("lines", "it", 9), ("end", "it", "KILL"))
    yield from (Step(text) for text in [
        "watch", "watch a --rev x", "watch a --bogus", "watch --prefix a b",
        "watch a -w nonsense", "watch -- echo x"])


def live_steps():
    """Watches that are given more to do, and mirrors. Nothing says that a watch is there: those
    that are to see a write start from a revision before it, the oldest that is not compacted."""
    yield Scene(
        "watch -i",
        ("run", "put i/1 one"), ("start", "it", "watch -i"),
        ("write", "it", "watch i/ --prefix --rev 13"), ("lines", "it", 3),
        ("run", "put i/2 two"), ("lines", "it", 3),
        ("write", "it", "watch i/2 --rev 13 --prev-kv"), ("lines", "it", 3),
        ("run", "del i/1"), ("lines", "it", 3),
        ("write", "it", "progress"), ("lines", "it", 2),
        ("write", "it", "watch h --rev 2"), ("lines", "it", 1),
        ("write", "it", "watch"), ("lines", "it", 1),
        ("write", "it", "cancel"), ("lines", "it", 1),
        ("write", "it", ""), ("lines", "it", 1),
        ("end", "it", "EOF"))
    yield Scene(
        "watch -i with a command",
        ("start", "it", "watch --interactive"),
        ("write", "it", "watch i/2 --rev 13 -- echo seen"), ("lines", "it", 4),
        ("write", "it", "watch i/2 --rev 13 -- sh -c 'exit 3'"), ("lines", "it", 1),
        ("end", "it", "KILL"))
    # Both would notify every ten minutes: it is the events that are compared.
    yield first_lines("watch i/ --prefix --rev 13 --progress-notify", 3)
    yield Scene(
        "make-mirror",
        ("run", "put from/1 one"), ("run", "put from/2 two"),
        ("start", "it", "make-mirror --prefix from/ --dest-prefix to/ {endpoint}"),
        ("until", "get to/2", "two"),
        ("run", "put from/3 three"), ("until", "get to/3", "three"),
        ("run", "txn", "\nput from/4 four\ndel from/1\n\n\n"), ("until", "get to/4", "four"),
        ("end", "it", "INT"),
        ("run", "get to/ --prefix -w json"))
    yield Step("make-mirror")
    yield Step("make-mirror a b")
    yield Step("make-mirror --prefix from/ --dest-prefix to/ --no-dest-prefix {endpoint}")


def far_mirror_steps(is_old):
    """From each store into the other, over TLS: real etcd to Martlet, and Martlet to real etcd."""
    tls = "--dest-cacert {cacert} --dest-cert {cert} --dest-key {key}"
    far = "--endpoints https://{far} {tls}"

    def mirror(text, flags, at):
        return Scene(
            text,
            ("start", "it", f"make-mirror --prefix from/ {tls} {flags} https://{{far}}"),
            ("until", f"{far} get {at}4", "four", False, True),
            ("run", "put from/5 five"), ("until", f"{far} get {at}5", "five", False, True),
            ("run", "txn", "\ndel from/2\nput from/6 six\n\n\n"),
            ("until", f"{far} get {at}6", "six", False, True),
            ("end", "it", "INT"),
            ("run", f"{far} get '{at}' --prefix", None, None, True),
            ("run", f"{far} del '{at}' --prefix", None, None, True),
            ("run", "del from/5"), ("run", "del from/6"), ("run", "put from/2 two"))

    yield mirror("make-mirror to the other store", "--dest-prefix to/", "to/")
    yield mirror("make-mirror without a prefix there",
                 "--no-dest-prefix --dest-insecure-transport=false", "")
    # 3.4 has no users at the destination.
    if is_old:
        yield Step(f"make-mirror --dest-user root --dest-password pw {tls} https://{{far}}")
    else:
        yield mirror("make-mirror as a user there",
                     "--dest-user root --dest-password pw --dest-prefix to/", "to/")


def claim_steps():
    """Locks and elections whose holders go in every way. A candidate's lease is of a minute: that
    of the killed one is taken away as its end would."""
    def candidates(count):
        return "until", "get office/ --prefix --keys-only", "(?s)" + "office/.*" * count

    yield Step("lock l echo got it")
    yield from (Step(text) for text in [
        "lock", "lock l --ttl x", "lock l --ttl 5 echo held", "lock l sh -- -c 'exit 3'",
        "lock l no-such-program", "lock l sh -- -c 'echo $ETCD_LOCK_KEY $ETCD_LOCK_REV'",
        "lock l echo formatted -w json", "get l/ --prefix",
        "elect", "elect office", "elect a b c", "elect -l", "elect office two -l"])
    yield Scene(
        "lock",
        ("start", "holder", "lock m"), ("lines", "holder", 1),
        ("start", "waiter", "lock m"), ("until", "get m/ --prefix --keys-only", "(?s)m/.*m/"),
        ("end", "holder", "INT"), ("lines", "waiter", 1), ("end", "waiter", "INT"),
        ("run", "get m/ --prefix"))
    yield Scene(
        "lock, whose holder is killed",
        ("start", "holder", "lock k --ttl 2"), ("lines", "holder", 1),
        ("start", "waiter", "lock k --ttl 2 echo mine"),
        ("until", "get k/ --prefix --keys-only", "(?s)k/.*k/"),
        ("end", "holder", "KILL"), ("end", "waiter"), ("run", "get k/ --prefix"))
    yield Scene(
        "elect",
        ("start", "first", "elect office one"), ("lines", "first", 2),
        ("start", "second", "elect office two"), candidates(2),
        ("start", "third", "elect office three"), candidates(3),
        ("start", "listener", "elect office --listen"), ("lines", "listener", 2),
        ("start", "other", "elect -l office"), ("lines", "other", 2), ("end", "other", "INT"),
        ("end", "first", "INT"),
        ("lines", "second", 2, {"killed": CLAIM}), ("lines", "listener", 2),
        ("end", "second", "KILL"), ("run", "lease revoke {killed}"),
        ("lines", "third", 2), ("lines", "listener", 2),
        ("end", "listener", "INT"), ("end", "third", "INT"), ("run", "get office/ --prefix"))


def snapshot_steps():
    """Hash, number of keys and size are of the file and not of the state: etcd's has buckets of
    its own bookkeeping, and pages that are free. The revision is compared."""
    yield from (Step(text) for text in [
        "snapshot save {folder}/saved", "snapshot status {folder}/saved",
        "snapshot status {folder}/saved -w json", "snapshot status {folder}/nothing",
        "snapshot restore {folder}/saved --data-dir {folder}/restored",
        "snapshot restore {folder}/saved --data-dir {folder}/restored",
        "snapshot status {folder}/restored/member/snap/db", "snapshot save {folder}/no/folder",
        "snapshot save", "snapshot save a b", "snapshot status", "snapshot restore",
        "snapshot status {folder}/saved -w fields", "snapshot status {folder}/saved -w table",
        "snapshot status {folder}/saved -w protobuf", "snapshot save {folder}/again -w json",
        "snapshot restore {folder}/saved --data-dir {folder}/named --wal-dir {folder}/wal "
        "--name n1 --initial-advertise-peer-urls http://127.0.0.1:1 --initial-cluster "
        "n1=http://127.0.0.1:1,n2=http://127.0.0.1:2 --initial-cluster-token mine",
        "snapshot restore {folder}/saved --data-dir {folder}/other --name nobody",
        "snapshot restore {folder}/restored/member/snap/db --data-dir {folder}/copied",
        "snapshot restore {folder}/restored/member/snap/db --data-dir {folder}/copied "
        "--skip-hash-check"])
    yield Step("snapshot save {folder}/one", everywhere=True)


def size_steps():
    """A value that a request holds, and one that it does not."""
    yield Step("put big", stdin="x" * 1_500_000)
    yield Step("put big", stdin="x" * 1_600_000)
    yield Step("put big", stdin="x" * 2_200_000)


def rest_steps():
    """All that was written, and its end."""
    yield from (Step(text) for text in [
        "del big", "get --prefix '' -w json", "get --prefix '' -w fields", "del --prefix ''",
        "get --prefix ''"])
