"""Faults planted into copies of sound records, each of which one check has to name."""

import copy
from dataclasses import replace

from apiserver_check import (History, problems_in_book, problems_in_branch, problems_in_cache, problems_in_expiry,
                             problems_in_history, problems_in_listing, problems_in_watch)
from apiserver_store import PUT
from apiserver_watch import Batch


def planted_faults(evidence):
    """[(name, the kind of problem it is, the problems found)]"""
    return [*watch_faults(evidence), *history_faults(evidence), *listing_faults(evidence), *cache_faults(evidence),
            *book_faults(evidence), *expiry_faults(evidence)]


def copied(record):
    log = [Batch(batch.revision, list(batch.events), batch.time) for batch in record.log]
    return replace(record, log=log, problems=list(record.problems))


def watch_faults(evidence):
    """Planted at the middle of a busy watcher's events."""
    record = max(evidence.records, key=lambda record: sum(bool(batch.events) for batch in record.log))
    full = [index for index, batch in enumerate(record.log) if batch.events]
    middle = full[len(full) // 2]
    later = full[len(full) // 2 + 1]
    changed = next(index for index in full[len(full) // 3:] if record.log[index].events[0].prev)
    progress = next(index for index, batch in enumerate(record.log) if not batch.events and index > full[0])
    behind = next(index for index in full if index > progress)

    def drop(log):
        del log[middle].events[0]

    def drop_last(log):
        del log[full[-1]]

    def repeat(log):
        log.insert(later, log[middle])

    def repeat_much_later(log):
        log.append(log[full[0]])

    def swap(log):
        log[middle], log[later] = log[later], log[middle]

    def progress_ahead(log):
        log[progress].revision = log[behind].events[0].kv.mod

    def header_behind(log):
        log[middle].revision = log[middle].events[-1].kv.mod - 1

    def other_prev(log):
        first = log[changed].events[0]
        log[changed].events[0] = first._replace(prev=first.prev._replace(value=b"other"))

    def no_prev(log):
        log[changed].events[0] = log[changed].events[0]._replace(prev=None)

    def other_value(log):
        first = log[middle].events[0]
        log[middle].events[0] = first._replace(kv=first.kv._replace(value=b"other"))

    def other_key(log):
        first = log[middle].events[0]
        log[middle].events[0] = first._replace(kv=first.kv._replace(key=b"/registry/elsewhere"))

    plants = [(drop, "gap"), (drop_last, "gap"), (repeat, "repeat"), (repeat_much_later, "repeat"), (swap, "order"),
              (progress_ahead, "progress"), (header_behind, "header"), (other_prev, "prev_kv"), (no_prev, "prev_kv"),
              (other_value, "changed"), (other_key, "unexplained")]
    for plant, kind in plants:
        other = copied(record)
        plant(other.log)
        yield plant.__name__, kind, problems_in_watch(other, evidence.history, evidence.reached)
    other = copied(record)
    other.seen = evidence.reached - 1
    yield "not to the end", "gap", problems_in_watch(other, evidence.history, evidence.reached)
    yield "a revision in two messages", "split", problems_in_split(evidence)


def problems_in_split(evidence):
    """The expiry of a thousand keys, cut in the middle."""
    record = next(record for record in evidence.records
                  if any(len(batch.events) >= 2 and batch.events[0].kv.mod == batch.events[-1].kv.mod
                         for batch in record.log))
    other = copied(record)
    index, batch = next((index, batch) for index, batch in enumerate(other.log)
                        if len(batch.events) >= 2 and batch.events[0].kv.mod == batch.events[-1].kv.mod)
    half = len(batch.events) // 2
    other.log[index:index + 1] = [replace(batch, events=batch.events[:half]), replace(batch, events=batch.events[half:])]
    return problems_in_watch(other, evidence.history, evidence.reached)


def history_faults(evidence):
    witness = evidence.history.record
    full = [index for index, batch in enumerate(witness.log) if batch.events]
    middle = full[len(full) // 3]

    def lose(other):
        del other.log[middle]

    def wrong_version(other):
        event = other.log[middle].events[0]
        other.log[middle].events[0] = event._replace(kv=event.kv._replace(version=event.kv.version + 1))

    for plant, kind in ((lose, "gap"), (wrong_version, "field")):
        other = copied(witness)
        plant(other)
        yield "history: " + plant.__name__, kind, problems_in_history(History(other))


def listing_faults(evidence):
    def planted(kind, change):
        listing = copy.deepcopy(next(listing for listing in evidence.listings
                                     if listing.kind == kind and (kind == "count" or len(listing.pages[-1].kvs) > 1)))
        change(listing, listing.pages[-1])
        return problems_in_listing(listing, evidence.history)

    def lose(_, page):
        del page.kvs[0]

    def stale(_, page):
        page.kvs[0] = page.kvs[0]._replace(mod=page.kvs[0].mod - 1)

    def swap(_, page):
        page.kvs[:2] = page.kvs[1::-1]

    def miscount(_, page):
        page.count += 1

    def claim_more(_, page):
        page.more = True

    def later_page(listing, page):
        # What a continued list shows when it does not keep to its revision: a key that was put after it.
        page.kvs[-1] = page.kvs[-1]._replace(mod=listing.revision + 1)

    def keep_value(_, page):
        page.kvs[0] = page.kvs[0]._replace(value=b"a value")

    for kind, change, problem in (
            ("pages", lose, "list"), ("pages", stale, "list"), ("pages", swap, "list"), ("pages", miscount, "count"),
            ("pages", claim_more, "more"), ("pages", later_page, "list"), ("count", miscount, "count"),
            ("keys", keep_value, "list"), *([("stream", lose, "list")] if evidence.streams else [])):
        yield f"{kind}: {change.__name__}", problem, planted(kind, change)


def cache_faults(evidence):
    """Progress that came a message too early: what the cache lacks is an event in front of it."""
    for record, position, revision in evidence.cache_reads:
        last = max((index for index in range(position)
                    if record.log[index].events and record.log[index].events[-1].kv.mod <= revision), default=None)
        if last is not None and record.log[last].events[-1].kind == PUT:
            yield "a cache ahead", "behind", problems_in_cache((record, last, revision), evidence.history)
            return
    if evidence.cache_reads:
        yield "a cache ahead", "behind", []


def book_faults(evidence):
    book, history = evidence.book, evidence.history
    done = [index for index, write in enumerate(book) if write.answered and write.succeeded and write.kind == "update"]
    failed = next(write for write in book
                  if write.answered and not write.succeeded and write.found and write.kind != "lock")
    index = done[len(done) // 2]
    write = book[index]
    yield "a write forgotten", "unexplained", problems_in_book(book[:index] + book[index + 1:], history)
    changed = [replace(write, value=b"other")]
    yield "a write changed", "lost", problems_in_book(book[:index] + changed + book[index + 1:], history)
    yield "a write moved", "lost", problems_in_book([replace(write, revision=write.revision - 1)], history)
    yield "the wrong branch", "branch", problems_in_branch(replace(write, expected=write.expected - 1), history)
    yield "a refusal without reason", "branch", problems_in_branch(replace(failed, expected=failed.found.mod), history)
    stale = failed.found._replace(value=b"stale")
    yield "a stale failure branch", "branch", problems_in_branch(replace(failed, found=stale), history)


def expiry_faults(evidence):
    lease, late = evidence.leases[0], evidence.late_seconds
    yield "a key outlives its lease", "expiry", problems_in_expiry(
        replace(lease, keys=[*lease.keys, b"/registry/events/zzz"]), evidence.history, late)
    yield "a lease ends early", "time", problems_in_expiry(replace(lease, ttl=lease.ttl + 60), evidence.history, late)
    yield "a lease ends late", "time", problems_in_expiry(
        replace(lease, granted=lease.granted - late - 10), evidence.history, late)
