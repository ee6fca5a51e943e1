"""`strake ctl completion`: what the scripts offer is what there is."""

import os
import pty
import re
import select
import shutil
import subprocess
import tempfile
import time

# Takes a line as the shell's line editor takes it apart, and prints what is offered, one a line.
ASK_BASH = r"""
source "$1"
function=$(complete -p "$2" | sed 's/.*-F \([^ ]*\).*/\1/')
shift 2
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
"$function"
printf '%s\n' "${COMPREPLY[@]}"
"""

FORMATS = {"simple", "fields", "json", "table", "protobuf"}


class Bash:
    def __init__(self, script, name):
        self.script, self.name = script, name

    def offers(self, line):
        """For the end of the line, as a set."""
        words = [part for word in line.split(" ") for part in re.split(r"([=:]+)", word) if part or not word]
        if line.endswith(("=", ":")):
            words.append("")
        done = subprocess.run(["bash", "--norc", "-c", ASK_BASH, "ask", self.script, self.name, *words], capture_output=True,
                              text=True, timeout=20)
        if done.returncode or done.stderr:
            raise RuntimeError(f"{line}: {done.returncode} {done.stderr}")
        return set(done.stdout.split())

    def types(self, text):
        """What an interactive bash makes of the text with a tab behind it. The line is not carried out."""
        pid, terminal = pty.fork()
        if pid == 0:
            os.execvp("bash", ["bash", "--norc", "--noprofile", "-i"])
        try:
            # With its prompt the line editor has the terminal.
            os.write(terminal, f"bind 'set enable-bracketed-paste off'; source '{self.script}'; PS1='rea''dy> '\n".encode())
            read_until(terminal, b"ready> ")
            os.write(terminal, text.encode() + b"\t@@")
            return read_until(terminal, b"@@").decode().split("@@")[0]
        finally:
            os.write(terminal, b"\x03exit\n")
            read_until(terminal, b"exit\r\n")
            os.close(terminal)
            os.waitpid(pid, 0)


def read_until(terminal, mark):
    output, end = b"", time.monotonic() + 10
    while mark not in output and time.monotonic() < end and select.select([terminal], [], [], 1)[0]:
        output += os.read(terminal, 65536)
    return output


def listed(program, *words):
    """The flags that a command's help lists."""
    done = subprocess.run([*program, *words, "--help"], capture_output=True, text=True, timeout=20)
    return set(re.findall(r"^ +(?:-\w, )?(--[a-z-]+)=", done.stdout, re.MULTILINE))


def check(results, arguments):
    with tempfile.TemporaryDirectory(prefix="strake-e2e-") as directory:
        strake, link = (os.path.join(directory, name) for name in ("strake", "etcdctl"))
        for name in (strake, link):
            os.symlink(os.path.abspath(arguments.server), name)
        for program, prefix in (([strake, "ctl"], "strake ctl"), ([link], "etcdctl")):
            check_bash(results, program, prefix, directory)
            for shell, flag in (("zsh", "-n"), ("fish", "--no-execute"), ("bash", "-n")):
                check_syntax(results, program, shell, flag, directory)
        check_refusals(results, [strake, "ctl"])


def script(program, shell, directory, *flags):
    path = os.path.join(directory, f"{os.path.basename(program[0])}.{shell}")
    with open(path, "w") as file:
        subprocess.run([*program, "completion", shell, *flags], stdout=file, check=True, timeout=20)
    return path


def check_bash(results, program, prefix, directory):
    bash = Bash(script(program, "bash", directory), os.path.basename(program[0]))
    overview = subprocess.run([*program, "--help"], capture_output=True, text=True, timeout=20).stdout
    commands = [words.split() for words in
                re.findall(r"^  strake ctl ([a-z-]+(?: [a-z-]+)?)(?= [<[|]|$)", overview, re.MULTILINE)]
    results.check(f"{prefix}: help lists the commands", len(commands) > 50, commands)
    results.equal(f"{prefix}: commands", bash.offers(f"{prefix} "), {words[0] for words in commands} | {"help"})
    for group in {words[0] for words in commands if len(words) == 2}:
        results.equal(f"{prefix} {group}: its commands", bash.offers(f"{prefix} {group} "),
                      {words[1] for words in commands if words[0] == group and len(words) == 2})
    for words in commands:
        command = " ".join(words)
        found = {flag.rstrip("=") for flag in bash.offers(f"{prefix} {command} --")}
        results.equal(f"{prefix} {command}: its flags", found, listed(program, *words) | {"--help"})
        results.equal(f"{prefix} {command}: nothing behind it", bash.offers(f"{prefix} {command} x"), set())
    for line, expected in (
            ("g", {"get"}), ("snapshot s", {"save", "status"}), ("-w json mem", {"member"}), ("--write-out=json member l", {"list"}),
            ("--debug member l", {"list"}), ("--endpoints 127.0.0.1:2379,b:1 member l", {"list"}),
            ("--endpoints=http://127.0.0.1:2379 member l", {"list"}), ("--user root:x member l", {"list"}),
            ("get -w ", FORMATS), ("get --write-out=", FORMATS),
            ("get --write-out=f", {"fields"}), ("get x --sort-by=M", {"MODIFY"}), ("get --consistency ", {"l", "s"}),
            ("check perf --load ", {"s", "m", "l", "xl"}), ("get --prefix --order=", {"ASCEND", "DESCEND"}),
            ("make-mirror --prefix member ", set()), ("get --cacert ", set()), ("lock name -- --", set()),
            ("completion ", {"bash", "zsh", "fish", "powershell"}), ("get --count", {"--count-only"}), ("get --lim", {"--limit="}),
            ("--insecure-transport=false al", {"alarm"}), ("nosuch ", bash.offers(f"{prefix} "))):
        results.equal(f"{prefix} {line}: what is offered", bash.offers(f"{prefix} {line}"), expected)
    if prefix == "strake ctl":
        results.equal("strake: its commands", bash.offers("strake "),
                      {"server", "bench", "simulate", "check-history", "ctl", "version", "help"})
        results.equal("strake server: files", bash.offers("strake server --"), set())
    for typed, made in (("snapshot sa", "snapshot save "), ("get --write-out=tab", "get --write-out=table "), ("get --lim", "get --limit="),
                        ("--endpoints=a:1 comple", "--endpoints=a:1 completion ")):
        line = bash.types(f"{prefix} {typed}")
        results.check(f"{prefix} {typed}: at a terminal", line.endswith(f"{prefix} {made}"), repr(line))


def check_syntax(results, program, shell, flag, directory):
    """Where the shell is there."""
    for flags in ((), ("--no-descriptions",)):
        path = script(program, shell, directory, *flags)
        if shutil.which(shell):
            done = subprocess.run([shell, flag, path], capture_output=True, text=True, timeout=20)
            results.equal(f"{program[-1]}: {shell} can read it", (done.returncode, done.stderr), (0, ""))


def check_refusals(results, program):
    for words, code, text in ((("completion", "tcsh"), 2, 'unknown command "completion tcsh"'),
                              (("completion", "bash", "x"), 128, "takes no arguments")):
        done = subprocess.run([*program, *words], capture_output=True, text=True, timeout=20)
        results.check(f"{' '.join(words)} is refused", done.returncode == code and text in done.stderr and not done.stdout, done)
