"""The stage of the evidence process: it takes events of its consumer group, and makes a snapshot for each."""

from __future__ import annotations

import contextlib
import logging
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from evidence.choosing import Wanted, wanted_snapshots
from evidence.drawing import as_jpeg, draw_moment
from evidence.stores import SnapshotStore
from posebus.bus.redis.connection import Broker
from posebus.bus.registry import Registry
from posebus.config.cameras.privacy import NO_PRIVACY
from posebus.errors import BadPicture, OutputError
from posebus.logs.about import about
from posebus.subscribing.moment import Missing, find_moment
from posebus.subscribing.subscription import Message
from posebus.telemetry.metrics import Metrics
from posebus.telemetry.process_report import EVIDENCE, ProcessReport
from posebus.wording import counted

POLL_S = 0.2
SHORT_POLL_S = 0.05
PATIENCE_S = 1.0
"""How long the picture of an event is waited for: it is sent by another thread than the frame."""
MOST_WAITING = 200
WORDS = {
    "no_picture": "the picture had left the ring",
    "no_tracks": "its tracks were not there",
    "bad_picture": "the picture could not be decoded",
    "not_written": "the folder could not be written",
}
DONE = ("stored", "known")

log = logging.getLogger("posebus.evidence")


class Events(Protocol):
    """The part of a subscription with a group that is needed here."""

    def poll(self, timeout_s: float) -> Iterator[Message]: ...
    def acknowledge(self, message: Message) -> None: ...
    def close(self) -> None: ...


@dataclass(slots=True)
class _Waiting:
    wanted: Wanted
    until_s: float


class EvidenceStage:
    """Makes snapshots, one for each frame that events refer to. An event is acknowledged when its snapshot is kept.

    So a process that is killed makes the rest of its snapshots when it is back; none is made twice.
    """

    role = EVIDENCE

    def __init__(self, broker: Broker, events: Events, store: SnapshotStore) -> None:
        self._broker = broker
        self._registry = Registry(broker)
        self._events = events
        self._store = store
        self._waiting: deque[_Waiting] = deque()
        self._metrics = Metrics()
        self._outcomes: Counter[str] = Counter()
        self._troubled = False

    def step(self, now_s: float) -> bool:
        """Handle some events. Raises BrokerUnavailable; the next call goes on with the same event."""
        if len(self._waiting) < MOST_WAITING:
            self._take(now_s)
        for _ in range(len(self._waiting)):
            one = self._waiting[0]
            outcome = self._snapshot(one.wanted)
            if outcome in ("no_picture", "no_tracks") and now_s < one.until_s:
                self._waiting.rotate(-1)
                continue
            for message in one.wanted.messages:
                self._events.acknowledge(message)
            self._waiting.popleft()
            self._note(outcome, one.wanted)
        self._tidy(now_s)
        return True

    def report(self) -> ProcessReport:
        """The report of this process: how many snapshots there are, and why others are missing."""
        return ProcessReport(EVIDENCE, metrics=self._metrics.snapshot(), does=self._in_words())

    def drain(self) -> None:
        """Nothing is in flight: what was not acknowledged is given again."""

    def close(self) -> None:
        """Close the connection."""
        with contextlib.suppress(OSError):
            self._events.close()

    def _take(self, now_s: float) -> None:
        messages = list(self._events.poll(SHORT_POLL_S if self._waiting else POLL_S))
        wanted, others = wanted_snapshots(messages)
        # Before they are acknowledged, so that an error does not lose what was read.
        self._waiting.extend(_Waiting(one, now_s + PATIENCE_S) for one in wanted)
        for message in others:
            self._events.acknowledge(message)

    def _snapshot(self, wanted: Wanted) -> str:
        """Make one snapshot; returns what became of it. Raises the broker's errors."""
        frame = wanted.frame
        if self._store.has(frame):
            return "known"
        moment = find_moment(self._broker, frame, wanted.captured_at_ns, wanted.entry_id)
        if isinstance(moment, Missing):
            return moment.outcome
        record = self._registry.camera(frame.camera)
        rules = {} if record is None else record.rules
        blur = record is None or record.privacy != NO_PRIVACY
        try:
            jpeg = as_jpeg(draw_moment(moment, rules, wanted.rules, blur=blur), moment)
            return "stored" if self._store.put(frame, jpeg) else "known"
        except BadPicture:
            return "bad_picture"
        except OutputError as error:
            self._complain(error)
            return "not_written"

    def _note(self, outcome: str, wanted: Wanted) -> None:
        self._outcomes[outcome] += 1
        self._metrics.count("posebus_snapshots_total", outcome=outcome)
        if outcome == "stored":
            self._troubled = False
        number = self._outcomes[outcome]
        if outcome not in DONE and number == 10 ** (len(str(number)) - 1):  # 1, 10, 100, …: there may be many
            event = wanted.messages[0].body
            text = "camera %s: the event %s has no snapshot: %s (%d so far)"
            known = wanted.frame.camera, getattr(event, "id", ""), WORDS[outcome], number
            log.warning(text, *known, extra=about(event.camera))

    def _tidy(self, now_s: float) -> None:
        try:
            self._store.tidy(now_s)
        except OutputError as error:
            self._complain(error)

    def _complain(self, error: OutputError) -> None:
        if not self._troubled:
            self._troubled = True
            log.error("%s", error)

    def _in_words(self) -> str:
        words = [counted(self._outcomes["stored"], "snapshot")]
        words += [f"{self._outcomes[name]} missing: {why}" for name, why in WORDS.items() if self._outcomes[name]]
        return "; ".join(words)
