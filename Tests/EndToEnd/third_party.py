"""A Python client by others against the server and etcds: it must see the same."""

import os
import subprocess

from harness import PEERS, Server, parse_arguments, peer_name, run

PYTHON = os.path.join(PEERS, "python-etcd3", "bin", "python")
SCRIPT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "third_party_client.py")


def what_it_sees(server):
    done = subprocess.run([PYTHON, SCRIPT, server.endpoint], capture_output=True, timeout=60, text=True,
                          env=dict(os.environ, GRPC_VERBOSITY="NONE"))
    return done.returncode, done.stdout.splitlines(), done.stderr[-1500:]


def main():
    arguments = parse_arguments(__doc__, budget=60)

    def body(results):
        with Server(arguments.server, label="server") as server:
            code, seen, error = what_it_sees(server)
        results.check("the client runs to its end", code == 0, error)
        for binary in arguments.peers:
            with Server(binary, label="peer") as peer:
                peer_code, peer_seen, peer_error = what_it_sees(peer)
            results.check(f"the client runs to its end on {peer_name(binary)}", peer_code == 0, peer_error)
            results.equal(f"it sees as many things as on {peer_name(binary)}", len(seen), len(peer_seen))
            for ours, theirs in zip(seen, peer_seen):
                results.equal(f"{theirs.split(':')[0]}, beside {peer_name(binary)}", ours, theirs)

    run(arguments, body)


if __name__ == "__main__":
    main()
