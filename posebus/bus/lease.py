"""Leases: exactly one owner at a time, by a key that expires and a fencing token that only grows.

The value of the key is `OWNER:TOKEN`. A process that commits for a camera checks inside the same transaction that the
value is still its own (`PoseConsumer.commit`), so a process that slept through its lease cannot write after its
successor.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import redis

from posebus.bus.redis.connection import Broker

RENEWED_AT_ONCE = 100
"""Redis 7 compares each key to watch with all watched keys: with a thousand at once, each costs three times as much."""


class Lease:
    """A lease on one camera and role. All methods raise BrokerUnavailable and BrokerRefused."""

    def __init__(self, broker: Broker, camera: str, role: str, owner: str, ttl_s: float) -> None:
        self.camera = camera
        self.key = broker.topology.lease(camera, role)
        self.token = 0
        self._broker = broker
        self._client = broker.client
        self._fence_key = broker.topology.fence(camera, role)
        self._owner = owner
        self.ttl_ms = int(ttl_s * 1000)

    @property
    def value(self) -> bytes:
        """The value of the key while this lease is held."""
        return f"{self._owner}:{self.token}".encode()

    def acquire(self) -> bool:
        """Try to become the owner; False if another process is."""
        with self._broker.errors():
            if not free(self._broker, [self]):
                return False
            token = self._client.incr(self._fence_key)
            if token <= self.token:
                # The broker has lost its memory. By an equal token, the owner would not notice that anything changed.
                token = self._client.incrby(self._fence_key, self.token + 1 - token)
            self.token = token
            return bool(self._client.set(self.key, self.value, nx=True, px=self.ttl_ms))

    def renew(self) -> bool:
        """Renew the lease; False if it was lost."""
        return self._if_ours(lambda pipeline: pipeline.pexpire(self.key, self.ttl_ms))

    def release(self) -> None:
        """Release the lease, if it is still held."""
        self._if_ours(lambda pipeline: pipeline.delete(self.key))

    def _if_ours(self, act: Callable[[Any], object]) -> bool:
        # Comparing and acting must be one step: otherwise a lease that expires in between would be renewed for its
        # successor, or deleted from it.
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


def free(broker: Broker, leases: Sequence[Lease]) -> list[Lease]:
    """Those of `leases` that are free. Raises BrokerUnavailable and BrokerRefused."""
    found: list[Lease] = []
    for same_shard in _by_shard(leases):
        with broker.errors():
            pipeline = broker.client.pipeline(transaction=False)
            for lease in same_shard:
                pipeline.exists(lease.key)
                # Redis expires keys by its wall clock. If that was set back by an hour, a dead owner would keep the
                # camera for an hour; a living one renews its lease long before this expires.
                pipeline.pexpire(lease.key, lease.ttl_ms, lt=True)
            answers = pipeline.execute()[::2]
        found += [lease for lease, exists in zip(same_shard, answers, strict=True) if not exists]
    return found


def renew_all(broker: Broker, leases: Sequence[Lease]) -> list[Lease]:
    """Renew `leases`; returns those that were lost. Raises BrokerUnavailable and BrokerRefused.

    RENEWED_AT_ONCE of a shard share a transaction: one by one, a tracker of hundreds of cameras would do little else.
    """
    lost: list[Lease] = []
    for same_shard in _by_shard(leases):
        for first in range(0, len(same_shard), RENEWED_AT_ONCE):
            lost += _renew_together(broker, same_shard[first : first + RENEWED_AT_ONCE])
    return lost


def _by_shard(leases: Sequence[Lease]) -> list[list[Lease]]:
    """The leases by their hash tag (up to the brace): in a Redis Cluster, one transaction may not touch two."""
    shards: dict[str, list[Lease]] = {}
    for lease in leases:
        shards.setdefault(lease.key.partition("}")[0], []).append(lease)
    return list(shards.values())


def _renew_together(broker: Broker, leases: Sequence[Lease]) -> list[Lease]:
    keys = [lease.key for lease in leases]
    with broker.errors(), broker.client.pipeline(transaction=True) as pipeline:
        pipeline.watch(*keys)  # type: ignore[no-untyped-call]
        values: Any = pipeline.mget(keys)
        ours = [lease.value == value for lease, value in zip(leases, values, strict=True)]
        pipeline.multi()
        for lease, is_ours in zip(leases, ours, strict=True):
            if is_ours:
                pipeline.pexpire(lease.key, lease.ttl_ms)
        try:
            pipeline.execute()
        except redis.WatchError:
            # One of them changed its owner at this moment; the others must still be renewed.
            return [lease for lease in leases if not lease.renew()]
    return [lease for lease, is_ours in zip(leases, ours, strict=True) if not is_ours]
