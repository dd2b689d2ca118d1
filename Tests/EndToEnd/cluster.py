"""A Martlet cluster under test: started by the real binary, in a directory and on ports of its own."""

import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARIES = ROOT / ".build" / "release"
MARTLET = str(BINARIES / "martlet")
DUMP = str(BINARIES / "martlet-dump")
KUBECTL = os.environ.get("MARTLET_TEST_KUBECTL", "kubectl")
ETCDCTL = os.environ.get("MARTLET_TEST_ETCDCTL", "/usr/bin/etcdctl")


def free_ports(count):
    """A first port P such that P .. P+count-1 are free on loopback."""
    for start in range(21000 + os.getpid() % 4000, 60000, 97):
        sockets = []
        try:
            for port in range(start, start + count):
                one = socket.socket()
                sockets.append(one)
                one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                one.bind(("127.0.0.1", port))
            return start
        except OSError:
            continue
        finally:
            for one in sockets:
                one.close()
    raise RuntimeError("no free ports")


def wait_for(what, condition, seconds=60, every=0.1):
    """Polls until `condition()` is true and answers its value."""
    end = time.monotonic() + seconds
    last = None
    while time.monotonic() < end:
        try:
            value = condition()
            if value:
                return value
        except (subprocess.CalledProcessError, AssertionError, json.JSONDecodeError) as error:
            last = error
        time.sleep(every)
    raise AssertionError(f"not within {seconds} s: {what} (last: {last})")


class Result:
    def __init__(self, done):
        self.code = done.returncode
        self.out = done.stdout
        self.err = done.stderr

    def __repr__(self):
        return f"exit {self.code}\n{self.out}\n{self.err}"


def run(command, input=None, timeout=60, env=None, check=True, cwd=None):
    """Runs a command; with `check`, an exit code other than 0 fails the test with its output."""
    done = subprocess.run(
        command, input=input, capture_output=True, text=True, timeout=timeout, env=env, cwd=cwd)
    result = Result(done)
    if check and done.returncode != 0:
        raise AssertionError(f"{' '.join(command)}: {result}")
    return result


def is_gone(pid):
    """Whether a process and all its threads have ended, reaped or not."""
    try:
        state = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        return state == "Z" and len(os.listdir(f"/proc/{pid}/task")) == 1
    except (FileNotFoundError, ProcessLookupError):
        return True


class Cluster:
    def __init__(self, directory=None, nodes=1, replicas=3, flags=(), etcd=None):
        """With `etcd`, an `Etcd` of etcd.py, the state is there and not in replicas."""
        self.scratch = None
        self.etcd = etcd
        if directory is None:
            self.scratch = tempfile.mkdtemp(prefix="martlet-e2e-")
            directory = os.path.join(self.scratch, "data")
        self.directory = str(directory)
        self.nodes = nodes
        self.replicas = replicas
        self.flags = [*flags, *(etcd.martlet_flags if etcd else [])]
        # Three replicas' ports for one too: what is restored from it has three.
        self.store_port = free_ports(10 * max(3, replicas))
        # The API ports lie in the gaps that the store ports leave.
        self.api_port = self.store_port + 3
        self.process = None
        self.lines = []

    def start(self, env=None, prefix=()):
        """As `up`, without waiting; `prefix` is a command that runs the rest."""
        self.process = subprocess.Popen(
            [*prefix, MARTLET, "up", "--data-dir", self.directory, "--replicas", str(self.replicas),
             "--nodes", str(self.nodes), "--store-port", str(self.store_port),
             "--api-port", str(self.api_port), *self.flags],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env={**os.environ, **(env or {})}, start_new_session=True)
        os.set_blocking(self.process.stdout.fileno(), False)

    def up(self, seconds=60, env=None, prefix=()):
        self.start(env, prefix)
        end = time.monotonic() + seconds
        text = ""
        while time.monotonic() < end:
            text += (self.process.stdout.read() or b"").decode()
            if any(line.startswith("ready") for line in text.splitlines()):
                return text
            if self.process.poll() is not None:
                break
            time.sleep(0.02)
        raise AssertionError(f"no ready line:\n{text}\n{self.logs()}")

    def logs(self):
        out = ""
        for path in sorted(pathlib.Path(self.directory).glob("*/*.log")):
            out += f"--- {path}\n" + "\n".join(path.read_text(errors="replace").splitlines()[-25:])
        return out

    def stop(self, seconds=10):
        """Ctrl-C; answers the exit code."""
        if self.process is None or self.process.poll() is not None:
            return self.process.returncode if self.process else 0
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(timeout=seconds)

    def kill_everything(self):
        """kill -9 of the supervisor and all its processes at once."""
        pids = [self.process.pid] + self.pids()
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.process.wait(timeout=10)
        # A thread that the disk holds up keeps the ports of its process until it ends.
        wait_for("the killed processes are gone", lambda: all(map(is_gone, pids)), seconds=60)

    def pids(self):
        return [int(path.read_text()) for path in pathlib.Path(self.directory).glob("*.pid")]

    def pid(self, name):
        return int((pathlib.Path(self.directory) / f"{name}.pid").read_text())

    def close(self):
        try:
            self.stop()
        except subprocess.TimeoutExpired:
            self.kill_everything()
        if self.scratch:
            shutil.rmtree(self.scratch, ignore_errors=True)

    # Clients

    def kubectl(self, *arguments, input=None, check=True, timeout=60, context=None):
        command = [KUBECTL, "--kubeconfig", self.directory + "/kubeconfig"]
        if context:
            command += ["--context", context]
        env = {**os.environ, "HOME": self.scratch or "/tmp", "KUBE_EDITOR": "true"}
        return run(command + list(arguments), input=input, timeout=timeout, check=check, env=env)

    def get_json(self, *arguments, **options):
        return json.loads(self.kubectl("get", *arguments, "-o", "json", **options).out)

    def endpoint(self, number):
        return f"https://127.0.0.1:{self.store_port + 10 * (number - 1)}"

    def etcdctl(self, *arguments, number=1, input=None, check=True, timeout=30, endpoints=None):
        if self.etcd:
            return self.etcd.etcdctl(*arguments, input=input, check=check)
        pki = self.directory + "/pki"
        env = {**os.environ, "ETCDCTL_API": "3"}
        return run(
            [ETCDCTL, "--endpoints", endpoints or self.endpoint(number), "--cacert", pki + "/ca.crt",
             "--cert", pki + "/client.crt", "--key", pki + "/client.key", *arguments],
            input=input, check=check, timeout=timeout, env=env)

    def store(self, *arguments, check=True, input=None, timeout=60):
        return run(
            [MARTLET, "store", *arguments, "--data-dir", self.directory], check=check,
            input=input, timeout=timeout)

    def leader(self):
        """The number of the replica that leads."""
        for number in range(1, self.replicas + 1):
            done = self.etcdctl("endpoint", "status", "-w", "json", number=number, check=False)
            if done.code != 0:
                continue
            status = json.loads(done.out)[0]["Status"]
            if status.get("leader") == status["header"]["member_id"]:
                return number
        return None
