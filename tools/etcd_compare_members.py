"""What users of etcdctl do with the cluster, its members and users; for tools/etcd-compare."""

from etcd_compare_play import Scene, Step, in_formats

ADDED = r"Member +([0-9a-f]+) added"
FORMATS = ("json", "fields", "table", "protobuf")
HASH = "the hash is over another layout of data"
GLOBALS = {"ETCDCTL_ENDPOINTS": "{endpoint}"}


def endpoint_steps():
    """Of one endpoint, while the cluster is as it was made."""
    s = Step
    yield s("member list")
    yield from in_formats("member list")
    yield s("endpoint health")
    yield s("endpoint status -w fields")
    yield from in_formats("endpoint health")
    yield from in_formats("alarm list")
    yield from in_formats("alarm disarm")
    yield from in_formats("defrag")
    yield s("endpoint hashkv -w protobuf")
    for text in ("endpoint hashkv", "endpoint hashkv --rev 20", "endpoint hashkv -w json",
                 "endpoint hashkv -w fields", "endpoint hashkv -w table"):
        yield s(text, differs=HASH)
    yield s("endpoint hashkv --rev -1", differs="a negative revision is refused")
    # etcdctl 3.4 sends the whole URL as the authority of its calls.
    yield s("--endpoints http://{endpoint} endpoint status -w fields")
    yield s("--endpoints http://{endpoint} endpoint hashkv -w json", differs=HASH)
    yield from (s(text) for text in [
        "endpoint hashkv --rev 1", "endpoint hashkv --rev 999999", "endpoint hashkv --rev x",
        "alarm list", "alarm disarm", "alarm list x", "alarm disarm x",
        "defrag", "defrag x", "version", "member list x", "member remove", "member remove 123",
        "member remove x", "member remove 1 2", "member promote 123", "member promote",
        "member promote x", "member update 123 --peer-urls http://127.0.0.1:1", "member update",
        "member update 123", "member update x --peer-urls http://127.0.0.1:1", "member add",
        "member add x", "member add x --peer-urls nonsense", "member add x y",
        "member add x --peer-urls http://nowhere", "member add x --peer-urls http://127.0.0.1:7/a",
        "move-leader", "move-leader x", "move-leader 1 2", "endpoint health x",
    ])
    yield from (s(f"{text} -w {form}") for form in FORMATS for text in (
        "member remove 123", "member promote 123",
        "member update 123 --peer-urls http://127.0.0.1:1"))
    yield s("move-leader 123", everywhere=True)
    yield from (s(f"move-leader 123 -w {form}", everywhere=True) for form in FORMATS)


def client_steps():
    """What is etcdctl's own, and its flags for every command."""
    s = Step
    yield from (s(text) for text in [
        "nonsense", "help", "help get", "help nonsense", "get --help", "put -h", "completion bash",
        "completion bash --no-descriptions", "completion fish", "completion fish --no-descriptions",
        "completion zsh", "completion zsh --no-descriptions", "completion powershell",
        "completion powershell --no-descriptions", "version x", "alarm", "auth", "check",
        "endpoint", "lease", "member", "role", "snapshot", "user", "completion", "alarm nonsense",
        "put g 1 --command-timeout 10s --dial-timeout 5s --keepalive-time 1s "
        "--keepalive-timeout 3s", "get g --command-timeout 1ns", "get g --command-timeout x",
        "get g --dial-timeout x", "get g --write-out json", "get g --write-out=fields --hex=true",
        "get g --insecure-transport=true", "get g --insecure-discovery=true", "get g --hex=x",
        "get g --cacert /nowhere", "get g --cert /nowhere", "get g --key /nowhere",
        "get g --cert /nowhere --key /nowhere", "get g --user root", "get g --user root:pw",
        "get g --user root --password pw", "get g --password pw", "del g",
        # Nobody listens there.
        "endpoint health --endpoints 127.0.0.1:1 --dial-timeout 300ms --command-timeout 300ms",
        "get g --endpoints 127.0.0.1:1 --command-timeout 2s", "get g --endpoints ''",
    ])
    variables = [
        {}, {"ETCDCTL_WRITE_OUT": "json"}, {"ETCDCTL_HEX": "true"}, {"ETCDCTL_WRITE_OUT": "x"},
        {"ETCDCTL_COMMAND_TIMEOUT": "1ns"}, {"ETCDCTL_COMMAND_TIMEOUT": "x"},
        {"ETCDCTL_DIAL_TIMEOUT": "5s", "ETCDCTL_KEEPALIVE_TIME": "1s"},
        {"ETCDCTL_USER": "root:pw"}, {"ETCDCTL_USER": "root", "ETCDCTL_PASSWORD": "pw"},
        {"ETCDCTL_CACERT": "/nowhere"}, {"ETCDCTL_NONSENSE": "1"}, {"ETCD_NAME": "x"}]
    for more in variables:
        yield s("get h", variables={**GLOBALS, **more}, bare=True)
    yield s("get h -w fields", variables={"ETCDCTL_WRITE_OUT": "json"})
    yield s("get h", variables=GLOBALS)
    # Of the API of version 2, which etcd has with --enable-v2 alone.
    for text in ("ls", "get x", "set x 1", "rm x", "cluster-health", "member list", "user list"):
        yield s(f"--endpoints http://{{endpoint}} {text}", variables={"ETCDCTL_API": "2"},
                bare=True)
    yield s("endpoint status --debug -w fields --endpoints {endpoint}", bare=True)


