"""What two clusters cannot have in common, taken out of what etcdctl says; for
tools/etcd-compare."""

import re

# Pattern, what stands there instead, and why the two must differ.
OUR_OWN = [
    (r"https?://<", "http://<", "one is asked with and one without"),
    (r'"(cluster_id|member_id|memberID|raft_term|ID|leader|raftTerm|raftIndex|raftAppliedIndex'
     r'|dbSize|dbSizeInUse)": ?"?\d+"?', r'"\1":<n>', "ids are random, Raft and files are its own"),
    (r'"(ClusterID|MemberID|RaftTerm|Term|Leader|RaftIndex|RaftAppliedIndex|DBSize'
     r'|DBSizeInUse|ID)" : "?[0-9a-f]+"?', r'"\1" : <n>', "the same in fields"),
    (r"(cluster_id|member_?[iI][dD]|raft_term):\d+", r"\1:<n>", "the same in lines"),
    (r'"id":\d+', '"id":<id>', "leases, in a list"),
    (r"took = [0-9.]+[mµn]?s", "took = <time>", "time"),
    (r'"[tT]ook"( ?: ?)"?[0-9.]+[mµn]?s"?', r'"took"\1<time>', "time"),
    (r"\b[0-9a-f]{13,16}\b", "<id>", "ids are random, a lease's too"),
    (r'"ts":"[^"]*"', '"ts":"<time>"', "time"),
    (r'"(caller|target)":"[^"]*"', r'"\1":"<x>"', "etcdctl's own, with addresses in memory"),
    (r"etcdctl version: .*|API version: .*", "<version>", "etcdctl's own"),
    (r'"(version|storageVersion)": ?"[^"]*"|"(Version|StorageVersion)" : "[^"]*"', "<version>",
     "it is the version of etcd whose API Martlet has"),
    (r"remaining\(\d+s\)", "remaining(<n>s)", "time"),
    (r'"ttl":\d+', '"ttl":<n>', "time"), (r'"TTL" : \d+', '"TTL" : <n>', "time"),
    (r"\(\d+\.\d+ms\)", "(<time>)", "time"),
    (r"0xc[0-9a-f]{9}", "<pointer>", "etcdctl's own"),
    (r"(?m)^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+ ", "<time> ", "time"),
    (r"(?m)^(INFO|WARNING|ERROR): \d{4}/.*\n", "", "--debug: how its connection is made"),
    (r"\b(Member|cluster|lease) [ 0]*<", r"\1 <", "ids are padded to 16 digits in these lines"),
    (r"(>, )[0-9.]+, [0-9.]+ .?B, (true|false), (true|false), \d+, \d+, \d+, ",
     r"\1<version>, <size>, \2, \3, <n>, <n>, <n>, ", "version, size, term and indices"),
    # What etcdctl's snapshot commands log and find.
    (r'"ts":[0-9.]+', '"ts":"<time>"', "time"), (r"(?m)^\S+Z\t", "<time>\t", "time"),
    (r'"size":"[^"]*","took":[^,}]+', '"size":"<size>","took":"<time>"', "size, time"),
    (r"(?m)^[0-9a-f]{1,8}, (\d+), \d+, [0-9.]+ .?B$", r"<hash>, \1, <n>, <size>",
     "the file is Martlet's own, with fewer buckets and no free pages"),
    (r'"hash":\d+,"revision":(\d+),"totalKey":\d+,"totalSize":\d+',
     r'"hash":<hash>,"revision":\1,"totalKey":<n>,"totalSize":<size>', "the same in JSON"),
    (r'"Hash" : \d+\n"Revision" : (\d+)\n"Keys" : \d+\n"Size" : \d+',
     r'"Hash" : <hash>\n"Revision" : \1\n"Keys" : <n>\n"Size" : <size>', "the same in fields"),
]
# Tables, whose columns are as wide as what stands in them.
TABLES = [
    (r"-{2,}", "-"), (r" +", " "), (r"\| [0-9.]+[mµn]?s \|", "| <time> |"),
    (r"(\| <\w+> \|) [0-9.]+ \| [0-9.]+ .?B \| (\w+) \| (\w+) \| \d+ \| \d+ \| \d+ \|",
     r"\1 <version> | <size> | \2 | \3 | <n> | <n> | <n> |"),
    (r"\| [0-9a-f]{1,8} \| (\d+) \| \d+ \| [0-9.]+ .?B \|", r"| <hash> | \1 | <n> | <size> |"),
]
# Messages as `fields_of` writes them: the header, and the time that a lease has left.
MESSAGES = [
    (r"^(1:\{)?1:<id> 2:<id> (3:\d+ )?4:\d+(\})?", r"\1<header> \2\3"),
    (r"(?<=<header> )(3:\d+ \} 2:\S+) 3:\d+ 4:", r"\1 3:<n> 4:"),
]


