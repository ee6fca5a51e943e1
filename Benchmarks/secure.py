"""Clients with certificates: puts and reads over TLS, with and without users, and beside clients that authenticate."""

import pathlib
import sys
import threading
import time

import workloads
from server import Server

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "Tests/EndToEnd"))

from tls_certificates import Authority, secure_client  # noqa: E402
from wire import auth_pb, pb  # noqa: E402

# Name, arguments of `strake bench`, operations, and the bar: throughput at least.
PLAIN = [
    ("put, 1 client", ["put", "--connections", "1", "--clients", "1"], 3_000, 1),
    ("put, 100 connections x 10", ["put", "--connections", "100", "--clients", "1000"], 100_000, 2),
    ("range linearizable, 100 x 10", ["range", "--connections", "100", "--clients", "1000"], 200_000, 2),
]
WITH_USERS = [
    ("put, 100 connections x 10, users", PLAIN[1][1], 100_000, 2),
    ("range linearizable, 100 x 10, users", PLAIN[2][1], 200_000, 2),
]
# The user whom the load generator's certificate names.
USER = "bench"
PASSWORD = "a password of no importance"
# So many people authenticate, each once a second.
PEOPLE = 60
AUTHENTICATIONS_BAR = 50
KEPT_BAR = 0.9
ALONE_SECONDS = 20
# Strake remembers a password for a minute: each is hashed once before this time and once in it.
BESIDE_SECONDS = 60


class Certificates:
    def __init__(self):
        self.authority = Authority("benchmarks")
        self.server, self.client = self.authority.issue("server"), self.authority.issue(USER)

    def server_flags(self):
        return [*self.server.server_flags(), "--trusted-ca-file", self.authority.certificate, "--client-cert-auth"]

    def client_flags(self):
        return ["--cacert", self.authority.certificate, "--cert", self.client.certificate, "--key", self.client.key]

    def connect(self, endpoint):
        return secure_client(endpoint, self.authority.certificate, self.client)


def measure(names, runs, scale):
    certificates = Certificates()
    results, people = {}, {}
    for run in range(runs):
        for name in names if run % 2 == 0 else names[::-1]:
            with Server(name, certificates=certificates) as server:
                measure_loads(server, PLAIN, scale, results)
                with certificates.connect(server.endpoint) as client:
                    enable_users(client)
                    measure_loads(server, WITH_USERS, scale, results)
                    # Minutes each, and no matter of noise.
                    if run == 0:
                        people[name] = measure_people(server, client, scale)
            print(f"TLS and users, run {run + 1} of {runs}: {name} {people[name]}", file=sys.stderr)
    return {key: workloads.summary(each) for key, each in results.items()}, people


def measure_loads(server, loads, scale, results):
    for title, arguments, total, _ in loads:
        result = server.bench(*arguments, total=max(100, int(total * scale)))
        results.setdefault((title, server.name), []).append(result)


def enable_users(client):
    """Root, who must be there, whoever the certificate names, and people with passwords who may do nothing."""
    client.must("Auth/UserAdd", pb.AuthUserAddRequest(name="root", password=PASSWORD))
    client.must("Auth/UserGrantRole", pb.AuthUserGrantRoleRequest(user="root", role="root"))
    client.must("Auth/RoleAdd", pb.AuthRoleAddRequest(name="all"))
    everything = auth_pb.Permission(permType=2, key=b"\0", range_end=b"\0")
    client.must("Auth/RoleGrantPermission", pb.AuthRoleGrantPermissionRequest(name="all", perm=everything))
    client.must("Auth/UserAdd", pb.AuthUserAddRequest(name=USER, options=auth_pb.UserAddOptions(no_password=True)))
    client.must("Auth/UserGrantRole", pb.AuthUserGrantRoleRequest(user=USER, role="all"))
    for number in range(PEOPLE):
        client.must("Auth/UserAdd", pb.AuthUserAddRequest(name=f"person{number}", password=PASSWORD))
    client.must("Auth/AuthEnable", pb.AuthEnableRequest())


