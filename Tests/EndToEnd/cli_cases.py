"""Command lines for etcdctl, in groups; each group runs in order on two fresh servers.

A line of a script is a command as one would type it. `L1 = lease grant 100` keeps the id of the lease, which is
different on each server, and {L1} stands for it afterwards."""

import shlex
from dataclasses import dataclass, field
from typing import Optional


@dataclass
class Step:
    arguments: list
    stdin: bytes = b""
    capture: Optional[str] = None  # the name under which the lease id in the output is kept
    masks: tuple = ()  # (pattern, replacement) for what two equal servers may differ in


@dataclass
class WatchStep:
    """Runs `etcdctl watch` with the arguments while the steps are done; its output is compared."""
    arguments: list
    steps: list = field(default_factory=list)
    stdin: bytes = b""


def script(text, masks=()):
    steps = []
    for line in text.strip().splitlines():
        name, equals, command = line.partition(" = ")
        captures = bool(equals) and name.strip().isalnum()
        words = shlex.split(command if captures else line)
        steps.append(Step(words, capture=name.strip() if captures else None, masks=masks))
    return steps


def txn(compares, success, failure, output="simple"):
    """The script of a transaction: three blocks, each ended by an empty line."""
    blocks = [block + [""] for block in (compares, success, failure)]
    return Step(["txn", "-w", output], "\n".join(line for block in blocks for line in block).encode() + b"\n")


def watch(line, steps=(), stdin=b""):
    return WatchStep(shlex.split(line), list(steps), stdin)


def dataset():
    """Seven keys whose versions, values, create and modify revisions are all different."""
    puts = []
    for index in (4, 1, 6, 3, 7, 2, 5):
        puts += [f"put k{index} {(index * 5) % 7}-value{n}" for n in range((index * 3) % 7 + 1)]
    return script("\n".join(puts))


def get_matrix():
    formats = ["", "-w json", "-w fields", "--keys-only", "--print-value-only", "--hex", "-w json --consistency=s"]
    spans = ["--prefix k", "--from-key k3", "k2 k6", "k4", "--prefix ''"]
    sorts = [""] + [f"--sort-by={target}" for target in ("KEY", "VERSION", "CREATE", "MODIFY", "VALUE")]
    lines = []
    for span in spans:
        for sort in sorts:
            for order in ("", "--order=ASCEND", "--order=DESCEND"):
                for limit in ("", "--limit=2"):
                    lines.append(f"get {span} {sort} {order} {limit} {formats[len(lines) % len(formats)]}")
    return dataset() + script("\n".join(lines))


def get_flags():
    steps = dataset() + script("del k4\nput k4 again")
    for revision in range(0, 32):
        steps += script(f"get --prefix k --rev={revision} -w {('json', 'fields', 'simple')[revision % 3]}")
    return steps + script("""
get k1 --rev=999
get k1 --rev=-1
get nosuch
get nosuch -w json
get nosuch -w fields
get --prefix ''
get --from-key ''
get --from-key '' --limit=3 -w json
get k1 k1
get k6 k2
get k1 --keys-only
get --prefix k --keys-only -w json
get --prefix k --keys-only -w fields
get k1 --print-value-only -w json
get --prefix k --limit=1000
get --prefix k --limit=-1 -w json
get k1 -w table
get k1 --order=SIDEWAYS
get k1 --sort-by=SIZE
get --prefix --from-key k
get k1 --consistency=x
get k1 --hex -w json
get k1 --hex -w fields
get k1 k3 k5
get
""")


def put_and_del():
    steps = script("""
put a 1
put a 2 --prev-kv
put a 3 --prev-kv -w json
put a 4 -w fields --prev-kv
""") + [Step(["put", "a"], b"from stdin\nsecond line\n")] + script("""
get a
get a --hex
get a -w json
put b --ignore-value
put a --ignore-value --prev-kv
put a x --ignore-value
put a 5 --ignore-lease
put none 5 --ignore-lease
put a 6 --lease=abc
put a 6 --lease=xyz
put a ''
get a
put '' v
put -- -dash -value
get -- -dash
get 'key with spaces' -w json
put ключ 'значение 💾'
get ключ
get ключ -w fields
""") + [Step(["put", "key with spaces", "tab\tand\nnewline"])] + script("""
get 'key with spaces'
get 'key with spaces' -w json
get 'key with spaces' --hex
""")
    steps += script("\n".join(f"put d{index} {index}" for index in range(12)))
    return steps + script("""
del nosuch
del d0
del d0
del d1 --prev-kv
del d2 --prev-kv -w json
del d3 -w fields --prev-kv
del d4 d6
del d9 d7
del --prefix d1 --prev-kv
del --from-key d8
del d5 -w json
del nosuch -w json
del nosuch -w fields --prev-kv
del --prefix --from-key x
del
get --prefix d
del --prefix '' --prev-kv
get --prefix ''
put a reborn --prev-kv
get a -w json
""")


