"""A reader of Prometheus' text format that takes nothing but what the format allows."""

import re

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
SAMPLE = re.compile(rf"^({NAME})(?:\{{(.*)\}})? (\S+)$")
LABEL = re.compile(rf'({NAME})="((?:[^"\\]|\\.)*)"(?:,|$)')


class Metrics:
    """Families by name: type, help, and samples as (name, labels) -> value."""

    def __init__(self, text):
        self.types, self.helps, self.samples = {}, {}, {}
        family = None
        assert text.endswith("\n"), "the last line has no end"
        for line in text.splitlines():
            if line.startswith("# HELP "):
                _, _, name, words = line.split(" ", 3)
                assert name not in self.helps, f"{name} has two HELP lines"
                self.helps[name] = words
                family = name
            elif line.startswith("# TYPE "):
                _, _, name, kind = line.split(" ")
                assert name == family, f"TYPE of {name} after HELP of {family}"
                assert kind in ("counter", "gauge", "histogram"), line
                self.types[name] = kind
            else:
                self.take(line, family)
        for name in self.types:
            if self.types[name] == "histogram":
                self.check_histogram(name)

    def take(self, line, family):
        match = SAMPLE.match(line)
        assert match, f"no sample: {line!r}"
        name, labels, value = match.groups()
        base = name
        if self.types.get(family) == "histogram":
            base = re.sub("_(bucket|sum|count)$", "", name)
        assert base == family, f"{name} stands among {family}"
        pairs = LABEL.findall(labels or "")
        written = ",".join(f'{key}="{text}"' for key, text in pairs)
        assert written == (labels or ""), f"bad labels: {line!r}"
        key = (name, frozenset(pairs))
        assert key not in self.samples, f"twice: {line!r}"
        self.samples[key] = float(value)

    def check_histogram(self, name):
        series = {}
        for (sample, labels), value in self.samples.items():
            if sample == name + "_bucket":
                bounds = [text for key, text in labels if key == "le"]
                rest = frozenset(pair for pair in labels if pair[0] != "le")
                series.setdefault(rest, []).append((float(bounds[0]), value))
        for labels, buckets in series.items():
            buckets.sort()
            counts = [count for _, count in buckets]
            assert buckets[-1][0] == float("inf"), f"{name} has no +Inf"
            assert counts == sorted(counts), f"{name} is not cumulative"
            assert self.samples[(name + "_count", labels)] == counts[-1], name
            assert (name + "_sum", labels) in self.samples, name

    def value(self, name, **labels):
        """Sum of the samples of that name whose labels include these."""
        found = [value for (sample, pairs), value in self.samples.items()
                 if sample == name and set(labels.items()) <= pairs]
        assert found, f"no {name} {labels}"
        return sum(found)

    def label_names(self, name):
        return {frozenset(key for key, _ in pairs if key != "le")
                for (sample, pairs) in self.samples if sample == name or sample == name + "_bucket"}
