"""Exactly one owner at a time: a key that expires, with a fencing token that only ever grows.

The value of the key is `OWNER:TOKEN`. Whoever commits for a camera checks, inside the same transaction, that the value
is still its own (`PoseReader.commit`), so a process that slept through its lease cannot write after its successor.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import redis

from posebus.bus.connection import Broker


class Lease:
    """A lease on one camera and role. All methods raise BrokerUnavailable and BrokerRefused."""

    def __init__(self, broker: Broker, camera: str, role: str, owner: str, ttl_s: float) -> None:
        self.key = broker.topology.lease(camera, role)
        self.token = 0
        self._broker = broker
        self._client = broker.client
        self._fence_key = broker.topology.fence(camera, role)
        self._owner = owner
        self._ttl_ms = int(ttl_s * 1000)

    @property
    def value(self) -> bytes:
        """What stands in the key while this lease is held."""
        return f"{self._owner}:{self.token}".encode()

    def acquire(self) -> bool:
        """Try to become the owner; False if somebody else is."""
        with self._broker.errors():
            if self._client.exists(self.key):
                return False
            self.token = self._client.incr(self._fence_key)
            return bool(self._client.set(self.key, self.value, nx=True, px=self._ttl_ms))

    def renew(self) -> bool:
        """Prolong the lease; False if it is not ours any more."""
        return self._if_ours(lambda pipeline: pipeline.pexpire(self.key, self._ttl_ms))

    def release(self) -> None:
        """Give the lease back at once, if it is still ours."""
        self._if_ours(lambda pipeline: pipeline.delete(self.key))

    def _if_ours(self, act: Callable[[Any], object]) -> bool:
        # Compare and act must be one step, or a lease that expires in between would be prolonged for, or taken from,
        # its successor.
        with self._broker.errors(), self._client.pipeline(transaction=True) as pipeline:
            pipeline.watch(self.key)  # type: ignore[no-untyped-call]
            if pipeline.get(self.key) != self.value:
                return False
            pipeline.multi()
            act(pipeline)
            try:
                pipeline.execute()
            except redis.WatchError:
                return False
            return True
