"""The same commands by `strake ctl` and by etcdctl 3.5, each to a server of its own of the same build: exit codes and
output must be equal."""

import re

import cli_cases
import ctl_auth_cases
import ctl_completion
import ctl_groups
import ctl_options
from differential_cli import Comparison, Side, difference, run_group
from harness import ETCDCTL_35, parse_arguments, run

# etcdctl's client logs to the standard error; what a person is told there is compared.
LOG_LINE = re.compile(rb'^\{"level".*\n', re.MULTILINE)
# With a wrong flag both say which, and etcdctl then lists all flags and says it again.
USAGE = re.compile(rb"^NAME:\n.*", re.MULTILINE | re.DOTALL)
REPEATED = re.compile(rb"\A(Error: .*\n)\n\1\Z")

# Of tables only how they are drawn differs with the lengths of numbers.
DRAWN = ((rb"\d+(\.\d+)?(ns|\xc2\xb5s|ms|s)\b", b"<time>"), (rb" +", b" "), (rb"-+", b"-"), (rb"\d+(\.\d+)? [kM]?B", b"<size>"), (rb"\b\d{1,12}\b", b"<n>"))


def tables():
    return cli_cases.script("""
member list -w table
endpoint status -w table
endpoint hashkv -w table
endpoint health -w table
alarm list -w table
put a 1 -w table
get a -w table
del a -w table
lease list -w table
""", DRAWN + cli_cases.VOLATILE)


def misuse():
    return cli_cases.script("""
get --foo
get --rev=x a
get a --limit
get -z a
get a --count-only
get a --count-only -w fields
get a --count-only --keys-only -w fields
get a --print-value-only -w json
get a -w bad
txn x
lease keep-alive
lease timetolive
member add
member add a b
member add a http://127.0.0.1:1
member add a
member remove
member remove zz
member remove 12
member update 12
member update 12 --peer-urls=http://127.0.0.1:1
member promote
member promote 12
move-leader
move-leader zz
alarm list x
lock
elect
elect name
elect -l name value
watch
watch a --
watch a b --prefix
make-mirror
check perf --load=q
check datascale --load=q
put /etcdctl-check-perf/1 x
check perf
put /etcdctl-check-datascale/1 x
check datascale
del --prefix /etcdctl-check-
""")


def transactions():
    """etcdctl 3.5.1 cuts words in single quotes off after as many letters as the line has words."""
    return [step for step in cli_cases.transactions() if b"'quoted value'" not in step.stdin]


GROUPS = [tables, misuse, cli_cases.get_matrix, cli_cases.get_flags, cli_cases.put_and_del, cli_cases.binary_keys,
          transactions, cli_cases.leases, cli_cases.compactions, cli_cases.watches, cli_cases.maintenance,
          cli_cases.big_values] + ctl_auth_cases.GROUPS

# Where `strake ctl` does not follow etcdctl 3.5.1, and why. The name is the group and the command.
DIFFERENT = (
    ("maintenance: version", "each says its own version"),
)


class Pair(Comparison):
    def compare(self, name, answers):
        self.count += 1
        answers = [self.cleaned(answer) for answer in answers]
        ours, theirs = answers
        full_name = f"{self.group}: {name}"
        if ours != theirs and any(full_name == name for name, _ in DIFFERENT):
            return
        self.results.check(full_name, ours == theirs,
                           f"strake ctl {difference(ours, theirs)}\netcdctl    {difference(theirs, ours)}")

    @staticmethod
    def cleaned(answer):
        def clean(output):
            # Go has written this one as below since 1.18; etcdctl 3.5.1 was built with an older one.
            output = output.replace(rb"\u007f", rb"\x7f")
            return REPEATED.sub(rb"\1", USAGE.sub(b"", LOG_LINE.sub(b"", output)))
        if isinstance(answer, bytes):
            return clean(answer)
        code, output, errors = answer
        return code, clean(output), clean(errors)


def pair_of_sides(arguments):
    sides = [Side(arguments.server, "strake ctl", [arguments.server, "ctl"]),
             Side(arguments.server, "etcdctl", [ETCDCTL_35])]
    # Passwords are to cost no time.
    for side in sides:
        side.server.flags.append("--bcrypt-cost=4")
    return sides


def main():
    arguments = parse_arguments(__doc__, budget=90, only=("", "run only the groups whose name has this"))

    def body(results):
        for group in GROUPS:
            if arguments.only in group.__name__:
                run_group(results, group, pair_of_sides(arguments), Pair)
        for module in (ctl_groups, ctl_options, ctl_completion):
            if arguments.only in module.__name__:
                module.check(results, arguments)

    run(arguments, body)


if __name__ == "__main__":
    main()