def whole_cluster_steps():
    """Of all members, once it is known which leads."""
    yield from (Step(text) for text in [
        "endpoint status --cluster", *(f"endpoint status --cluster -w {form}" for form in FORMATS),
        "endpoint health --cluster", *(f"endpoint health --cluster -w {form}" for form in FORMATS),
        "endpoint hashkv --cluster -w protobuf", "defrag --cluster", "defrag --cluster -w json",
        "alarm list --cluster"])
    for form in ("simple", "json", "fields", "table"):
        yield Step(f"endpoint hashkv --cluster -w {form}", differs=HASH)
    yield Step("endpoint health", everywhere=True)
    yield Step("endpoint health -w table", everywhere=True)
    yield Step("defrag", everywhere=True)
    yield Step("get h", everywhere=True)


def member_steps():
    """At the very end, for they change the cluster. Nobody listens at the newcomers' addresses:
    one that votes leaves three of four, one that does not leaves all three. No two have the same,
    for etcd makes a member's id of these and of the second in which it is added."""
    s = Step
    learner = "a new voter is a learner until it has caught up"
    yield s("member add new --learner --peer-urls http://127.0.0.1:1", store={"learner": ADDED})
    yield s("member add other --peer-urls http://{peer},http://127.0.0.1:3",
            differs="a member has one peer URL, and two are refused before either is looked for")
    yield from (s(text) for text in [
        "member list", *(f"member list -w {form}" for form in FORMATS),
        *(f"member promote {{learner}} -w {form}" for form in FORMATS), "member promote {learner}",
        "member add other --peer-urls http://{peer}",
        "member update {learner} --peer-urls nonsense",
        "member update {learner} --peer-urls http://127.0.0.1:2",
    ])
    yield s("member list", differs="etcd forgets in an update that the member is a learner")
    yield from (s(text) for text in [
        "member remove {learner}", "member remove {learner}",
        "member update {learner} --peer-urls http://127.0.0.1:1", "member list",
    ])
    yield s("member add new --peer-urls http://127.0.0.1:4", store={"voter": ADDED})
    yield s("member list", differs=learner)
    yield s("member promote {voter}")
    yield s("put with-a-newcomer 1")
    yield s("member remove {voter}")
    yield s("member list", store={
        "first": r"(\w+), started, replica-1,", "second": r"(\w+), started, replica-2,"})
    yield s("member promote {first}")
    # Whoever leads: from here on it is the first in both.
    yield Scene("the first leads", ("until", "move-leader {first}", "transferred", True))
    yield from whole_cluster_steps()
    yield s("endpoint status", everywhere=True)
    yield s("move-leader {second}", everywhere=True)
    yield s("move-leader {first}")
    yield s("endpoint status", everywhere=True)
    yield s("move-leader {second}", everywhere=True)
    yield s("put with-another-leader 1")
    yield s("member add new --learner --peer-urls http://127.0.0.1:5")
    yield s("member add more --learner --peer-urls http://127.0.0.1:6",
            differs="as many learners as are added, for which etcd has --max-learners")


