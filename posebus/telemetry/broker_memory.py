"""How much of the broker's memory each stream uses, and warnings where a bound is near."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from posebus.bus.redis.connection import Broker
from posebus.config.settings import RetentionSettings

KEYS_A_SAMPLE = 16
"""Streams that one sample measures, in turn, so that a sample stays cheap with a thousand cameras."""
NEAR = 0.8


@dataclass(frozen=True, slots=True)
class BrokerMemory:
    """Sizes in bytes. `limit_bytes` is the broker's maxmemory, None without one. `streams`: by kind and camera, as far
    as they were measured; the camera is "" for the largest of the shards' streams."""

    used_bytes: int | None = None
    limit_bytes: int | None = None
    streams: dict[tuple[str, str], int] = field(default_factory=dict)

    def warnings(self, retention: RetentionSettings) -> list[str]:
        """A sentence for everything that is near its bound in `retention`."""
        found = []
        if self.used_bytes is not None and self.limit_bytes and self.used_bytes > NEAR * self.limit_bytes:
            found.append(
                f"the broker uses {self.used_bytes / self.limit_bytes:.0%} of its memory; when it is full it refuses "
                "writes: raise maxmemory, or lower max_backlog_bytes and retention"
            )
        found += [
            f"{camera}: {size / 1e6:.1f} MB of poses wait for a tracker; a live camera's oldest are deleted at "
            f"{retention.poses_bytes / 1e6:.1f} MB"
            for (kind, camera), size in sorted(self.streams.items())
            if kind == "poses" and size > NEAR * retention.poses_bytes
        ]
        if self.streams.get(("dead", ""), 0) > NEAR * retention.dead_bytes:
            found.append("the dead letters are near their bound; the oldest are deleted, see 'retention.dead_bytes'")
        return found


def read_memory(broker: Broker) -> dict[str, tuple[int, int | None]]:
    """(bytes used, maxmemory or None) of each server of the broker by its address, as far as this user may ask.

    A server that does not answer is left out.
    """
    import redis

    found = {}
    for where, client in broker.servers().items():
        try:
            info = client.info("memory")
        except redis.RedisError:
            continue
        found[where] = int(info["used_memory"]), int(info.get("maxmemory") or 0) or None
    return found


class MemorySampler:
    """Measures a few streams at a time, in turn, and remembers the sizes of the others."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._streams: dict[tuple[str, str], int] = {}
        self._next = 0

    def sample(self, cameras: Sequence[str]) -> BrokerMemory:
        """The memory now. Sizes that the broker refuses to tell are left out. Raises BrokerUnavailable."""
        import redis

        topology, client = self._broker.topology, self._broker.client
        wanted = [("poses", name, topology.poses(name)) for name in cameras]
        wanted += [("tracks", name, topology.tracks(name)) for name in cameras]
        wanted += [("events", "", topology.events(shard)) for shard in range(topology.shards)]
        wanted += [("dead", "", topology.dead(shard)) for shard in range(topology.shards)]
        sampled = [wanted[(self._next + n) % len(wanted)] for n in range(min(KEYS_A_SAMPLE, len(wanted)))]
        self._next = (self._next + len(sampled)) % len(wanted)
        known = {(kind, name) for kind, name, _ in wanted}
        self._streams = {stream: size for stream, size in self._streams.items() if stream in known}
        try:
            with self._broker.errors():
                for kind, name, key in sampled:
                    self._streams[kind, name] = client.memory_usage(key, samples=5) or 0
                info = client.info("memory")
        except redis.ResponseError:
            return BrokerMemory(streams=dict(self._streams))
        limit = int(info.get("maxmemory") or 0)
        return BrokerMemory(int(info["used_memory"]), limit or None, dict(self._streams))
