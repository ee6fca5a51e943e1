"""A group of commands without one of them, such as `strake ctl user`: its help, with which etcdctl ends well."""

import re
import subprocess

from harness import ETCDCTL_35

GROUPS = ("alarm", "auth", "check", "endpoint", "lease", "member", "role", "snapshot", "user")
# etcdctl 3.5.1 does not have them: 3.6, which is not among the peers, does.
LATER = {"downgrade": {"cancel", "enable", "validate"}, "completion": {"bash", "fish", "powershell", "zsh"}}
# Of a member's own tools, and etcdutl's in the case of restore.
BEYOND = {"member": {"replace"}}


def ask(*words):
    done = subprocess.run(words, capture_output=True, timeout=20, stdin=subprocess.DEVNULL, text=True)
    return done.returncode, done.stdout, done.stderr


def check(results, arguments):
    def ours(*words):
        return ask(arguments.server, "ctl", *words)

    for group in GROUPS + tuple(LATER):
        code, output, errors = ours(group)
        listed = set(re.findall(rf"^  strake ctl {group} ([a-z-]+)", output, re.MULTILINE))
        expected = LATER.get(group)
        if not expected:
            their_code, theirs, _ = ask(ETCDCTL_35, group)
            expected = set(re.findall(r"^\t([a-z-]+)\t+\S", theirs[theirs.index("COMMANDS:"):theirs.index("OPTIONS:")], re.MULTILINE))
            results.equal(f"{group}: etcdctl's exit code", code, their_code)
        results.equal(f"{group}: ends well and says nothing else", (code, errors), (0, ""))
        results.equal(f"{group}: its commands", listed, expected | BEYOND.get(group, set()))
        for words in ((group, "--help"), (group, "-h"), ("-w", "json", group), (group, "--endpoints", "127.0.0.1:1"),
                      ("--command-timeout=1s", group)):
            results.equal(f"{' '.join(words)}: the same", ours(*words), (0, output, ""))
        results.equal(f"{group} --nosuch", ours(group, "--nosuch"), (1, "", "Error: unknown flag: --nosuch\n"))
        code, output, errors = ours(group, "nosuch")
        results.check(f"{group} nosuch is refused", (code, output) == (2, "") and f'unknown command "{group} nosuch"' in errors,
                      f"{code} {output} {errors}")
    code, output, errors = ours("nosuch")
    results.check("no group", code == 2 and not output and 'unknown command "nosuch"' in errors, f"{code} {output} {errors}")
