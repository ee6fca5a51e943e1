"""The sample service that embeds a store: what it compiles, that it does its jobs, also when it is killed, and that the
code in the library's articles is code that was compiled."""

import os
import random
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time

from harness import ROOT, parse_arguments, run

SAMPLE = os.path.join(ROOT, "docs", "samples", "store")
ARTICLES = os.path.join(ROOT, "Sources", "Server", "Store", "StrakeStore.docc")
GUIDE = os.path.join(ROOT, "Tests", "EmbeddingTests")
# What an embedder of StrakeStore must not have to compile.
FOREIGN = re.compile(r"NIO|SSL|TLS|Crypto|X509|ASN1|Protobuf|GRPC|HTTP|Strake(Peers|Sockets|Etcd|Client|Credentials|JWT|Ctl|Bench)", re.I)
KILLS = 4
JOBS = 400


def build():
    """(seconds, output of a failure)."""
    started = time.monotonic()
    temporary = os.path.join(SAMPLE, ".build", "temporary")
    shutil.rmtree(temporary, ignore_errors=True)
    os.makedirs(temporary)
    done = subprocess.run(["swift", "build", "--product", "job-queue"], cwd=SAMPLE, capture_output=True, text=True,
                          env=dict(os.environ, TMPDIR=temporary))
    failure = "" if done.returncode == 0 else (done.stdout + done.stderr)[-4000:]
    return time.monotonic() - started, failure


def modules():
    """What was compiled: SwiftPM makes a folder for every target there is, and fills those that it builds."""
    folder = os.path.join(SAMPLE, ".build", "debug")
    built = {name[: -len(".swiftmodule")] for name in os.listdir(os.path.join(folder, "Modules"))
             if name.endswith(".swiftmodule")}
    for name in os.listdir(folder):
        if name.endswith(".build") and any(
                file.endswith(".o") for _, _, files in os.walk(os.path.join(folder, name)) for file in files):
            built.add(name[: -len(".build")])
    return sorted(built)


class Queue:
    """The service as a process."""

    def __init__(self, directory):
        binary = os.path.join(SAMPLE, ".build", "debug", "job-queue")
        self.process = subprocess.Popen([binary, directory], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        bufsize=1)
        self.lines = []
        self.changed = threading.Condition()
        threading.Thread(target=self._read, daemon=True).start()
        print(f"started job-queue: pid {self.process.pid}, directory {directory}", flush=True)

    def _read(self):
        for line in self.process.stdout:
            with self.changed:
                self.lines.append(line.rstrip("\n"))
                self.changed.notify_all()

    def submit(self, texts):
        self.process.stdin.write("".join(text + "\n" for text in texts))
        self.process.stdin.flush()

    def said(self, word):
        """{id: text} of the lines that begin so."""
        with self.changed:
            found = [line.split(" ", 2) for line in self.lines if line.startswith(word + " ")]
        return {parts[1]: parts[2] for parts in found}

    def wait(self, condition, seconds):
        with self.changed:
            return self.changed.wait_for(condition, timeout=seconds)

    def stop(self):
        started = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=20), time.monotonic() - started


def listed(directory):
    binary = os.path.join(SAMPLE, ".build", "debug", "job-queue")
    done = subprocess.run([binary, directory, "list"], capture_output=True, text=True, timeout=30)
    states = {"waiting": {}, "claims": {}, "done": {}}
    for line in done.stdout.splitlines():
        state, number, text = line.split(" ", 2)
        states[state][number] = text
    return states


def works(results, directory):
    queue = Queue(directory)
    queue.submit(f"job {number}" for number in range(JOBS))
    finished = queue.wait(lambda: sum(line.startswith("done ") for line in queue.lines) >= JOBS, 30)
    results.check("the jobs are done", finished, queue.lines[-3:])
    accepted, done = queue.said("accepted"), queue.said("done")
    results.equal("what was accepted", sorted(accepted.values()), sorted(f"job {number}" for number in range(JOBS)))
    results.equal("what was done", {number: text[::-1] for number, text in accepted.items()}, done)
    code, seconds = queue.stop()
    results.check("SIGTERM ends it well and soon", code == 0 and seconds < 5, (code, seconds))
    results.check("it says so last", queue.wait(lambda: queue.lines[-1].startswith("stopped at revision"), 5), queue.lines[-1])
    results.equal("what its store has", listed(directory), {"waiting": {}, "claims": {}, "done": done})


