"""The watches of an API server: streams with several watchers, which resume where they were, and write down all."""

import threading
import time
from dataclasses import dataclass, field

from apiserver_store import WATCH_METADATA, plain_event, prefix_end
from wire import WatchStream

# A server that is restarted once breaks each stream a few times at most.
RESUMED_MAX = 50


@dataclass
class Batch:
    """A message: events, or none, and then it says that all up to `revision` have been delivered."""
    revision: int
    events: list
    time: float


@dataclass
class Record:
    """All that one watcher was sent, over all its streams."""
    key: bytes
    end: bytes
    start: int  # the first revision it asked for
    log: list = field(default_factory=list)
    seen: int = 0
    resumed: int = 0
    problems: list = field(default_factory=list)

    @staticmethod
    def of_prefix(prefix, start):
        return Record(prefix, prefix_end(prefix), start, seen=start - 1)

    @staticmethod
    def of_key(key, start):
        return Record(key, b"", start, seen=start - 1)

    def take(self, revision, events, trusted=True):
        self.log.append(Batch(revision, events, time.monotonic()))
        if events:
            self.seen = max(self.seen, events[-1].kv.mod)
        elif trusted:
            self.seen = max(self.seen, revision)

    def create(self):
        return dict(key=self.key, range_end=self.end, start_revision=self.seen + 1, progress_notify=True, prev_kv=True)


class _Feed(WatchStream):
    """A stream whose messages go straight to their taker, on the thread that receives them."""

    def __init__(self, client, creates, take, ended):
        self._take, self._ended = take, ended
        super().__init__(client, creates, WATCH_METADATA)

    def _receive(self):
        try:
            for message in self._call:
                self._take(message)
        except Exception:  # noqa: BLE001: the stream broke, for whatever reason
            pass
        self._ended()


class CacheStream:
    """One stream with the watchers of `records`. When it breaks it is opened again, from behind what was seen."""

    def __init__(self, client, records, trusts_progress=True):
        self.client, self.records = client, records
        # Answers to requests for progress that may run ahead are written down apart.
        self.trusts_progress = trusts_progress
        self.untrusted = []  # of (record, length of its log, revision)
        self.stopping = False
        self.replies, self.notices = 0, 0
        self._over = threading.Event()
        self._lock = threading.Lock()
        self.ids, self.created = {}, 0
        self.stream = None
        self._open()

    def _open(self):
        with self._lock:
            if self.stopping:
                return self._over.set()
            self.ids, self.created = {}, 0
            self.stream = _Feed(self.client, [record.create() for record in self.records], self._take, self._ended)

    def _take(self, message):
        if message.canceled:
            for record in self.records:
                record.problems.append(f"canceled: {message}")
        elif message.created:
            # Created in the order in which they were asked for.
            self.ids[message.watch_id] = self.records[self.created]
            self.created += 1
        elif message.events:
            events = [plain_event(event) for event in message.events]
            self.ids[message.watch_id].take(message.header.revision, events)
        elif message.watch_id == -1:
            self.replies += 1
            self._progress(message.header.revision)
        else:
            self.notices += 1
            self.ids[message.watch_id].take(message.header.revision, [])

    def _progress(self, revision):
        for record in self.records:
            if self.trusts_progress:
                record.take(revision, [])
            else:
                self.untrusted.append((record, len(record.log), revision))

    def _ended(self):
        for record in self.records:
            record.resumed += 1
            if record.resumed == RESUMED_MAX:
                record.problems.append(f"the stream broke {RESUMED_MAX} times")
                self.stopping = True
        self._open()

    def request_progress(self):
        self.stream.request_progress()

    def close(self):
        with self._lock:
            self.stopping = True
            self.stream.close()
        self._over.wait(5)
