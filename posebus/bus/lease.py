"""Exactly one owner at a time: a key that expires, with a fencing token that only ever grows.

The value of the key is `OWNER:TOKEN`. Whoever commits for a camera checks, inside the same transaction, that the value
is still its own (`PoseConsumer.commit`), so a process that slept through its lease cannot write after its successor.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import redis

from posebus.bus.redis.connection import Broker

RENEWED_AT_ONCE = 100
"""Redis 7 compares each key to watch with all that are watched already: of a thousand at once, each costs thrice."""


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
        """What stands in the key while this lease is held."""
        return f"{self._owner}:{self.token}".encode()

    def acquire(self) -> bool:
        """Try to become the owner; False if somebody else is."""
        with self._broker.errors():
            if not free(self._broker, [self]):
                return False
            self.token = self._client.incr(self._fence_key)
            return bool(self._client.set(self.key, self.value, nx=True, px=self.ttl_ms))

    def renew(self) -> bool:
        """Prolong the lease; False if it is not ours any more."""
        return self._if_ours(lambda pipeline: pipeline.pexpire(self.key, self.ttl_ms))

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


def free(broker: Broker, leases: Sequence[Lease]) -> list[Lease]:
    """Those of `leases` that nobody has. Raises BrokerUnavailable and BrokerRefused."""
    nobodys: list[Lease] = []
    for same_shard in _by_shard(leases):
        with broker.errors():
            pipeline = broker.client.pipeline(transaction=False)
            for lease in same_shard:
                pipeline.exists(lease.key)
                # Redis lets keys expire by its wall clock. Had that been set back by an hour, a dead owner would keep
                # the camera for an hour; a living one renews its lease long before this runs out.
                pipeline.pexpire(lease.key, lease.ttl_ms, lt=True)
            answers = pipeline.execute()[::2]
        nobodys += [lease for lease, exists in zip(same_shard, answers, strict=True) if not exists]
    return nobodys


def renew_all(broker: Broker, leases: Sequence[Lease]) -> list[Lease]:
    """Prolong `leases`; returns those that are not ours any more. Raises BrokerUnavailable and BrokerRefused.

    RENEWED_AT_ONCE of a shard in one transaction: one by one, a tracker of hundreds of cameras would do little else.
    """
    lost: list[Lease] = []
    for same_shard in _by_shard(leases):
        for first in range(0, len(same_shard), RENEWED_AT_ONCE):
            lost += _renew_together(broker, same_shard[first : first + RENEWED_AT_ONCE])
    return lost


def _by_shard(leases: Sequence[Lease]) -> list[list[Lease]]:
    """Up to the brace is the hash tag: one transaction may not touch two of them in a Redis Cluster."""
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
            # One of them changed hands this very moment; the others must not pay for it.
            return [lease for lease in leases if not lease.renew()]
    return [lease for lease, is_ours in zip(leases, ours, strict=True) if not is_ours]