def auth_steps():
    """Users and roles, at the end: auth is on for a while, and off again."""
    s = Step
    yield from (s(text) for text in [
        "auth status", "auth disable", "user list", "role list", "user add root:pw",
        "user add root:pw", "user add alice:secret", "user get nobody", "user get alice",
        "user add carol --no-password", "role add alices", "role add alices", "role get alices",
        "role get nothing", "role grant-permission alices readwrite --prefix=true alice/",
        "role grant-permission alices read public", "role grant-permission alices write a z",
        "role grant-permission alices write a z", "role grant-permission alices nonsense a",
        "role grant-permission nobody read a",
        "role grant-permission alices read --from-key=true zz", "role get alices",
        "role get alices -w json", "role revoke-permission alices zz --from-key=true",
        "role revoke-permission alices a z", "role revoke-permission alices a",
        "user grant-role alice nothing", "user grant-role nobody alices",
        "user grant-role alice alices", "user grant-role alice alices",
        "user revoke-role alice root", "user get alice", "user get alice --detail",
        "user get alice -w json", "put public 1", "put private 1", "put alice/a 1",
        "user grant-role root root", "auth enable", "auth enable", "auth status",
        "--user root:pw auth status", "get public", "put public 2", "--user root:wrong get public",
        "--user nobody:x get public", "--user root:pw get public",
        "--user alice:secret get public", "--user alice:secret put public 2",
        "--user alice:secret get private", "--user alice:secret get --prefix alice/",
        "--user alice:secret put alice/b 2 --prev-kv", "--user alice:secret get --prefix ''",
        "--user alice:secret del --prefix alice", "--user alice:secret del --prefix alice/",
        "--user alice:secret user get alice", "--user alice:secret user get root",
        "--user alice:secret role get alices", "--user alice:secret role get root",
        "--user alice:secret user list", "--user alice:secret role list",
        "--user alice:secret user add bob:x", "--user alice:secret user grant-role alice root",
        "--user alice:secret auth disable", "--user alice:secret auth status",
        "--user alice:secret watch private", "--user root:pw role get root",
        "--user root:pw user delete root", "--user root:pw user revoke-role root root",
        "--user root:pw role delete root", "--user root:pw user list",
        "--user root:pw role list",
    ])
    yield s("--user carol:x get public", differs="who has no password is not told to who asks")
    yield s("--user alice:secret defrag", differs="PermissionDenied, for which etcd has Unknown")
    yield s("--user alice:secret txn", stdin="\nput alice/t 1\nget public\n\n\n")
    yield s("--user alice:secret txn", stdin="\nput alice/t 1\nput public 1\n\n\n")
    yield s("--user alice:secret txn", stdin='ver("private") = "1"\n\nget public\n\n\n')
    yield s("--user alice:secret txn", stdin='ver("public") = "9"\n\nget public\n\nget x\n\n')
    yield s("--user root:pw user passwd --interactive=false alice", stdin="new\n")
    yield from (s(text) for text in [
        "--user alice:secret get public", "--user alice:new get public",
        "--user root:pw user revoke-role alice alices", "--user alice:new get public",
        "--user root:pw role delete alices", "--user root:pw user delete alice",
        "--user root:pw auth disable", "auth disable", "get --prefix ''", "user delete root",
        "user delete root", "user delete carol", "role delete root", "user list", "role list",
        "del --prefix ''",
    ])
    yield from user_format_steps()


def user_format_steps():
    """Users, roles and what etcdctl says of them in each format."""
    yield from (Step(text) for text in [
        "auth enable x", "auth disable x", "auth status x", "user add", "user add a b",
        "user add :pw --interactive=false", "user add dave:pw --no-password", "user add ''",
        "user add dave --interactive", "user delete dave", "user delete", "user get",
        "user list x", "user passwd", "user passwd nobody --interactive=false", "user grant-role",
        "user grant-role dave", "user revoke-role", "user revoke-role nobody x", "role add",
        "role add ''", "role add a b", "role delete", "role delete nothing", "role get",
        "role list x", "role grant-permission", "role grant-permission r read",
        "role revoke-permission", "role revoke-permission nothing a", "user get dave --detail",
        "user add erin --new-user-password pw", "user add erin --new-user-password pw",
        "user get erin", "user delete erin", "user add u:pw", "role add r", "user grant-role u r",
        "role grant-permission r read a", "user get u --detail", "user get u --detail -w json",
        "user delete u", "role delete r"])
    yield Step("user add dave --interactive=false", stdin="pw\n")
    yield Step("user passwd dave --interactive=false", stdin="other\n")
    yield Step("user passwd nobody --interactive=false", stdin="other\n")
    yield Step("user passwd dave", stdin="other\n")
    yield Step("user delete dave")
    for form in FORMATS:
        yield from (Step(f"{text} -w {form}") for text in [
            "role add r", "role add r", "role list", "role grant-permission r readwrite a",
            "role grant-permission r read b d", "role grant-permission r write p/ --prefix",
            "role grant-permission r write z --from-key",
            "role grant-permission r read '' --prefix", "role get r",
            "role revoke-permission r p/ --prefix", "role revoke-permission r z --from-key",
            "role revoke-permission r b d", "role revoke-permission r never",
            "user add u:pw", "user add v --no-password", "user grant-role u r", "user get u",
            "user get v", "user list", "auth status", "auth disable",
            "auth enable", "user revoke-role u r", "user revoke-role u r"])
        yield Step(f"user passwd u --interactive=false -w {form}", stdin="new\n")
        yield from (Step(f"{text} -w {form}") for text in [
            "user delete u", "user delete u", "user delete v", "role delete r", "role delete r",
            "user add root:pw", "user grant-role root root", "auth enable"])
        yield Step(f"--user root:pw auth status -w {form}")
        yield Step(f"--user root:pw auth disable -w {form}")
        yield Step("user delete root")
        yield Step("role delete root")
    # Last, for it is counted in the revision of auth where it is taken.
    yield Step("role add empty")
    yield Step("role grant-permission empty read z a",
               differs="a range that holds nothing is refused, as by newer etcd")
    yield Step("role delete empty")


