"""Subscribe to the public streams: typed messages, resumable, with or without a consumer group.

    for message in posebus.subscribe(cameras=["door"], kinds=("tracks", "events")):
        ...

Without `group`, a subscription receives all messages behind `after` and leaves no trace in the broker; resume it with
`subscription.cursor`. With `group`, the broker remembers the position, and all consumers of the group share it. A
message then counts as handled when the next one is requested, or when `acknowledge` is called; messages that a crashed
consumer did not acknowledge are delivered to another one.

A tracker may correct the numbers of earlier frames: `TrackFrame.renamed`. The kind `final_tracks` is for programs that
would rather wait: its frames have final numbers, and come when no correction can reach them any more, about two seconds
late.
"""

from __future__ import annotations

import math
import os
import random
import time
from collections import deque
from collections.abc import Iterator, Sequence
from datetime import datetime
from types import TracebackType
from typing import Any, Unpack, cast

import redis

from posebus.backoff import Backoff
from posebus.bus.redis.cluster import PartialReply
from posebus.bus.redis.connection import Broker, open_broker
from posebus.bus.redis.errors import group_is_missing
from posebus.bus.wall_clock import ClockWatch, renew_all_deliveries
from posebus.config.broker_address import default_address
from posebus.errors import BrokerUnavailable
from posebus.subscribing.filters import Filters, MessageFilter, kinds_of
from posebus.subscribing.final_tracks import FinalTracks
from posebus.subscribing.subscription import Message, StreamEntry, StreamSelection, decode_entry
from posebus.topology import Topology

DISCOVERY_S = 1.0
"""Seconds between two searches for new streams."""

SILENCE_S = 2.0
"""After this long without a message, the streams may have begun anew, below the position of the subscription."""
BLOCK_MS = 500
FETCHED_AT_ONCE = 4000
"""Maximum number of messages of all streams together in one reply; at least one of each stream."""
RECLAIM_S = 30.0
"""Messages that a consumer has not acknowledged for this long are delivered to another consumer of its group."""
RETRY_MIN_S = 0.2
RETRY_MAX_S = 5.0


def subscribe(
    url: str | None = None,
    *,
    cameras: Sequence[str] | None = None,
    kinds: Sequence[str] | None = None,
    after: str | datetime = "now",
    group: str | None = None,
    consumer: str = "consumer",
    shards: int = 1,
    outage_limit_s: float | None = None,
    **filters: Unpack[Filters],
) -> Subscription:
    """Subscribe to streams of a deployment; iterate over the result.

    Args:
        url: address of the broker (redis://, rediss://, unix://); None means the address in the environment variable
            POSEBUS_REDIS, or else the broker of `posebus up` on this machine.
        cameras: names of cameras; None means all, including those that are added later.
        kinds: any of `tracks`, `events`, `poses`; or `final_tracks` instead of `tracks`, not with `group`. None means
            tracks and events; with `types` or `rules`, events alone.
        after: `now`, `start` (all messages that the broker still has), a time by the broker's clock (datetime, or ISO
            8601 such as `2026-12-01T05:00:00Z`; without a zone, that of this machine) whose messages are the first, or
            the `cursor` of an earlier subscription. A stream that has begun anew below the cursor, because the broker
            lost its memory, is read from its start.
        group: name of a durable consumer group; `after` is then used only if the group is new.
        consumer: name of this consumer within the group; no two running consumers may share one.
        shards: as in the deployment's settings.
        outage_limit_s: while iterating, outages of the broker are waited for up to this time; None means for ever.
        **filters: `types`, `rules` and `tracks`, lists of which None means all. types: types of events, such as
            `posebus.fall.detected`, or with a `*` at the end all that begin so; rules: names of rules; both choose
            among events. tracks: numbers of tracks, of every selected camera: events about them, and frames that have
            one of them, without their other tracks.

    Raises:
        BrokerUnavailable: the broker cannot be reached; while iterating, only after `outage_limit_s`.
        BrokerRefused: the broker refuses to serve, for example because of a wrong password.
        ValueError: unknown or contradictory kinds or filters, an invalid camera name, or an invalid `after`.
    """
    kinds = kinds_of(kinds, filters)
    only = MessageFilter.checked(kinds, filters)
    streams = StreamSelection(cameras=cameras, kinds=kinds, after=after, topology=Topology(shards), group=group)
    address = default_address(os.environ) if url is None else url
    return Subscription(open_broker(address, shards), streams, consumer, outage_limit_s, only=only)


