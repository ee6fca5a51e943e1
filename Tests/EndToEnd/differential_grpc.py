"""The same gRPC requests to the server and to etcds: hand-picked scripts, then seeded random sequences."""

import random

import grpc_scripts_kv
import grpc_scripts_locks
import grpc_scripts_other
import grpc_scripts_watch
from harness import ServerFailed, parse_arguments, run
from normalise import describe
from pair import Pair
from random_operations import Generator
from wire import CallFailed, pb

ALL = dict(key=b"\0", range_end=b"\0")


ALL_SCRIPTS = grpc_scripts_kv.SCRIPTS + grpc_scripts_watch.SCRIPTS + grpc_scripts_other.SCRIPTS + grpc_scripts_locks.SCRIPTS
# Leases, locks, elections and what is refused. The rest depends least on the version, and takes longest.
OF_OLDER_PEER = [grpc_scripts_kv.puts_and_deletes, grpc_scripts_kv.range_options, grpc_scripts_kv.transactions,
                 grpc_scripts_kv.too_many_operations, grpc_scripts_kv.overlapping_operations, grpc_scripts_kv.compaction,
                 *grpc_scripts_other.SCRIPTS, *grpc_scripts_locks.SCRIPTS]
OPERATIONS_OF_OLDER_PEER = 500


def hand_picked(results, arguments):
    for peer in arguments.peers:
        for script in ALL_SCRIPTS if peer == arguments.peer else OF_OLDER_PEER:
            if arguments.only in script.__name__:
                run_script(results, arguments, script, peer)


def run_script(results, arguments, script, peer):
    started = results.elapsed()
    pair = Pair(results, arguments, script.__name__, peer=peer)
    try:
        with pair:
            script(pair)
    except (ServerFailed, CallFailed) as error:
        results.check(f"{script.__name__} ran to its end", False, error)
    print(f"{script.__name__}: {pair.step} comparisons with etcd {pair.peer_version} in {results.elapsed() - started:.1f} s",
          flush=True)


def random_sequence(results, arguments, peer, operations):
    rng = random.Random(arguments.seed)
    with Pair(results, arguments, f"random {arguments.seed}", peer=peer) as pair:
        generator = Generator(rng)
        pair.errors_in_any_order = True
        failed_before = results.failed
        for index in range(operations):
            method, request = generator.next()
            if method == "KV/Compact" and request.revision <= generator.revision:
                compare_history(pair, generator, index)
            answer = pair.call(method, request, f"operation {index}: {method} {describe(request)[:300]}")
            follow(generator, method, request, answer)
            if results.failed - failed_before > 20:
                results.check("random: giving up after 20 differences", False)
                return
        compare_history(pair, generator, operations)
        pair.call("KV/Range", pb.RangeRequest(**ALL), "everything at the end")
        hashes_survive_restart(results, pair)
        pair.call("KV/Range", pb.RangeRequest(**ALL), "everything after a restart")
        compare_history(pair, generator, operations)
        print(f"random: {operations} operations, revision {generator.revision}", flush=True)


def follow(generator, method, request, answer):
    if answer.ok:
        generator.revision = max(generator.revision, answer.message.header.revision)
        if method == "KV/Compact":
            generator.compacted = request.revision


def compare_history(pair, generator, index):
    """All events that are still there, from revision 1 or the last compaction on."""
    first = generator.compacted + 1
    if first > generator.revision:
        return
    with pair.watch(dict(**ALL, start_revision=first, prev_kv=True)) as watch:
        both = [stream.take(lambda m: m and m[-1].events and m[-1].events[-1].kv.mod_revision >= generator.revision)
                for stream in watch.streams]
    events = [[event for message in messages for event in message.events] for messages in both]
    server, peer = events
    label = f"history {first} to {generator.revision} before operation {index}"
    if len(server) == len(peer):
        different = next((pair_ for pair_ in zip(server, peer) if pair_[0] != pair_[1]), None)
        pair.same(label, *([describe(e) for e in different] if different else ("", "")))
    else:
        pair.same(label, f"{len(server)} events", f"{len(peer)} events")


def hashes_survive_restart(results, pair):
    """Two servers need not hash alike; one server must, before and after a restart."""
    revisions = [client.revision() for client in pair.clients]
    before = [hash_at(client, revision) for client, revision in zip(pair.clients, revisions)]
    pair.restart()
    after = [hash_at(client, revision) for client, revision in zip(pair.clients, revisions)]
    results.equal("HashKV of the server is the same after a restart", after[0], before[0])
    results.equal("HashKV of the peer is the same after a restart", after[1], before[1])


def hash_at(client, revision):
    answer = client.must("Maintenance/HashKV", pb.HashKVRequest(revision=revision))
    return answer.hash, answer.compact_revision


def main():
    arguments = parse_arguments(__doc__, budget=150, operations=(10000, "random operations in the sequence"),
                                runs=(1, "random sequences"), only=("", "run only the scripts whose name has this"))

    def body(results):
        hand_picked(results, arguments)
        for _ in range(arguments.runs if not arguments.only else 0):
            for peer in arguments.peers:
                operations = arguments.operations if peer == arguments.peer else OPERATIONS_OF_OLDER_PEER
                random_sequence(results, arguments, peer, operations)
            arguments.seed += 1

    run(arguments, body)


if __name__ == "__main__":
    main()