def secure_steps():
    """On the one member with TLS and certificates of clients, that of alice."""
    s = Step
    yield from (s(text) for text in [
        "{tls} put a 1", "{tls} get a", "{tls} --insecure-transport=false get a -w json",
        "{tls} endpoint health", "{tls} endpoint status -w fields", "{tls} member list",
        "{tls} --insecure-skip-tls-verify get a", "{tls} -w table endpoint health --cluster",
        "--insecure-skip-tls-verify --cert {cert} --key {key} get a",
        "{tls} snapshot save {folder}/s"])
    yield s("get a", variables={
        "ETCDCTL_CACERT": "{cacert}", "ETCDCTL_CERT": "{cert}", "ETCDCTL_KEY": "{key}"})
    short = "--command-timeout 1s --dial-timeout 1s"
    refused = "the words of another TLS library, which etcdctl repeats"
    yield from (s(f"{short} {text}", differs=refused) for text in [
        "--cacert {cacert} get a", "--insecure-skip-tls-verify get a",
        "--cacert {cacert} --cert {stranger} --key {stranger_key} get a"])
    yield s(f"{short} get a")
    yield s(f"{short} --cacert {{stranger}} --cert {{cert}} --key {{key}} get a")
    yield from (s(f"{{tls}} {text}") for text in [
        "user add root:pw", "user grant-role root root", "user add alice --no-password",
        "role add alices", "role grant-permission alices readwrite alice/ --prefix",
        "user grant-role alice alices", "auth enable", "put alice/1 x", "get alice/1",
        "get other", "put a 2", "user list", "auth status", "user get alice",
        "--user root:pw get a", "--user root --password pw get a", "--user root:no get a",
        "--user root:pw auth status",
        "--user root:pw user delete alice", "get alice/1", "--user root:pw auth disable",
        "user delete root", "role delete root", "role delete alices", "auth status",
        "del '' --prefix"])


def quota_steps():
    """On the same member, whose quota is a few values. At the end: how many were written before
    one was refused is each one's own, and so are the revisions from there on."""
    s = Step
    soon = "goes by itself when there is room again"
    yield s("{tls} alarm list")
    yield s("{tls} put small 1")
    full = ("fill", "{tls} put fill", 1_000_000)
    yield Scene("until it is full", full, ("silent", "{tls} get small -w json",
                                           {"REVISION": r'"revision":(\d+)'}))
    yield from (s(f"{{tls}} {text}") for text in [
        "alarm list", *(f"alarm list -w {form}" for form in FORMATS), "put more 1", "get small",
        "get fill --keys-only", "endpoint health", "endpoint health -w json", "endpoint status",
        "endpoint status -w json", "endpoint status -w fields", "endpoint status -w table",
        "lease grant 100", "snapshot save {folder}/full"])
    yield s("{tls} txn", stdin="\nput more 1\n\n\n")
    idle = "what puts nothing is not refused, as by etcd since 3.5.7"
    yield s("{tls} txn", stdin="\nget small\n\n\n", differs=idle)
    yield s("{tls} txn", stdin="\ndel nothing\n\n\n", differs=idle)
    # Martlet's comes again by itself, etcd's with the next write.
    for text in ("alarm disarm", *(f"alarm disarm -w {form}" for form in FORMATS)):
        yield s(f"{{tls}} {text}")
        yield Scene("until it is full again", full, ("silent", "{tls} get small -w json",
                                                     {"REVISION": r'"revision":(\d+)'}))
        yield s("{tls} alarm list")
    yield Scene(
        "room is made",
        ("run", "{tls} del fill"), ("silent", "{tls} get small -w json",
                                    {"REVISION": r'"revision":(\d+)'}),
        ("run", "{tls} compaction --physical {REVISION}"), ("run", "{tls} defrag"))
    yield s("{tls} alarm list", differs=soon)
    yield s("{tls} alarm disarm", differs=soon)
    yield from (s(f"{{tls}} {text}") for text in [
        "alarm list", "alarm disarm", "put more 1", "get more", "endpoint health"])
