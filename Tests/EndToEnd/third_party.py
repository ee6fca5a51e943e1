"""A Python client by others against the server and an etcd: it must see the same."""

import os
import subprocess

from harness import PEERS, Server, parse_arguments, run

PYTHON = os.path.join(PEERS, "python-etcd3", "bin", "python")
SCRIPT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "third_party_client.py")


def what_it_sees(server):
    done = subprocess.run([PYTHON, SCRIPT, server.endpoint], capture_output=True, timeout=60, text=True,
                          env=dict(os.environ, GRPC_VERBOSITY="NONE"))
    return done.returncode, done.stdout.splitlines(), done.stderr[-1500:]


def main():
    arguments = parse_arguments(__doc__, budget=60)

    def body(results):
        with Server(arguments.server, label="server") as server, Server(arguments.peer, label="peer") as peer:
            code, seen, error = what_it_sees(server)
            peer_code, peer_seen, peer_error = what_it_sees(peer)
        results.check("the client runs to its end", code == 0, error)
        results.check("the client runs to its end on the peer", peer_code == 0, peer_error)
        results.equal("it sees as many things", len(seen), len(peer_seen))
        for ours, theirs in zip(seen, peer_seen):
            results.equal(theirs.split(":")[0], ours, theirs)

    run(arguments, body)


if __name__ == "__main__":
    main()