def measure_people(server, client, scale):
    """Puts a second alone and beside people who authenticate, and how many of those a second."""
    alone = measure_puts(server, ALONE_SECONDS * scale)
    with People(client) as people:
        began, before = time.monotonic(), people.done
        beside = measure_puts(server, BESIDE_SECONDS * scale)
        done = (people.done - before) / (time.monotonic() - began)
    return {"alone": alone, "beside": beside, "authentications": done}


def measure_puts(server, seconds):
    """So many as take about that time, by what a few of them took."""
    arguments = WITH_USERS[0][1]
    rate = server.bench(*arguments, total=20_000)["throughput"]
    return server.bench(*arguments, total=max(1_000, int(rate * seconds)))["throughput"]


class People:
    """Each authenticates when its turn comes, once a second, if the server is that fast."""

    def __init__(self, client):
        self.client, self.done, self.failure = client, 0, None
        self.lock, self.over = threading.Lock(), threading.Event()
        self.threads = [threading.Thread(target=self.live, args=(number,)) for number in range(PEOPLE)]

    def __enter__(self):
        self.began = time.monotonic()
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        for thread in self.threads:
            thread.join()
        if self.failure:
            sys.exit(f"Authenticate: {self.failure}")

    def live(self, number):
        due = self.began + number / PEOPLE
        request = pb.AuthenticateRequest(name=f"person{number}", password=PASSWORD)
        while not self.over.wait(max(0, due - time.monotonic())):
            answer = self.client.call("Auth/Authenticate", request, timeout=60)
            with self.lock:
                self.done += answer.ok
                self.failure = self.failure or (None if answer.ok else answer.text)
            due = max(due + 1, time.monotonic())


def section(results, names):
    loads, people = results
    peers = [name for name in names if name != "strake"]
    lines = ["Clients show certificates, and check the server's; *users*: authentication is on, and the certificate names "
             "the user, whose role covers all keys.", "",
             "| workload | server | throughput /s | CPU us/op | p50 ms | p99 ms |",
             "| --- | --- | ---: | ---: | ---: | ---: |"]
    for title, *_ in PLAIN + WITH_USERS:
        for name in names:
            r = loads[title, name]
            lines.append(f"| {title} | {name} | {r['throughput']:,.0f} | {r['cpu']:.2f} | {r['p50'] / 1000:.3f} | "
                         f"{r['p99'] / 1000:.3f} |")
    lines += ["", f"| workload | {' | '.join(f'to {peer}' for peer in peers)} | bar | CPU, to the better | bar met |",
              "| --- |" + " ---: |" * (len(peers) + 2) + " --- |"]
    for title, _, _, bar in PLAIN + WITH_USERS:
        own = loads[title, "strake"]
        ratios = [own["throughput"] / loads[title, peer]["throughput"] for peer in peers]
        cpu = own["cpu"] / min(loads[title, peer]["cpu"] for peer in peers)
        lines.append(f"| {title} | {' | '.join(f'{ratio:.2f}' for ratio in ratios)} | >= {bar} | {cpu:.2f} | "
                     f"{'yes' if min(ratios) >= bar else '**no**'} |")
    lines += ["", f"{PEOPLE} people authenticate with their passwords, each once a second if the server is that fast, while "
              f"1,000 clients put as above for {BESIDE_SECONDS} s; one run:", "",
              "| server | puts alone /s | beside /s | kept | authentications /s | bars met |",
              "| --- | ---: | ---: | ---: | ---: | --- |"]
    for name in names:
        alone, beside, done = (people[name][field] for field in ("alone", "beside", "authentications"))
        is_met = beside / alone >= KEPT_BAR and done >= AUTHENTICATIONS_BAR
        verdict = f"{'yes' if is_met else '**no**'} (>= {KEPT_BAR}, >= {AUTHENTICATIONS_BAR})" if name == "strake" else ""
        lines.append(f"| {name} | {alone:,.0f} | {beside:,.0f} | {beside / alone:.2f} | {done:.1f} | {verdict} |")
    return lines
