"""Which commands and flags of an etcdctl were used; for tools/etcd-compare."""

import re
import subprocess

from etcd_compare_play import environment, words

# What no server hears of: these commands and flags are not asked for.
ELSEWHERE = {
    ("migrate", "*"): "reads and writes a data directory of etcd 2",
    ("defrag", "--data-dir"): "works on etcd's file while no server runs",
    ("*", "--discovery-srv"): "asks the DNS for servers before any is called",
    ("*", "--discovery-srv-name"): "asks the DNS for servers before any is called",
}


def described(etcdctl, *command):
    return subprocess.run([etcdctl, *command, "--help"], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, env=environment()).stdout


def flags_of(text):
    """Long name by every name that a help's options have."""
    options = re.search(r"(?s)\nOPTIONS:\n(.*?)(\nGLOBAL|$)", text)
    found = re.findall(r"(?m)^\s+(?:(-\w), )?(--[a-z-]+)", options[1]) if options else []
    return {name: long for short, long in found for name in (short, long) if name}


def unused(etcdctl, texts):
    """Number of pairs of a command and a flag that this etcdctl has, and those in no text. Every
    command has the pair with "", which is the command itself."""
    top = described(etcdctl)
    everywhere = flags_of(top)
    commands = {}
    for name in re.findall(r"(?m)^\t([a-z][a-z -]*?)\t", top):
        commands[name] = flags_of(described(etcdctl, *name.split()))
    wanted = {("*", flag) for flag in everywhere.values()}
    for name, flags in commands.items():
        wanted |= {(name, flag) for flag in (*flags.values(), "") if flag != "--help"}
    wanted -= {pair for pair in wanted if pair in ELSEWHERE or (pair[0], "*") in ELSEWHERE}
    used = set()
    for text in texts:
        split = words(text)
        line = " ".join(split)
        found = [name for name in commands if re.search(rf"(^| ){name}( |$)", line)]
        # Of several the first, and of those that begin there the longest.
        command = min(found, key=lambda name: (f" {line} ".index(f" {name} "), -len(name)),
                      default=None)
        used.add((command, ""))
        for word in split:
            flag = word.split("=")[0]
            used.add((command, commands.get(command, {}).get(flag)))
            used.add(("*", everywhere.get(flag)))
    return len(wanted), sorted(" ".join(pair).strip() for pair in wanted - used)
