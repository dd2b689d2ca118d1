"""Figures of Martlet and of etcd: a line for each, and the record of them in docs/performance."""

import csv
import dataclasses
import datetime
import math
import os
import pathlib
import shutil
import statistics
import subprocess

FOLDER = pathlib.Path(__file__).resolve().parents[1] / "docs" / "performance"
KINDS = ("martlet", "etcd")
# In the order of the record.
SECTIONS = ("throughput", "watch", "list", "heat", "leases", "gap", "memory", "start")
COLUMNS = ["section", "figure", "better", "goal", "kind", "round", "value", "cpu_s_per_1000"]


@dataclasses.dataclass
class Measured:
    """A figure of one round, and what the load behind it took: the servers' CPU seconds for 1,000
    of its units, the generator's, and how many there were a second. None where nothing is counted.
    """

    value: float
    cpu: float | None = None
    generator: float | None = None
    per_second: float | None = None


class Row:
    """One figure, round by round. `better` is more or less; the goal is the ratio of Martlet's
    figure to etcd's, or none."""

    def __init__(self, section, better, goal):
        self.section, self.better, self.goal = section, better, goal
        self.unit = "requests"
        self.rounds = {kind: [] for kind in KINDS}

    def median(self, kind, what="value"):
        """None if some round does not have it."""
        values = [getattr(measured, what) for measured in self.rounds[kind]]
        return None if None in values or not values else statistics.median(values)

    def ratio(self, what="value"):
        return self.median("martlet", what) / max(1e-9, self.median("etcd", what))

    def verdict(self):
        if not self.goal:
            return ""
        return f" (goal {'>=' if self.better == 'more' else '<='} {self.goal}x" \
            f" {'met' if self.is_met() else 'MISSED'})"

    def is_met(self):
        return self.ratio() >= self.goal if self.better == "more" else self.ratio() <= self.goal

    def cost(self):
        """The servers' CPU of both."""
        ours, theirs = (self.median(kind, "cpu") for kind in KINDS)
        if ours is None or theirs is None:
            return ""
        return (f"; server CPU s per 1,000 {self.unit}: Martlet {ours:.3g}, etcd {theirs:.3g},"
                f" {self.ratio('cpu'):.2f}x")

    def why(self):
        """What one of ours takes of the CPU beside what it might take at the goal, for a rate that
        missed it."""
        rate = self.median("martlet", "per_second")
        if not self.goal or self.is_met() or self.better != "more" or rate is None:
            return ""
        servers, generator = (self.median("martlet", what) for what in ("cpu", "generator"))
        busy = 100 * rate * (servers + generator) / 1000 / os.cpu_count()
        allowed = 1000 * os.cpu_count() / (rate * self.goal / self.ratio())
        one = ("an " if self.unit[0] in "aeiou" else "a ") + self.unit.removesuffix("s")
        return (f"\n  {one} takes {1000 * servers:.3g} us of the servers' CPU and"
                f" {1000 * generator:.3g} of the generator's (the machine is {busy:.0f} % busy);"
                f" the goal leaves {1000 * allowed:.3g} for both")


