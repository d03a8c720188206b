"""The stage of a sink that sends events to a receiver: it reads, and threads send."""

from __future__ import annotations

import logging
import time
from typing import Any

from posebus.bus.redis.connection import Broker
from posebus.messages import Event
from posebus.runtime.failures import in_one_sentence
from posebus.sinks.base import Sender
from posebus.sinks.delivering.inbox import Inbox
from posebus.sinks.delivering.lanes import Parcel, lane_of
from posebus.sinks.delivering.records import Record, Records, State
from posebus.sinks.delivering.threads import SendingThreads
from posebus.sinks.delivering.turn import Turn
from posebus.sinks.lag import Lag
from posebus.subscribing.subscription import Message
from posebus.telemetry.process_report import SINK, ProcessReport, SinkReport

POLL_S = 0.2
HELD = 20_000
"""Events that are held in memory, most of them as the place where they stand: as many as a stream has."""
STAND_BY_S = 0.2

log = logging.getLogger("posebus.sink")


class DeliveryStage:
    """Gives each event to a sender, those of a track in order; reads on while some of them wait for another attempt."""

    role = SINK

    def __init__(self, name: str, sender: Sender, inbox: Inbox, records: Records, broker: Broker) -> None:
        self._name = name
        self._sender = sender
        self._inbox = inbox
        self._turn = Turn(broker, name)
        self._threads = SendingThreads(broker, sender, records, self._turn)
        self._lag = Lag(broker, name)
        self._standing_by = False
        self._trouble: str | None = None
        self._threads.start()

    def step(self, now_s: float) -> bool:
        """Read some events. Raises BrokerUnavailable and BrokerRefused; the threads go on meanwhile."""
        if self._threads.failure is not None:
            raise self._threads.failure
        if not self._turn.take(now_s):
            self._stand_by()
            return True
        self._standing_by = False
        if self._turn.lost:
            self._turn.lost = False
            self._threads.clear_waiting()
            self._inbox.begin_again()
        self._say_trouble()
        if self._threads.waiting() >= HELD:
            time.sleep(POLL_S)
            return True
        done = [message for message, record in self._inbox.poll(POLL_S) if not self._add(message, record)]
        if done:
            self._inbox.acknowledge(done, {})
        return True

    def report(self) -> ProcessReport:
        """What was delivered since the start of this process, and what waits."""
        counts = self._threads.counts
        report = SinkReport(
            name=self._name,
            delivered=counts[State.DELIVERED],
            undelivered=counts[State.UNDELIVERED],
            lost=counts[State.LOST],
            waiting=self._threads.waiting() + self._lag.unread(time.monotonic()),
            trouble=self._trouble,
        )
        does = "stands by: another process delivers" if self._standing_by else report.in_words()
        return ProcessReport(SINK, does=f"{self._name}: {does}", sink=report)

    def drain(self) -> None:
        """Wait for the answers to what was sent."""
        self._threads.stop()
        self._turn.release()

    def close(self) -> None:
        """Close the sender and the connection."""
        try:
            self._call("close")
        except Exception as error:  # noqa: BLE001 - of another package, and nothing is left to be done
            log.warning("the sink %s failed to close: %s", self._name, in_one_sentence(error))
        self._inbox.close()

    def _add(self, message: Message, record: Record | None) -> bool:
        event = message.body
        if not isinstance(event, Event):
            return False
        known = record or Record(State.WAITING)
        parcel = Parcel(
            event_id=event.id,
            lane=lane_of(event),
            message=message,
            places=[(message.stream, message.id)],
            attempts=known.attempts,
            first_ns=known.first_ns,
            due_s=time.monotonic(),
            why=known.why,
        )
        return self._threads.add(parcel)

    def _stand_by(self) -> None:
        if not self._standing_by:
            self._standing_by = True
            log.info("another process delivers for the sink %s; this one stands by", self._name)
        time.sleep(STAND_BY_S)

    def _say_trouble(self) -> None:
        """Log when attempts begin to fail, and when all that had failed is delivered."""
        trouble = self._threads.trouble() or self._call("trouble")
        if trouble is not None and self._trouble is None:
            log.warning("the sink %s fails: %s; trying again", self._name, trouble)
        elif trouble is None and self._trouble is not None:
            log.warning("the sink %s works again", self._name)
        self._trouble = trouble

    def _call(self, method: str) -> Any:
        """Call an optional method of the sender."""
        found = getattr(self._sender, method, None)
        return None if found is None else found()
