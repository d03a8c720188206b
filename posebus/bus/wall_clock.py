"""Jumps of the broker's wall clock: how they are noticed, and what is repaired. Timeouts themselves are monotonic.

Redis dates stream entries and deliveries by its wall clock. When the clock goes back an hour, new entries keep the last
date (ids never decrease), and the pending entries of a dead consumer have a negative idle time, so that no consumer
reclaims them for an hour.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any, cast

import redis

from posebus.bus.redis.connection import Broker, Client
from posebus.bus.redis.errors import group_is_missing

JUMP_MS = 1000.0
"""No clock drifts by this between two comparisons; a smaller step makes ages wrong by no more than itself."""
RENEWED_AT_ONCE = 1000


def unix_us(broker: Broker) -> int:
    """The Unix time in µs by the later of two clocks, the broker's and ours: one that is wrong is seldom ahead."""
    return max(broker.now_ns(), time.time_ns()) // 1_000


class ClockWatch:
    """Compares a wall clock with the monotonic one. Pure: both are arguments, in milliseconds."""

    def __init__(self) -> None:
        self.offset_ms: float | None = None

    def jump_ms(self, wall_ms: float, monotonic_ms: float) -> float:
        """How far the wall clock has jumped since the last call; 0 for less than JUMP_MS, and for the first call."""
        offset_ms = wall_ms - monotonic_ms
        moved_ms = 0.0 if self.offset_ms is None else offset_ms - self.offset_ms
        self.offset_ms = offset_ms
        return moved_ms if abs(moved_ms) > JUMP_MS else 0.0


class FrameAges:
    """How long frames have waited, estimated in two ways that do not fail together.

    One is the date that the broker gave the entry. The other is the time of capture, which follows a monotonic clock
    within an epoch, plus the usual transit time of this epoch's frames. A clock that jumped makes an age negative or
    too long, so where they disagree, the shorter one that is not negative is right. Times are in milliseconds,
    `now_ms` is monotonic.
    """

    MAX_EPOCHS = 10_000

    def __init__(self) -> None:
        self._transit_ms: dict[tuple[str, int], float] = {}

    def age_ms(self, epoch: tuple[str, int], captured_ms: float, by_broker_ms: float | None, now_ms: float) -> float:
        """Age of a frame of (camera, epoch); `by_broker_ms`: by the date of its entry, None without one."""
        transit_ms = self._transit_ms.get(epoch)
        by_capture_ms = None if transit_ms is None else now_ms - captured_ms - transit_ms
        dated = by_broker_ms is not None and by_broker_ms >= -JUMP_MS
        if dated and by_broker_ms is not None and by_capture_ms is not None:
            if abs(by_broker_ms - by_capture_ms) <= JUMP_MS:
                # Slowly, since encoding and sending take more or less time for single frames.
                self._learn(epoch, (transit_ms or 0.0) + 0.02 * (by_capture_ms - by_broker_ms))
                return max(0.0, by_broker_ms)
            if 0 <= by_capture_ms < by_broker_ms:
                return by_capture_ms
        elif by_capture_ms is not None and by_capture_ms >= 0:
            return by_capture_ms
        age_ms = max(0.0, by_broker_ms) if dated and by_broker_ms is not None else 0.0
        self._learn(epoch, now_ms - captured_ms - age_ms)
        return age_ms

    def _learn(self, epoch: tuple[str, int], transit_ms: float) -> None:
        if epoch not in self._transit_ms and len(self._transit_ms) >= self.MAX_EPOCHS:
            del self._transit_ms[next(iter(self._transit_ms))]
        self._transit_ms[epoch] = transit_ms


def renew_deliveries(client: Client, key: str, group: str, *, only_from_future: bool = False) -> int:
    """Restart the idle time of all pending entries of `key`, under the same consumers; returns how many there were.

    Their delivery counts stay. `only_from_future`: only entries whose idle time is not positive. Entries that are
    acknowledged in the meantime do not come back.
    """
    renewed, first = 0, "-"
    while True:
        try:
            rows = cast(Any, client.xpending_range(key, group, first, "+", RENEWED_AT_ONCE))
        except redis.ResponseError as error:
            if not group_is_missing(error):
                raise
            return renewed
        by_consumer: dict[bytes, list[bytes]] = {}
        for row in rows:
            if not only_from_future or row["time_since_delivered"] <= 0:
                by_consumer.setdefault(row["consumer"], []).append(row["message_id"])
        for consumer, ids in by_consumer.items():
            client.xclaim(key, group, consumer.decode(), 0, cast(Any, ids), justid=True)
            renewed += len(ids)
        if len(rows) < RENEWED_AT_ONCE:
            return renewed
        first = f"({rows[-1]['message_id'].decode()}"


def renew_all_deliveries(client: Client, keys: Iterable[str], group: str) -> int:
    """`renew_deliveries` for several streams; call it after the broker's clock went back."""
    return sum(renew_deliveries(client, key, group) for key in keys)