def binary_keys():
    keys = [b"\x01", b"\x01\x02", b"\xff", b"\xff\xfe", b"\xff\xff\xff", b"\x80", b"a\xffb", b"\n", b"a\n", b"\x7f",
            b"\xc3\x28"]
    steps = [Step(["put", b"bin" + key, key[::-1]]) for key in keys] + [Step(["put", key, b"top"]) for key in keys]
    for extra in ([], ["-w", "json"], ["-w", "fields"], ["--hex"], ["--keys-only"]):
        steps += [Step(["get", "--prefix", "bin"] + extra), Step(["get", "--prefix", ""] + extra)]
    for key in keys:
        steps.append(Step(["get", "--prefix", key, "-w", "json"]))
        steps.append(Step(["get", "--from-key", key, "--keys-only", "--hex"]))
    steps.append(Step(["del", "--prefix", b"\xff", "--prev-kv", "-w", "json"]))
    steps.append(Step(["del", b"bin\xff", b"bin\xff\xff", "--prev-kv"]))
    return steps + script("get --prefix '' -w json")


TXN_OPERATIONS = [
    ["put n1 1"], ["get k1", "put k1 2", "get k1"], ["del k1", "get k1"], ["get --prefix k"], ["get --from-key k5"],
    ["get k1 k4"], ["get --limit=2 --prefix k"], ["get --rev=3 k4"], ["get --order=DESCEND --sort-by=KEY --prefix k"],
    ["put n2 x --prev-kv", "put n1 y --prev-kv"], ["del --prefix n --prev-kv"],
    ["put a 1", "put b 2", "del c", "get a b"], ["put --lease={L1} n3 leased"],
    ["put n4 'quoted value'", 'put n5 "double quoted"', "get n4"], ["del nosuch"], [], ["get nosuch"],
    ["put dup 1", "put dup 2"], ["del dup", "put dup 1"], ["get k1 --rev=9999"], ["put x y --lease=abc"],
    ["put x y --ignore-value"], ["put k1 --ignore-value"], ["get k1 --keys-only"],
]


def transactions():
    steps = dataset() + script("L1 = lease grant 500\nput leased x --lease={L1}\nput k1 odd")
    for operator in ("=", "!=", "<", ">"):
        for target in ("mod", "create", "ver", "c", "m"):
            for key, number in (("k1", 2), ("nosuch", 0)):
                steps.append(txn([f'{target}("{key}") {operator} "{number}"'], ["get k1"], ["get k2"]))
        for value in ("odd", "even", ""):
            steps.append(txn([f'val("k1") {operator} "{value}"'], ["get k1"], []))
    both, never = ['mod("k1") > "0"', 'value("k2") != "zzz"'], ['ver("k1") = "999"']
    for index, lines in enumerate(TXN_OPERATIONS):
        output = ("simple", "json", "fields")[index % 3]
        steps.append(txn(both, lines, ["get k1"], output))
        steps.append(txn(never, ["get k1"], lines, output))
        steps += script("get --prefix '' -w json")
    return steps + [txn([], [], []), txn(["nonsense"], [], []), txn(both, ["fly away"], [])]


REMAINING = (
    (rb"remaining\(\d+s\)", b"remaining(<n>s)"), (rb'"ttl":\d+', b'"ttl":<n>'), (rb'"TTL" : \d+', b'"TTL" : <n>'))


def leases():
    # One key a lease: etcd lists several in any order.
    steps = script("""
lease list
lease list -w json
L1 = lease grant 100
L2 = lease grant 9000 -w json
L3 = lease grant 8000 -w fields
L4 = lease grant 0
L5 = lease grant -- -1
lease grant 9000000001
lease grant x
lease grant
put a 1 --lease={L1}
put b 1 --lease={L3}
put c 1 --lease={L2} --prev-kv
get a -w json
get c -w fields
""")
    for lease in ("{L1}", "{L2}", "{L3}"):
        for rest in ("", "--keys", "--keys -w json", "--keys -w fields", "-w json"):
            steps += script(f"lease timetolive {lease} {rest}", REMAINING)
    return steps + script("""
lease keep-alive --once {L1}
lease keep-alive --once {L2} -w json
lease keep-alive --once 5
lease timetolive 5
lease timetolive 5 -w json
lease timetolive zz
lease revoke 5
lease revoke zz
put a 2
lease timetolive {L1} --keys
put b 2 --ignore-lease
get b -w json
lease revoke {L1}
lease revoke {L1}
get --prefix a
get --prefix b
lease timetolive {L1}
put z 1 --lease={L1}
lease revoke {L2} -w json
lease revoke {L3} -w fields
get --prefix '' -w json
lease list
""", REMAINING)