class Subscription:
    """An endless iterator of messages. Close it, or use it in a `with` statement, to free its connection."""

    def __init__(
        self,
        broker: Broker,
        streams: StreamSelection,
        consumer: str,
        outage_limit_s: float | None = None,
        *,
        resume_own: bool = False,
        only: MessageFilter | None = None,
    ) -> None:
        """`resume_own`: begin with what a consumer of this name and group has not acknowledged, in its last life.

        `only`: which messages of the streams are given out; None: all.
        """
        self._broker = broker
        self._client = broker.client
        self._streams = streams
        self._outage_limit_s = math.inf if outage_limit_s is None else outage_limit_s
        self._consumer = consumer
        self._resume_from: dict[str, str] | None = {} if resume_own and streams.group is not None else None
        """Where each stream is read among the entries that are pending for this consumer; None: they are done with."""
        self._only = MessageFilter() if only is None else only
        self._closed = False
        self._final = FinalTracks()
        self._ready: deque[Message] = deque()
        self._discovered_at_s = -1e9
        self._reclaimed_at_s = self._heard_at_s = time.monotonic()
        self._clock = ClockWatch()
        self._retries = Backoff(RETRY_MIN_S, RETRY_MAX_S, random.Random())
        self._discover(time.monotonic())

    @property
    def cursor(self) -> str:
        """Position behind the last message that was yielded: `after` of a later subscription. Unused with `group`."""
        return self._streams.cursor

    def __iter__(self) -> Iterator[Message]:
        while not self._closed:
            for message in self.poll():
                yield message
                self.acknowledge(message)

    def poll(self, timeout_s: float = BLOCK_MS / 1000) -> Iterator[Message]:
        """Yield the messages that are available now or within about `timeout_s`, then end, and so allow other work.

        With `group`, call `acknowledge` for each message that you have handled.
        """
        if self._streams.holds_back:
            yield from self._poll_final(timeout_s)
            return
        for entry in self._fetch(timeout_s):
            message = self._chosen(decode_entry(entry))
            self._streams.passed(entry.stream, entry.entry_id)
            if message is not None:
                yield message
            else:
                # The caller never gets this entry and cannot acknowledge it; it would be delivered again and again.
                self._acknowledge_entry(entry.stream, entry.entry_id)

    def _poll_final(self, timeout_s: float) -> Iterator[Message]:
        """The same with `final_tracks`: the streams are read further than the cursor, which follows what is yielded."""
        yield from self._yield_ready()
        began_at_s = time.monotonic()
        for entry in self._fetch(timeout_s):
            self._streams.fetched(entry)
            message = decode_entry(entry)
            if message is not None:
                self._ready.extend(self._final.add(message, time.monotonic()))
                yield from self._yield_ready()
        self._ready.extend(self._final.due(time.monotonic(), began_at_s))
        yield from self._yield_ready()

    def _yield_ready(self) -> Iterator[Message]:
        while self._ready:
            message = self._ready.popleft()
            self._streams.passed(message.stream, message.id)
            chosen = self._chosen(message)
            if chosen is not None:
                yield chosen

    def _chosen(self, message: Message | None) -> Message | None:
        """The part of a message that the subscriber asked for, if any."""
        if message is None or not self._streams.wants(message):
            return None
        return self._only.apply(message)

    def acknowledge(self, message: Message) -> None:
        """Mark `message` as handled, so that it is not delivered again; does nothing without `group`."""
        self._acknowledge_entry(message.stream, message.id)

    def close(self) -> None:
        """Close the connection and end the iteration."""
        self._closed = True
        self._client.close()

    def __enter__(self) -> Subscription:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _acknowledge_entry(self, stream: str, entry_id: str) -> None:
        if self._streams.group is not None:
            with self._broker.errors():
                self._client.xack(stream, self._streams.group, entry_id)

    def _fetch(self, timeout_s: float) -> list[StreamEntry]:
        self._retries.reset()
        began_at_s = time.monotonic()
        while not self._closed:
            try:
                with self._broker.errors():
                    return self._fetch_once(timeout_s)
            except BrokerUnavailable:
                if time.monotonic() - began_at_s > self._outage_limit_s:
                    raise
                time.sleep(self._retries.next_s())
        return []

    def _fetch_once(self, timeout_s: float) -> list[StreamEntry]:
        now_s = time.monotonic()
        if now_s - self._discovered_at_s > DISCOVERY_S:
            self._discover(now_s)
        block_ms = max(1, int(1000 * min(timeout_s, DISCOVERY_S)))
        positions = self._streams.read_from()
        if not positions:
            time.sleep(block_ms / 1000)
            return []
        if self._streams.group is None:
            count = max(1, min(200, FETCHED_AT_ONCE // len(positions)))
            entries = self._streams.entries(self._client.xread(cast(Any, positions), count=count, block=block_ms))
            self._check_silence(now_s, silent=not entries)
            return entries
        try:
            own = self._read_own(self._streams.group, positions)
            return own or self._reclaim(now_s) or self._read_group(self._streams.group, positions, block_ms)
        except redis.ResponseError as error:
            if not group_is_missing(error):
                raise
            self._streams.discover_again(self._client)
            return []

    def _read_group(self, group: str, positions: dict[str, str], block_ms: int) -> list[StreamEntry]:
        reply = self._client.xreadgroup(
            group,
            self._consumer,
            cast(Any, positions),
            count=max(1, min(50, FETCHED_AT_ONCE // len(positions))),
            block=block_ms,
        )
        entries = self._streams.entries(reply)
        if isinstance(reply, PartialReply) and reply.error is not None and group_is_missing(reply.error):
            self._streams.discover_again(self._client)
        return entries

    def _read_own(self, group: str, positions: dict[str, str]) -> list[StreamEntry]:
        """The next entries that are pending for this consumer; a position instead of ">" asks for them."""
        if self._resume_from is None:
            return []
        after: Any = {stream: self._resume_from.get(stream, "0") for stream in positions}
        found = self._streams.entries(self._client.xreadgroup(group, self._consumer, after, count=50))
        self._resume_from.update({entry.stream: entry.entry_id for entry in found})
        if not found:
            self._resume_from = None
        return found

    def _check_silence(self, now_s: float, *, silent: bool) -> None:
        if not silent:
            self._heard_at_s = now_s
        elif now_s - self._heard_at_s > SILENCE_S:
            self._heard_at_s = now_s
            self._streams.rewind_restarted(self._client)

    def _discover(self, now_s: float) -> None:
        with self._broker.errors():
            self._streams.discover(self._client, first=self._discovered_at_s < 0)
        self._discovered_at_s = now_s

    def _reclaim(self, now_s: float) -> list[StreamEntry]:
        if self._streams.group is None or now_s - self._reclaimed_at_s < RECLAIM_S:
            return []
        self._reclaimed_at_s = now_s
        found: list[StreamEntry] = []
        streams = self._streams.read_from()
        if self._clock.jump_ms(self._broker.now_ns() / 1e6, now_s * 1000) < 0:
            renew_all_deliveries(self._client, streams, self._streams.group)
        for stream in streams:
            reply = self._client.xautoclaim(
                stream, self._streams.group, self._consumer, min_idle_time=int(RECLAIM_S * 1000), count=50
            )
            found += self._streams.entries([(stream.encode(), reply[1])])
        return found