def survives_kills(results, directory, seed):
    draw = random.Random(seed)
    accepted, done = {}, {}
    for round_number in range(KILLS):
        queue = Queue(directory)
        queue.wait(lambda: queue.lines, 20)
        queue.submit(f"job {round_number}/{number}" for number in range(JOBS))
        wanted = draw.randrange(1, JOBS)
        queue.wait(lambda: sum(line.startswith("accepted ") for line in queue.lines) >= wanted, 20)
        queue.process.kill()
        queue.process.wait()
        queue.wait(lambda: False, 0.2)
        accepted.update(queue.said("accepted"))
        again = set(done) & set(queue.said("done"))
        results.check(f"kill {round_number + 1}: nothing was done twice", not again, again)
        done.update(queue.said("done"))
    states = listed(directory)
    lost = [number for number, text in accepted.items()
            if states["waiting"].get(number) != text and states["done"].get(number) != text[::-1]]
    results.check(f"all of {len(accepted)} jobs accepted before {KILLS} kills are there", accepted and not lost, lost[:3])
    undone = {number: text for number, text in done.items() if states["done"].get(number) != text}
    results.check(f"all of {len(done)} jobs that were done are done", not undone, undone)
    # The claims of the killed end with their leases; then the rest is done.
    queue = Queue(directory)
    waiting = set(states["waiting"])
    finished = queue.wait(lambda: waiting <= {line.split(" ")[1] for line in queue.lines if line.startswith("done ")}, 30)
    results.check(f"the other {len(waiting)} are done after a restart", finished, len(queue.said("done")))
    results.equal("and it ends well", queue.stop()[0], 0)


def code_blocks(text):
    return [block.strip("\n").split("\n") for block in re.findall(r"```swift\n(.*?)```", text, re.S)]


def compiled_lines():
    """The lines of what is compiled, without their indentation, joined, to look for a block's lines in a row."""
    texts = []
    for folder in (GUIDE, os.path.join(SAMPLE, "Sources")):
        for path, _, names in os.walk(folder):
            for name in sorted(names):
                if name.endswith(".swift"):
                    with open(os.path.join(path, name)) as file:
                        texts.append("\n".join(line.strip() for line in file))
    return "\n".join(texts)


def articles(results):
    compiled = compiled_lines()
    count = 0
    for name in sorted(os.listdir(ARTICLES)):
        with open(os.path.join(ARTICLES, name)) as file:
            for block in code_blocks(file.read()):
                count += 1
                wanted = "\n".join(line.strip() for line in block)
                results.check(f"{name}: code that is compiled: {block[0].strip()}", wanted in compiled, wanted)
    results.check("the articles have code", count >= 5, count)


def main():
    arguments = parse_arguments(__doc__, budget=240)

    def body(results):
        articles(results)
        seconds, failure = build()
        print(f"built in {seconds:.0f} s", flush=True)
        if not results.check("the sample builds", not failure, failure):
            return
        found = modules()
        results.check("it has compiled the store", {"StrakeStore", "StrakeRaft", "StrakeLMDB"} <= set(found), found)
        foreign = [name for name in found if FOREIGN.search(name)]
        results.equal(f"of {len(found)} modules those that an embedder must not build", foreign, [])
        with tempfile.TemporaryDirectory(prefix="strake-e2e-") as directory:
            works(results, os.path.join(directory, "works"))
            survives_kills(results, os.path.join(directory, "killed"), arguments.seed)

    run(arguments, body)


if __name__ == "__main__":
    main()