def readable(data, text):
    """A command's output as text; messages of protobuf by their fields."""
    fields = fields_of(data) if data and "-w protobuf" in text else None
    if fields is not None:
        for pattern, replacement in MESSAGES:
            fields = re.sub(pattern, replacement, fields)
        return fields + "\n"
    return data.decode(errors="backslashreplace")


def varint(data, at):
    value = shift = 0
    while at < len(data) and shift < 64:
        value |= (data[at] & 0x7F) << shift
        shift, at = shift + 7, at + 1
        if data[at - 1] < 0x80:
            return value, at
    return None, at


def fields_of(data):
    """A message's fields by number, or None if it is not one; without its schema. Bytes that are
    text are text, others that could be a message are one."""
    parts, at = [], 0
    while at < len(data):
        key, at = varint(data, at)
        if not key or key >> 3 == 0:
            return None
        value, at = varint(data, at)
        if value is None:
            return None
        if key & 7 == 0:
            # No count comes so far; ids are random, and all over 64 bits.
            shown = "<id>" if value >= 1 << 40 else str(value)
        elif key & 7 == 2 and at + value <= len(data):
            part, at = data[at:at + value], at + value
            is_text = part.isascii() and part.decode().isprintable()
            inner = None if is_text else fields_of(part)
            shown = f"{{{inner}}}" if inner is not None else repr(part)[1:]
        else:
            return None
        parts.append(f"{key >> 3}:{shown}")
    return " ".join(parts)


def in_order(text):
    """Members and leases come in the order of their ids, which are random: lines, blocks of
    fields and elements of JSON are put in one that is not."""
    if text.startswith("[{"):
        elements = re.findall(r'\{"[eE]ndpoint":.*?(?=,\{"[eE]ndpoint"|\]$)', text.strip())
        return ",\n".join(sorted(elements)) + "\n"
    if '"Endpoint" : ' in text:
        return "\n\n".join(sorted(text.rstrip("\n").split("\n\n"))) + "\n"
    leases = re.compile(r'(?<=\n)(?:"ID" : \S+\n){2,}')
    text = leases.sub(lambda ids: "".join(sorted(ids[0].splitlines(keepends=True))), text)
    is_list = "replica-" in text or text.count("<endpoint ") > 1
    if text.count("\n") > 1 and (is_list or re.match(r"found \d+ leases", text)):
        text = "\n".join(sorted(text.split("\n")))
    text = re.sub(r'(?<="members":\[).*(?=\])', lambda found: ",".join(sorted(
        re.findall(r"\{.*?\}", found[0]))), text)
    text = re.sub(r"(?:2:\{1:<\w+> (?:2:'[^']*' )?3:[^}]*\} ?){2,}", lambda found: " ".join(sorted(
        re.findall(r"2:\{[^}]*\}", found[0]))), text)
    return re.sub(
        r'"leases":\[(.*)\]', lambda ids: f'"leases":[{",".join(sorted(ids[1].split(",")))}]', text)


def alike(cluster, text):
    """The text without what two clusters cannot have in common."""
    # etcdctl 3.4 panics where an alarm is told of in fields.
    text = re.sub(r"(?s)\ngoroutine \d+ \[running\]:.*", "\n<stack>\n", text)
    for name, value in cluster.values.items():
        if value.isdigit() and len(value) < 8:
            text = re.sub(rf"\b{value}\b", f"<{name}>", text)
        else:
            text = text.replace(value, f"<{name}>").replace(str(int(value, 16)), f"<{name}>")
    for index, (endpoint, peer) in enumerate(zip(cluster.endpoints, cluster.peers)):
        text = text.replace(endpoint, f"<endpoint {index}>").replace(peer, f"<peer {index}>")
    text = text.replace(cluster.folder, "<folder>")
    if "far" in cluster.paths:
        text = text.replace(cluster.paths["far"], "<far>")
    for pattern, replacement, _ in OUR_OWN:
        text = re.sub(pattern, replacement, text)
    if text.startswith("+--") or "\n+--" in text:
        for pattern, replacement in TABLES:
            text = re.sub(pattern, replacement, text)
    text = re.sub(
        r'(?<=ETCD_INITIAL_CLUSTER=").*(?=")', lambda m: ",".join(sorted(m[0].split(","))), text)
    return in_order(text)


def check_alike(text):
    """The lines of a check's verdict without bars and figures."""
    # A bar may stand before them in a line.
    found = re.findall(r"(?:PASS|FAIL|Compact|Defrag|Error).*", text)
    return "\n".join(re.sub(r"\d+(\.\d+)?(e-?\d+)?", "<n>", line) for line in found) + "\n"
