"""The simulated cluster: two processes print the same line, every planted bug is found, and no seed breaks a rule.
And the checker of recorded histories."""

import re
import signal
import subprocess

from harness import parse_arguments, run

# Seeds within which a planted bug has to be found; docs/simulation.md has how many it took.
PLANTED_SEEDS_MAX = 3000
# Fewer than this in the time that there is would be no test.
SEEDS_MIN = 500
SEEDS_AT_A_TIME = 100
# Of the budget; kept for a machine on which the planted bugs took long.
SECONDS_KEPT = 80
# The same ones each time: a change answers for what it breaks, and not for a bug that nobody has met before. Those are
# for `make soak`.
FIRST_SEED = 1
SEEDS_MAX = 6000


def main():
    arguments = parse_arguments(__doc__, budget=300)

    def body(results):
        check_history(arguments, results)
        same_line(arguments, results)
        ignored_children(arguments, results)
        planted_bugs(arguments, results)
        seeds(arguments, results)

    run(arguments, body)


def simulate(arguments, *words, **options):
    command = [arguments.server, "simulate", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, **options)


PUT = '{"client":0,"call":10,"return":20,"op":"put","key":"a","value":"x","revision":5}'
SEEN = '{"client":1,"call":30,"return":40,"op":"get","key":"a","found":{"value":"x","create":5,"mod":5,"version":1}}'
MISSED = '{"client":1,"call":30,"return":40,"op":"get","key":"a","found":null}'


def check_history(arguments, results):
    def check(*lines):
        command = [arguments.server, "check-history", "-"]
        return subprocess.run(command, input="\n".join(lines), capture_output=True, text=True)

    good, bad, wrong = check(PUT, SEEN), check(PUT, MISSED), check(PUT, '{"client":1}')
    late = check(PUT.replace(":5", f":{1 << 50}"), SEEN.replace(":5", f":{1 << 50}"))
    results.equal("a linearizable history", (good.returncode, good.stdout), (0, "linearizable: 2 operations on 1 keys\n"))
    results.equal("a high revision", (late.returncode, late.stdout), (0, "linearizable: 2 operations on 1 keys\n"))
    results.equal("a lost write: exit code", bad.returncode, 1)
    results.check("a lost write: the key", bad.stdout.startswith('not linearizable: key "a"'), bad.stdout)
    results.equal("a lost write: the lines", bad.stderr, f"line 1: {PUT}\nline 2: {MISSED}\n")
    results.equal("a line that means nothing", (wrong.returncode, wrong.stderr), (2, '-: line 2: "call" is missing\n'))


def same_line(arguments, results):
    for seed in range(arguments.seed, arguments.seed + 3):
        first, second = (simulate(arguments, "--seed", seed).stdout for _ in range(2))
        results.check(f"seed {seed} has a line", first.startswith(f"seed={seed} steps="), first)
        results.equal(f"seed {seed} prints the same line in two processes", second, first)
    first, second = (simulate(arguments, "--seed", seed).stdout for seed in (1, 2))
    results.check("two seeds do different things", first.split("trace=")[1] != second.split("trace=")[1], first + second)


def ignored_children(arguments, results):
    """A caller that ignores the end of its children, which is inherited."""
    words = ("--seeds", f"{arguments.seed}..{arguments.seed + 2}", "--jobs", 2)
    try:
        done = simulate(
            arguments, *words, timeout=60, preexec_fn=lambda: signal.signal(signal.SIGCHLD, signal.SIG_IGN))
        results.equal("seeds end where the end of children is ignored", len(done.stdout.splitlines()), 3)
    except subprocess.TimeoutExpired:
        results.check("seeds end where the end of children is ignored", False, "still running after 60 s")


def planted_bugs(arguments, results):
    listing = simulate(arguments, "--help").stdout.split("Bugs to plant:\n")[1]
    bugs = re.findall(r"^  ([a-z-]+)$", listing, re.MULTILINE)
    results.check("there are bugs to plant", len(bugs) >= 10, listing)
    for bug in bugs:
        done = simulate(
            arguments, "--seeds", f"1..{PLANTED_SEEDS_MAX}", "--jobs", 2, "--until-broken", "--plant", bug)
        broken = [line for line in done.stdout.splitlines() if not line.endswith(" ok")]
        found = results.check(f"{bug} is found", done.returncode == 1 and broken, done.stdout[-400:])
        if found:
            print(f"{bug}: {len(done.stdout.splitlines())} seeds, {broken[0].split('broken: ')[1]}", flush=True)


def seeds(arguments, results):
    first, count, broken = FIRST_SEED, 0, 0
    while count < SEEDS_MIN or (count < SEEDS_MAX and results.remaining() > SECONDS_KEPT):
        words = ("--seeds", f"{first}..{first + SEEDS_AT_A_TIME - 1}", "--jobs", 2)
        done = simulate(arguments, *words)
        lines = done.stdout.splitlines()
        for line in lines:
            if not line.endswith(" ok"):
                broken += 1
                results.check(line, False, done.stderr)
        count += len(lines)
        first += SEEDS_AT_A_TIME
    results.check(f"{count} seeds from {FIRST_SEED} on are ok", broken == 0, f"{broken} broke a rule")
    print(f"{count} seeds from {FIRST_SEED} on, {broken} broke a rule", flush=True)


if __name__ == "__main__":
    main()
