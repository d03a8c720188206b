"""Following the public streams: typed messages, resumable, with or without a consumer group.

    for message in posebus.subscribe("redis://localhost:6379", cameras=["door"], kinds=("tracks", "events")):
        ...

Without `group` a subscription sees everything from `after` on and leaves no trace in the broker; `subscription.cursor`
is where to resume. With `group` the broker remembers (durable, shared among consumers of the same group): a message
counts as handled when the next one is asked for, or when `acknowledge` is called; what a crashed consumer left is
handed to another one.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Any, cast

from posebus.backoff import Backoff
from posebus.bus.redis.connection import Broker, open_broker
from posebus.bus.wall_clock import ClockWatch, renew_all_deliveries
from posebus.errors import BrokerUnavailable
from posebus.subscribing.subscription import KINDS, Message, Plan, StreamEntry, decode_entry
from posebus.topology import Topology

__all__ = ["KINDS", "Message", "Subscription", "subscribe"]

DISCOVERY_S = 1.0
"""How often new cameras are looked for when a subscription follows all of them."""

BLOCK_MS = 500
FETCHED_AT_ONCE = 4000
"""Messages of all streams that one answer brings at most; of a thousand streams, one each."""
RECLAIM_S = 30.0
RETRY_MIN_S = 0.2
RETRY_MAX_S = 5.0


def subscribe(
    url: str,
    *,
    cameras: Sequence[str] | None = None,
    kinds: Sequence[str] = ("tracks", "events"),
    after: str = "now",
    group: str | None = None,
    consumer: str = "consumer",
    shards: int = 1,
    outage_limit_s: float | None = None,
) -> Subscription:
    """Follow streams of a deployment; iterate over the result.

    Args:
        url: the broker (redis://, rediss://, unix://).
        cameras: names to follow; None follows all, also those that are added later.
        kinds: any of `tracks`, `events`, `poses`.
        after: `now`, `start` (everything that the broker still has), or a `cursor` of an earlier subscription.
        group: name of a durable consumer group; `after` then only says where a new group begins.
        consumer: name of this consumer in the group; two running consumers must differ.
        shards: as in the deployment's settings.
        outage_limit_s: how long an outage of the broker is waited out once iteration has begun; None is for ever.

    Raises:
        BrokerUnavailable, BrokerRefused: the broker cannot be reached now, or refuses; while iterating only after
            `outage_limit_s`.
        ValueError: an unknown kind, or a cursor that is none.
    """
    plan = Plan(cameras, kinds, after, Topology(shards), group)
    return Subscription(open_broker(url, shards), plan, consumer, outage_limit_s)


class Subscription:
    """An endless iterator of messages. Close it, or use it in a `with`, to free its connection."""

    def __init__(self, broker: Broker, plan: Plan, consumer: str, outage_limit_s: float | None = None) -> None:
        self._broker = broker
        self._client = broker.client
        self._plan = plan
        self._outage_limit_s = math.inf if outage_limit_s is None else outage_limit_s
        self._consumer = consumer
        self._closed = False
        self._discovered_at_s = -1e9
        self._reclaimed_at_s = time.monotonic()
        self._clock = ClockWatch()
        self._backoff = Backoff(RETRY_MIN_S, RETRY_MAX_S, random.Random())
        self._discover(time.monotonic())

    @property
    def cursor(self) -> str:
        """Pass this as `after` to go on behind the last message that was yielded (not used with `group`)."""
        return self._plan.cursor

    def __iter__(self) -> Iterator[Message]:
        while not self._closed:
            for message in self.poll():
                yield message
                self.acknowledge(message)

    def poll(self, timeout_s: float = BLOCK_MS / 1000) -> Iterator[Message]:
        """Messages that are there now, or that come within about `timeout_s`; ends then, so that one can do other work.

        With `group`, call `acknowledge` for each message that was handled.
        """
        for entry in self._fetch(timeout_s):
            message = decode_entry(entry)
            self._plan.passed(entry)
            if message is not None and self._plan.wants(message):
                yield message
            else:
                # Filtered out or not readable: nobody will acknowledge it, and it must not come round for ever.
                self._acknowledge_entry(entry.stream, entry.entry_id)

    def acknowledge(self, message: Message) -> None:
        """Tell the broker that `message` needs not be handed out again; does nothing without `group`."""
        self._acknowledge_entry(message.stream, message.id)

    def close(self) -> None:
        self._closed = True
        self._client.close()

    def __enter__(self) -> Subscription:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _acknowledge_entry(self, stream: str, entry_id: str) -> None:
        if self._plan.group is not None:
            with self._broker.errors():
                self._client.xack(stream, self._plan.group, entry_id)

    def _fetch(self, timeout_s: float) -> list[StreamEntry]:
        began_at_s = time.monotonic()
        while not self._closed:
            try:
                with self._broker.errors():
                    entries = self._fetch_once(timeout_s)
            except BrokerUnavailable:
                if time.monotonic() - began_at_s > self._outage_limit_s:
                    raise
                time.sleep(self._backoff.next_s())
            else:
                self._backoff.reset()
                return entries
        return []

    def _fetch_once(self, timeout_s: float) -> list[StreamEntry]:
        now_s = time.monotonic()
        if now_s - self._discovered_at_s > DISCOVERY_S:
            self._discover(now_s)
        block_ms = max(1, int(1000 * min(timeout_s, DISCOVERY_S)))
        positions = self._plan.read_from()
        if not positions:
            time.sleep(block_ms / 1000)
            return []
        if self._plan.group is None:
            count = max(1, min(200, FETCHED_AT_ONCE // len(positions)))
            return self._plan.entries(self._client.xread(cast(Any, positions), count=count, block=block_ms))
        reclaimed = self._reclaim(now_s)
        if reclaimed:
            return reclaimed
        reply = self._client.xreadgroup(
            self._plan.group,
            self._consumer,
            cast(Any, positions),
            count=max(1, min(50, FETCHED_AT_ONCE // len(positions))),
            block=block_ms,
        )
        return self._plan.entries(reply)

    def _discover(self, now_s: float) -> None:
        with self._broker.errors():
            self._plan.discover(self._client, first=self._discovered_at_s < 0)
        self._discovered_at_s = now_s

    def _reclaim(self, now_s: float) -> list[StreamEntry]:
        if self._plan.group is None or now_s - self._reclaimed_at_s < RECLAIM_S:
            return []
        self._reclaimed_at_s = now_s
        found: list[StreamEntry] = []
        streams = self._plan.read_from()
        if self._clock.jump_ms(self._broker.now_ns() / 1e6, now_s * 1000) < 0:
            renew_all_deliveries(self._client, streams, self._plan.group)
        for stream in streams:
            reply = self._client.xautoclaim(
                stream, self._plan.group, self._consumer, min_idle_time=int(RECLAIM_S * 1000), count=50
            )
            found += self._plan.entries([(stream.encode(), reply[1])])
        return found
