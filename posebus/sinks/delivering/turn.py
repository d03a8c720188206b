"""One process at a time delivers for a sink: a key that expires, which the others wait for."""

from __future__ import annotations

import os
import socket
from typing import cast

import redis

from posebus.bus.redis.connection import Broker

TTL_S = 10.0
RENEW_S = 2.0


class Turn:
    """The right to deliver for one sink, as of a monotonic time. Raises BrokerUnavailable and BrokerRefused.

    Two processes at once would send an event twice, and those of a track in any order.
    """

    def __init__(self, broker: Broker, sink: str) -> None:
        self._broker = broker
        self._key = broker.topology.delivering(sink)
        self._value = f"{socket.gethostname()}:{os.getpid()}".encode()
        self._renewed_at_s = float("-inf")
        self.lost = False
        """Whether it was held before and another process may have had it since; the owner resets it."""

    def held(self, now_s: float) -> bool:
        """Whether this process may send now, as far as it knows."""
        return now_s - self._renewed_at_s < 0.8 * TTL_S

    def take(self, now_s: float) -> bool:
        """Acquire or renew it if that is due; returns whether it is held."""
        if now_s - self._renewed_at_s < RENEW_S:
            return True
        had = self._renewed_at_s > float("-inf")
        with self._broker.errors(), self._broker.client.pipeline(transaction=True) as pipeline:
            pipeline.watch(self._key)  # type: ignore[no-untyped-call]
            owner = cast("bytes | None", pipeline.get(self._key))
            if owner is not None and owner != self._value and not _is_dead(owner):
                return False
            pipeline.multi()
            pipeline.set(self._key, self._value, px=int(TTL_S * 1000))
            try:
                pipeline.execute()
            except redis.WatchError:
                return False
        self.lost = self.lost or (had and owner != self._value)
        self._renewed_at_s = now_s
        return True

    def release(self) -> None:
        """Let another process deliver at once."""
        self._renewed_at_s = float("-inf")
        with self._broker.errors(), self._broker.client.pipeline(transaction=True) as pipeline:
            pipeline.watch(self._key)  # type: ignore[no-untyped-call]
            if pipeline.get(self._key) != self._value:
                return
            pipeline.multi()
            pipeline.delete(self._key)
            try:
                pipeline.execute()
            except redis.WatchError:
                return


def _is_dead(owner: bytes) -> bool:
    """Whether the owner was a process of this host that does not exist any more: it was killed."""
    host, _, pid = owner.decode(errors="replace").rpartition(":")
    if host != socket.gethostname() or not pid.isdecimal():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except (OSError, OverflowError):
        return False
    return False
