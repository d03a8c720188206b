"""What the broker's memory holds, and whether a bound is near."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from posebus.bus.redis.connection import Broker
from posebus.config.settings import RetentionSettings

KEYS_A_LOOK = 16
"""Streams that one look measures, in turn: in a deployment of a thousand cameras a look must stay cheap."""
NEAR = 0.8


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes. `limit_bytes` is the broker's maxmemory, None where it has none; `streams` by kind and camera ("" for
    those of a shard: the largest), as far as they were measured."""

    used_bytes: int | None = None
    limit_bytes: int | None = None
    streams: dict[tuple[str, str], int] = field(default_factory=dict)

    def warnings(self, retention: RetentionSettings) -> list[str]:
        """In words, what is near its bound, by the retention of these settings."""
        found = []
        if self.used_bytes is not None and self.limit_bytes and self.used_bytes > NEAR * self.limit_bytes:
            found.append(
                f"the broker uses {self.used_bytes / self.limit_bytes:.0%} of its memory; when it is full it refuses "
                "writes: raise maxmemory, or lower max_backlog_bytes and retention"
            )
        found += [
            f"{camera}: {size / 1e6:.1f} MB of poses wait for a tracker; a live camera's oldest go at "
            f"{retention.poses_bytes / 1e6:.1f} MB"
            for (kind, camera), size in sorted(self.streams.items())
            if kind == "poses" and size > NEAR * retention.poses_bytes
        ]
        if self.streams.get(("dead", ""), 0) > NEAR * retention.dead_bytes:
            found.append("the dead letters are near their bound; the oldest go, see 'retention.dead_bytes'")
        return found


class MemoryLook:
    """Asks again and again, for a few streams at a time, and remembers the rest."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._streams: dict[tuple[str, str], int] = {}
        self._turn = 0

    def look(self, cameras: Sequence[str]) -> Memory:
        """The memory now; what the broker does not let us see is left out. Raises BrokerUnavailable."""
        import redis

        topology, client = self._broker.topology, self._broker.client
        wanted = [("poses", name, topology.poses(name)) for name in cameras]
        wanted += [("tracks", name, topology.tracks(name)) for name in cameras]
        wanted += [("events", "", topology.events(shard)) for shard in range(topology.shards)]
        wanted += [("dead", "", topology.dead(shard)) for shard in range(topology.shards)]
        turn = [wanted[(self._turn + n) % len(wanted)] for n in range(min(KEYS_A_LOOK, len(wanted)))]
        self._turn = (self._turn + len(turn)) % len(wanted)
        known = {(kind, name) for kind, name, _ in wanted}
        self._streams = {place: size for place, size in self._streams.items() if place in known}
        try:
            with self._broker.errors():
                for kind, name, key in turn:
                    self._streams[kind, name] = client.memory_usage(key, samples=5) or 0
                info = client.info("memory")
        except redis.ResponseError:
            return Memory(streams=dict(self._streams))
        limit = int(info.get("maxmemory") or 0)
        return Memory(int(info["used_memory"]), limit or None, dict(self._streams))