def compactions():
    return dataset() + script("""
compaction 10
get --prefix k --rev=9
get --prefix k --rev=10
get --prefix k --rev=11 -w json
compaction 10
compaction 5
compaction 0
compaction 9999
compaction x
compaction
compaction 15 --physical
get k1 --rev=14
get k1 --rev=15
del k1
compaction 29 --physical
get --prefix k --rev=29 -w json
put k1 reborn --prev-kv
get k1 -w json
watch k1 --rev=3
compaction 30 -w json
""")


def watches():
    changes = script("put w1 1\nput w1 2\nput w2 1\nput x1 1\ndel w1\nput w1 back")
    changes += [txn([], ["put w3 1", "del w2", "put w4 1"], [])] + script("del --prefix w")
    history = ["w1 --rev=1", "w1 --rev=3", "--prefix w --rev=1", "--prefix w --rev=2 --prev-kv", "w1 w3 --rev=1",
               "--prefix w --rev=1 -w json", "--prefix w --rev=1 --prev-kv -w json", "--prefix w --rev=1 -w fields",
               "--prefix w --rev=1 --prev-kv --hex", "x1 --rev=1 --prev-kv", "w1 --rev=5 --prev-kv -w fields",
               "--prefix '' --rev=1"]
    told = "'echo $ETCD_WATCH_EVENT_TYPE $ETCD_WATCH_KEY $ETCD_WATCH_REVISION'"
    return changes + [watch(line) for line in history] + [
        watch("w1 --rev=10", script("put w1 10\nput w9 0\ndel w1")),
        watch(f"--prefix w --rev=2 -- sh -c {told}"),
        watch("live", script("put live 1\nput dead 1\nput live 2\ndel live")),
        watch("--prefix live --prev-kv -w json", changes + script("put live1 1\nput live1 2")),
        watch("-i", script("put i1 1\nput i2 2"), b"watch --prefix --rev=1 i\n"),
    ] + script("compaction 12\nwatch w1 --rev=4\nwatch --prefix w --rev=11 -w json")


VOLATILE = ((rb"took (= )?[0-9.]+(ns|\xc2\xb5s|ms|s)", b"took <time>"), (rb'"took":"[^"]*"', b'"took":<time>'))
STATUS = VOLATILE + (
    (rb", \d+\.\d+\.\d+[^,]*, [^,]+ [kM]?B, (true|false), (true|false), \d+, \d+, \d+, ",
     rb", <version>, <size>, \1, \2, <raft>"),
    (rb'"(version|storageVersion)":"[^"]*"', rb'"\1":<text>'),
    (rb'"(dbSize|dbSizeInUse|raftIndex|raftTerm|raftAppliedIndex|dbSizeQuota)":\d+', rb'"\1":<n>'),
    (rb'"(Version|StorageVersion)" : "[^"]*"', rb'"\1" : <text>'),
    (rb'"(DBSize|DBSizeInUse|RaftIndex|RaftTerm|RaftAppliedIndex)" : \d+', rb'"\1" : <n>'),
)
HASH = ((rb"(, )\d+$", rb"\1<hash>"), (rb'"hash":\d+', b'"hash":<hash>'), (rb'"Hash" : \d+', b'"Hash" : <hash>'))


def maintenance():
    return dataset() + script("""
endpoint health
endpoint health -w json
endpoint status
endpoint status -w json
endpoint status -w fields
endpoint status --cluster
endpoint health --cluster
""", STATUS) + script("""
endpoint hashkv
endpoint hashkv --rev=5
endpoint hashkv -w json
endpoint hashkv -w fields
endpoint hashkv --rev=999
""", HASH) + script("""
alarm list
alarm list -w json
alarm disarm
alarm disarm -w json
member list
member list -w json
member list -w fields
version
defrag
defrag --cluster
get --prefix k
lock mutex echo held
lock mutex sh -c false
get --prefix mutex
""", VOLATILE)


def big_values():
    value = b"0123456789abcdef" * 4096
    steps = [Step(["put", f"big{n}"], value * n) for n in (1, 4, 8, 16)] + [Step(["put", "toobig"], value * 25)]
    return steps + script("""
get big16 --print-value-only
get --prefix big -w json
get --prefix big --keys-only
put big1 small --prev-kv
get big1 --rev=2
del --prefix big --prev-kv -w json
get --prefix big --rev=5 -w fields
""")


GROUPS = [get_matrix, get_flags, put_and_del, binary_keys, transactions, leases, compactions, watches, maintenance,
          big_values]
