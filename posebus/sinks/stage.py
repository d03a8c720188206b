"""The stage of a sink that takes messages one after the other: it acknowledges those that the sink has handled."""

from __future__ import annotations

import contextlib
import logging
import random
import time
from collections import OrderedDict, deque

from posebus.backoff import Backoff
from posebus.errors import RetryableError, SinkFailed
from posebus.messages import Event
from posebus.runtime.failures import in_one_sentence
from posebus.sinks.base import Sink
from posebus.sinks.delivering.inbox import Inbox
from posebus.sinks.delivering.records import Record, State
from posebus.sinks.lag import Lag
from posebus.subscribing.subscription import Message
from posebus.telemetry.process_report import SINK, ProcessReport, SinkReport

POLL_S = 0.2
AT_ONCE = 50
"""Messages of one step, so that heartbeats go on."""
REMEMBERED = 1000
"""So many events are known to be handled: another entry of one may be read before its record is written."""
RETRY_MIN_S, RETRY_MAX_S = 0.5, 15.0

log = logging.getLogger("posebus.sink")


class SinkStage:
    """Gives messages to a sink, in the order of their streams. One that fails is given again before any other."""

    role = SINK

    def __init__(self, name: str, sink: Sink, inbox: Inbox, lag: Lag | None = None) -> None:
        """`lag` is for the report alone."""
        self._name = name
        self._sink = sink
        self._inbox = inbox
        self._lag = lag
        self._waiting: deque[tuple[Message, Record | None]] = deque()
        self._trouble: str | None = None
        self._handled = 0
        self._written: dict[str, Record] | None = None
        """What the sink has handled and the broker does not know yet."""
        self._recent: OrderedDict[str, None] = OrderedDict()

    def step(self, now_s: float) -> bool:
        """Handle some messages. After SinkFailed or BrokerUnavailable the next call goes on with the same message."""
        for _ in range(AT_ONCE):
            if not self._waiting:
                self._waiting.extend(self._inbox.poll(POLL_S))
                return True
            self._handle(*self._waiting[0])
            self._waiting.popleft()
        return True

    def report(self) -> ProcessReport:
        """The report of this process: how many messages were handled."""
        unread = self._lag.unread(time.monotonic()) if self._lag is not None else 0
        report = SinkReport(self._name, self._handled, waiting=len(self._waiting) + unread, trouble=self._trouble)
        return ProcessReport(SINK, does=f"{self._name}: {report.in_words()}", sink=report)

    def drain(self) -> None:
        """Nothing is in flight: what was not acknowledged is given again."""

    def close(self) -> None:
        """Close the sink and the connection."""
        close = getattr(self._sink, "close", None)
        if close is not None:
            try:
                close()
            except Exception as error:  # noqa: BLE001 - of another package, and nothing is left to be done
                log.warning("the sink %s failed to close: %s", self._name, in_one_sentence(error))
        with contextlib.suppress(OSError):
            self._inbox.close()

    def _handle(self, message: Message, known: Record | None) -> None:
        event_id = message.body.id if isinstance(message.body, Event) else None
        if self._written is None and event_id not in self._recent:
            self._write(message)
            attempts = 1 if known is None else known.attempts + 1
            done = Record(State.DELIVERED, attempts, time.time_ns())
            self._written = {} if event_id is None else {event_id: done}
            self._handled += 1
        # Also after an outage of the broker: the sink has it, and is not to get it again.
        self._inbox.acknowledge([message], self._written or {})
        self._written = None
        if event_id is not None:
            self._recent[event_id] = None
            if len(self._recent) > REMEMBERED:
                self._recent.popitem(last=False)

    def _write(self, message: Message) -> None:
        try:
            self._sink.write(message)
        except RetryableError:
            raise  # of the broker
        except Exception as error:
            self._trouble = f"{type(error).__name__}: {' '.join(str(error).split())}"
            raise SinkFailed(
                f"the sink {self._name} failed with a message of camera {message.camera} ({self._trouble})",
                camera=message.camera,
                entry_id=message.id,
            ) from error
        self._trouble = None


def retry_pauses() -> Backoff:
    """The pauses between two attempts to give a message to a sink that fails."""
    return Backoff(RETRY_MIN_S, RETRY_MAX_S, random.Random())
