"""The broker's wall clock may jump: noticing it, and what has to be put right then. Timeouts themselves are monotonic.

Redis dates stream entries and deliveries by its wall clock. When that goes back an hour, new entries keep the last date
(ids never fall), and what a dead consumer holds is idle for a negative time, thus reclaimed by nobody for an hour.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

import redis

from posebus.bus.redis.connection import Client

JUMP_MS = 1000.0
"""No clock drifts by this between two looks; a step by less only makes ages wrong by as much."""
RENEWED_AT_ONCE = 1000


class ClockWatch:
    """Compares a wall clock with the monotonic one. Pure: both are arguments, in milliseconds."""

    def __init__(self) -> None:
        self.offset_ms: float | None = None

    def look(self, wall_ms: float, monotonic_ms: float) -> float:
        """By how much the wall clock has jumped since the last look; 0 for what is no jump, and at the first look."""
        offset_ms = wall_ms - monotonic_ms
        moved_ms = 0.0 if self.offset_ms is None else offset_ms - self.offset_ms
        self.offset_ms = offset_ms
        return moved_ms if abs(moved_ms) > JUMP_MS else 0.0


class FrameAges:
    """How long frames have waited, by two witnesses that do not fail together.

    One is the date that the broker gave the entry. The other is the time of capture, which the monotonic clock carries
    on within an epoch, compared with when frames of this epoch used to arrive. A clock that jumped makes an age
    negative or longer, so where they disagree, the shorter one that is possible is right. Times are in milliseconds,
    `now_ms` is monotonic.
    """

    MAX_EPOCHS = 10_000

    def __init__(self) -> None:
        self._transit_ms: dict[tuple[str, int], float] = {}

    def age_ms(self, epoch: tuple[str, int], captured_ms: float, by_broker_ms: float | None, now_ms: float) -> float:
        """Age of a frame of (camera, epoch) that is `by_broker_ms` old by the date of its entry, None: it has none."""
        transit_ms = self._transit_ms.get(epoch)
        by_capture_ms = None if transit_ms is None else now_ms - captured_ms - transit_ms
        dated = by_broker_ms is not None and by_broker_ms >= -JUMP_MS
        if dated and by_broker_ms is not None and by_capture_ms is not None:
            if abs(by_broker_ms - by_capture_ms) <= JUMP_MS:
                # Slowly, since single frames are encoded and sent more or less quickly.
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
    """Count the idle time of all that is pending in `key` from now on, under the same consumers; returns how many.

    Deliveries count stays. `only_from_future`: leave alone what is idle for a positive time. What was acknowledged
    meanwhile does not come back.
    """
    renewed, first = 0, "-"
    while True:
        try:
            rows = cast(Any, client.xpending_range(key, group, first, "+", RENEWED_AT_ONCE))
        except redis.ResponseError as error:
            if not str(error).startswith("NOGROUP"):
                raise
            return renewed
        held: dict[bytes, list[bytes]] = {}
        for row in rows:
            if not only_from_future or row["time_since_delivered"] <= 0:
                held.setdefault(row["consumer"], []).append(row["message_id"])
        for consumer, ids in held.items():
            client.xclaim(key, group, consumer.decode(), 0, cast(Any, ids), justid=True)
            renewed += len(ids)
        if len(rows) < RENEWED_AT_ONCE:
            return renewed
        first = f"({rows[-1]['message_id'].decode()}"


def renew_all_deliveries(client: Client, keys: Iterable[str], group: str) -> int:
    """`renew_deliveries` of several streams, after the broker's clock went back."""
    return sum(renew_deliveries(client, key, group) for key in keys)