class Table:
    """Figures of both by name."""

    def __init__(self):
        self.rows = {}
        self.section = ""

    def add(self, kind, name, value, better, goal, report=None):
        """`report` says what the load behind the figure counted, and what it took of the CPU."""
        row = self.rows.setdefault(name, Row(self.section, better, goal))
        measured = Measured(value)
        if report:
            row.unit = report["unit"]
            measured.cpu, measured.generator = report["cpu"], report["generator"]
            measured.per_second = report["per_second"]
        row.rounds[kind].append(measured)

    def of(self, section):
        return {name: row for name, row in self.rows.items() if row.section == section}

    def line(self, name):
        row = self.rows[name]
        ours, theirs = (row.median(kind) for kind in KINDS)
        return (f"{name}: Martlet {ours:.4g}, etcd {theirs:.4g}, {row.ratio():.2f}x{row.verdict()}"
                f"{row.cost()}{row.why()}")

    def lines(self, section):
        lines = [self.line(name) for name in self.of(section)]
        if section == "heat":
            lines.append(self.mean_line())
        return lines

    def mean_line(self):
        rows = self.of("heat").values()
        mean, cpu = (
            math.exp(statistics.fmean(math.log(max(1e-9, row.ratio(what))) for row in rows))
            for what in ("value", "cpu"))
        return (f"mixed, geometric mean of {len(rows)} cells: {mean:.2f}x (goal >= 3x"
                f" {'met' if mean >= 3 else 'MISSED'}); of server CPU: {cpu:.2f}x")

    def read(self, path, without):
        """What was recorded in a file, but for some sections. Older records have no CPU."""
        with open(path, newline="") as file:
            for line in csv.DictReader(file):
                if line["section"] in without:
                    continue
                row = self.rows.setdefault(line["figure"], Row(
                    line["section"], line["better"], float(line["goal"] or 0)))
                cpu = line.get("cpu_s_per_1000")
                row.rounds[line["kind"]].append(
                    Measured(float(line["value"]), float(cpu) if cpu else None))

    def write(self, path):
        with open(path, "w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(COLUMNS)
            for section in SECTIONS:
                for name, row in self.of(section).items():
                    for kind in KINDS:
                        for number, one in enumerate(row.rounds[kind], 1):
                            cpu = "" if one.cpu is None else f"{one.cpu:.6g}"
                            writer.writerow([section, name, row.better, row.goal or "", kind,
                                             number, f"{one.value:.6g}", cpu])


def record(table, lines, arguments, folder=FOLDER):
    """Sections of this run; the others stay as they were recorded last. `lines` is by section."""
    every = Table()
    every.read(folder / "store.csv", without=lines)
    every.rows |= {name: row for name, row in table.rows.items() if row.section in lines}
    every.write(folder / "store.csv")
    path = folder / "store.md"
    text = path.read_text()
    words = [word for word in arguments if word != "--only" and word not in SECTIONS]
    for section, said in lines.items():
        command = " ".join(["tools/bench store", *words, "--only", section])
        entry = f"`{command}`, {datetime.date.today()}, {os.cpu_count()} cores:\n\n```\n"
        entry += "\n".join(said) + "\n```\n"
        begin, end = f"<!-- tools/bench store --only {section} -->\n", "<!-- end -->\n"
        before, rest = text.split(begin, 1)
        text = before + begin + entry + end + rest.split(end, 1)[1]
    path.write_text(text)
    plot(every, folder)


def plot(table, folder):
    """Ratios as bars, the better side to the right; one line is where both are equal."""
    if not shutil.which("gnuplot"):
        print("no plot: gnuplot is not installed (apt-get install gnuplot-nox)")
        return
    rows = [(name, row.ratio() if row.better == "more" else 1 / max(1e-3, row.ratio()))
            for name, row in table.rows.items()]
    data = "\n".join(
        f'{len(rows) - i} {value:.3f} "{name}"' for i, (name, value) in enumerate(rows))
    script = f"""
set terminal svg size 1000,{60 + 22 * len(rows)} font "sans,11"
set output "{folder / 'store.svg'}"
set title "Martlet against etcd 3.5.1: how many times better"
set style fill solid 0.7
set boxwidth 0.6
set logscale x 2
set xrange [0.25:64]
set yrange [0:{len(rows) + 1}]
unset key
set lmargin 52
set arrow from 1,0 to 1,{len(rows) + 1} nohead
$data << EOD
{data}
EOD
plot $data using (1):1:(1):2:($1-0.3):($1+0.3):ytic(3) with boxxyerror linecolor rgb "#33679a"
"""
    subprocess.run(["gnuplot"], input=script, text=True, check=True)
