"""The threads that send: each takes the event whose turn it is, sends it, and records what became of it."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any, cast

from posebus.backoff import Backoff
from posebus.bus.redis.connection import Broker
from posebus.config.redaction import harmless
from posebus.errors import BrokerUnavailable
from posebus.runtime.failures import in_one_sentence
from posebus.sinks.base import Sender, SendOutcome, SendResult
from posebus.sinks.delivering.lanes import Lanes, Parcel, Place
from posebus.sinks.delivering.policy import judge
from posebus.sinks.delivering.records import MAX_WHY, Record, Records, State
from posebus.sinks.delivering.turn import Turn
from posebus.subscribing.subscription import Message, StreamEntry, decode_entry

IDLE_S = 0.2
"""The longest sleep of a thread without work: so long it may take until it notices that the process stops."""

log = logging.getLogger("posebus.sink")


class SendingThreads:
    """Sends events until `stop`. What was not sent then stays pending in the broker."""

    def __init__(self, broker: Broker, sender: Sender, records: Records, turn: Turn) -> None:
        self._broker = broker
        self._sender = sender
        self._records = records
        self._turn = turn
        self._lanes = Lanes()
        self._changed = threading.Condition()
        self._stopping = False
        self._threads: list[threading.Thread] = []
        self.counts: Counter[State] = Counter()
        self.failure: Exception | None = None
        """What ended a thread: the broker refuses what this process needs, or a bug."""

    def start(self) -> None:
        """Start as many threads as the sender has lanes."""
        for number in range(max(1, self._sender.lanes)):
            thread = threading.Thread(target=self._run, name=f"send-{number}", daemon=True)
            self._threads.append(thread)
            thread.start()

    def add(self, parcel: Parcel) -> bool:
        """Take one more event; False if it was done with already."""
        with self._changed:
            added = self._lanes.add(parcel)
            self._changed.notify()
        return added

    def waiting(self) -> int:
        """Events that are here and not delivered."""
        with self._changed:
            return len(self._lanes)

    def trouble(self) -> str | None:
        """Why the oldest event that has failed has failed; None if none has."""
        with self._changed:
            failing = self._lanes.failing
            return None if failing is None else failing.why

    def clear_waiting(self) -> None:
        """Forget what is not being sent: it comes again."""
        with self._changed:
            self._lanes.clear_waiting()

    def stop(self) -> None:
        """Wait until what is in flight has an answer that is recorded, and send no more."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    def _run(self) -> None:
        while (parcel := self._take()) is not None:
            try:
                self._deliver(parcel)
            except Exception as error:  # noqa: BLE001 - the stage raises it
                self.failure = self.failure or error
                return

    def _take(self) -> Parcel | None:
        with self._changed:
            while not self._stopping:
                now_s = time.monotonic()
                if self._turn.held(now_s):
                    parcel = self._lanes.take(now_s)
                    if parcel is not None:
                        return parcel
                due_s = self._lanes.due_s()
                self._changed.wait(IDLE_S if due_s is None else max(0.001, min(IDLE_S, due_s - now_s)))
        return None

    def _deliver(self, parcel: Parcel) -> None:
        message = parcel.message or self._read_again(parcel.places)
        if message is None:
            self._settle(parcel, None, Record(State.LOST, parcel.attempts, time.time_ns(), why=parcel.why))
            return
        parcel.first_ns = parcel.first_ns or time.time_ns()
        parcel.attempts += 1
        answer = self._send(message)
        now_ns = time.time_ns()
        verdict = judge(
            answer, parcel.attempts, (now_ns - parcel.first_ns) / 1e9, self._sender.give_up_s, random.Random()
        )
        why = harmless(verdict.given_up or answer.why, MAX_WHY)
        if verdict.pause_s is None:
            state = State.DELIVERED if verdict.given_up is None else State.UNDELIVERED
            record = Record(state, parcel.attempts, now_ns, answer.status, why, parcel.first_ns)
            if state is State.UNDELIVERED:
                log.warning(
                    "the event %s stays undelivered after attempt %d: %s", parcel.event_id, parcel.attempts, why
                )
            self._settle(parcel, message, record)
            return
        parcel.why = why
        parcel.due_s = time.monotonic() + verdict.pause_s
        parcel.unreachable = answer.unreachable
        next_ns = now_ns + round(verdict.pause_s * 1e9)
        record = Record(State.WAITING, parcel.attempts, now_ns, answer.status, why, parcel.first_ns, next_ns)
        self._persist(lambda: self._records.note(message.camera, parcel.event_id, record))
        with self._changed:
            self._lanes.again(parcel)
            self._changed.notify()

    def _send(self, message: Message) -> SendResult:
        try:
            return self._sender.send(message)
        except Exception as error:  # noqa: BLE001 - of another package, or a bug: the event is sent again
            return SendResult(SendOutcome.FAILED, why=in_one_sentence(error))

    def _settle(self, parcel: Parcel, message: Message | None, record: Record) -> None:
        places = list(parcel.places)
        camera, letter = parcel.lane[0], message if record.state is State.UNDELIVERED else None
        self._persist(lambda: self._records.settle(camera, parcel.event_id, places, record, letter))
        with self._changed:
            self.counts[record.state] += 1
            late = parcel.places[len(places) :]
            self._lanes.done(parcel)
            if record.state is State.DELIVERED:
                self._lanes.reachable(time.monotonic())
            self._changed.notify_all()
        if late:  # further entries of the same event, which came while this one was being recorded
            self._persist(lambda: self._records.settle(camera, parcel.event_id, late, record))

    def _persist(self, write: Callable[[], None]) -> None:
        """Write to the broker, for as long as that takes: what was delivered must not be sent again."""
        pauses = Backoff(0.1, 2.0, random.Random())
        while True:
            try:
                write()
                return
            except BrokerUnavailable:
                time.sleep(pauses.next_s())

    def _read_again(self, places: list[Place]) -> Message | None:
        """The event in the first of the entries that is still there."""
        found: list[Message] = []

        def read() -> None:
            for stream, entry_id in places:
                with self._broker.errors():
                    entries = cast(Any, self._broker.client.xrange(stream, entry_id, entry_id, count=1))
                for _, fields in entries:
                    message = decode_entry(StreamEntry("events", stream, entry_id, fields))
                    if message is not None:
                        found.append(message)
                        return

        self._persist(read)
        return found[0] if found else None
