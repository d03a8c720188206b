"""The table of all Redis keys: contents, writer, readers, retention, and what happens when a key is full.

Keys are `posebus:{S}:KIND:CAMERA` or `posebus:{S}:KIND`, where S is the camera's shard. The braces make S a Redis
Cluster hash tag: all keys of one shard are in one slot, so one MULTI can change all of them, and shards are distributed
over the nodes.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

WORKERS_GROUP = "workers"
TRACKERS_GROUP = "trackers"


@dataclass(frozen=True, slots=True)
class KeySpec:
    """One row of the table. `readers` includes the consumer group, if there is one."""

    kind: str
    holds: str
    writer: str
    readers: str
    retention: str
    overflow: str


KEYS = (
    KeySpec(
        kind="frames",
        holds="stream: frames that wait for a worker",
        writer="ingest; the wall for cameras of browsers",
        readers=f"workers (group {WORKERS_GROUP})",
        retention="deleted when its poses are committed",
        overflow="lossless: ingest waits at max_backlog_bytes; live: the oldest undelivered frame is skipped",
    ),
    KeySpec(
        kind="poses",
        holds="stream: people in each frame, skipped frames, the end of a source",
        writer="workers; ingest for frames that it skips; the wall for browsers that find poses",
        readers=f"the camera's tracker (group {TRACKERS_GROUP})",
        retention="deleted when its tracks are committed",
        overflow="lossless: ingest waits; live: the oldest are dropped at retention.poses_bytes and reported as a gap",
    ),
    KeySpec(
        kind="tracks",
        holds="stream: identities in each frame (JSON)",
        writer="the camera's tracker",
        readers="subscribers",
        retention="the newest retention.tracks_bytes, at most tracks_entries",
        overflow="the oldest entries are dropped",
    ),
    KeySpec(
        kind="events",
        holds="stream: CloudEvents of all cameras of the shard (JSON)",
        writer="trackers, ingest, rules",
        readers="subscribers",
        retention="the newest retention.events_bytes, at most events_entries",
        overflow="the oldest entries are dropped",
    ),
    KeySpec(
        kind="dead",
        holds="stream: frames that could not be processed, with the reason",
        writer="workers",
        readers="users (posebus dead)",
        retention="the newest retention.dead_bytes, at most dead_entries",
        overflow="the oldest entries are dropped",
    ),
    KeySpec(
        kind="attempts",
        holds="hash: a frame that may crash workers -> the attempts at it (JSON)",
        writer="workers",
        readers="workers",
        retention="until the frame's result is committed, at most an hour",
        overflow="-",
    ),
    KeySpec(
        kind="reclaim_lock",
        holds="string: the worker that reclaims pending entries of dead workers",
        writer="workers",
        readers="workers",
        retention="expires",
        overflow="-",
    ),
    KeySpec(
        kind="cameras",
        holds="hash: camera -> its delivery, source and policies (JSON)",
        writer="ingest",
        readers="all processes",
        retention="until the camera is removed",
        overflow="-",
    ),
    KeySpec(
        kind="state",
        holds="string: a tracker's snapshot",
        writer="the camera's tracker",
        readers="its successor",
        retention="until the camera is removed",
        overflow="-",
    ),
    KeySpec(
        kind="plan",
        holds="hash: how to infer the camera's next frames, and the decisions that led to it (JSON)",
        writer="the camera's tracker",
        readers="the camera's ingest process, posebus explain",
        retention="until the camera is removed",
        overflow="-",
    ),
    KeySpec(
        kind="lease",
        holds="string: the process that owns the camera",
        writer="the owner",
        readers="competing processes",
        retention="expires",
        overflow="-",
    ),
    KeySpec(
        kind="fence",
        holds="integer: the last fencing token",
        writer="processes that acquire the lease",
        readers="processes that acquire the lease",
        retention="until the camera is removed",
        overflow="-",
    ),
    KeySpec(
        kind="epoch",
        holds="integer: the last epoch of the camera",
        writer="ingest",
        readers="ingest",
        retention="until the camera is removed",
        overflow="-",
    ),
    KeySpec(
        kind="checkpoint",
        holds="hash: how far the camera's source was published",
        writer="the camera's ingest process",
        readers="its successor",
        retention="until the camera is removed",
        overflow="-",
    ),
    KeySpec(
        kind="evidence",
        holds="stream: the newest pictures of a camera, reduced; without evidence there is none",
        writer="ingest",
        readers="the evidence process, posebus evidence",
        retention="evidence.seconds and evidence.bytes of the camera; expires when no picture follows",
        overflow="the oldest pictures are dropped",
    ),
    KeySpec(
        kind="snapshot",
        holds="string: the picture of an event, with skeletons (JPEG), by camera and frame",
        writer="the evidence process",
        readers="subscribers (posebus.evidence)",
        retention="evidence.keep_s; expires",
        overflow="the camera's oldest are deleted at evidence.max_bytes",
    ),
    KeySpec(
        kind="snapshots",
        holds="stream: key and size of each snapshot of a camera",
        writer="the evidence process",
        readers="the evidence process",
        retention="like the snapshots; expires",
        overflow="-",
    ),
    KeySpec(
        kind="processes",
        holds="hash: process -> its last report (JSON), shard 0 only",
        writer="every process",
        readers="top, doctor, run",
        retention="readers drop entries without a heartbeat",
        overflow="-",
    ),
    KeySpec(
        kind="deliveries",
        holds="hash: event -> what became of it at a sink (JSON)",
        writer="the sink's process",
        readers="the sink's process, posebus explain",
        retention="a week, at most 20000 events",
        overflow="the oldest are dropped",
    ),
    KeySpec(
        kind="undelivered",
        holds="stream: events that a sink has given up, with the reason",
        writer="the sink's process",
        readers="users (posebus deliver --replay)",
        retention="the newest 1000",
        overflow="the oldest entries are dropped",
    ),
    KeySpec(
        kind="delivering",
        holds="string: the process that delivers for a sink, shard 0 only",
        writer="processes of the sink",
        readers="processes of the sink",
        retention="expires",
        overflow="-",
    ),
)


OF_SHARD = frozenset({"events", "dead", "reclaim_lock", "cameras", "processes"})
"""Kinds of keys of which a shard has one; of the others, each camera has one, or each sink."""
OF_SINK = frozenset({"deliveries", "undelivered", "delivering"})
"""Kinds of keys of which each sink has one in a shard."""


@dataclass(frozen=True, slots=True)
class Topology:
    """The names of all keys in a deployment with `shards` shards."""

    shards: int = 1

    def shard(self, camera: str) -> int:
        """The camera's shard: crc32 of its UTF-8 name modulo the number of shards."""
        return zlib.crc32(camera.encode()) % self.shards

    def _of_camera(self, kind: str, camera: str) -> str:
        return f"posebus:{{{self.shard(camera)}}}:{kind}:{camera}"

    def frames(self, camera: str) -> str:
        return self._of_camera("frames", camera)

    def poses(self, camera: str) -> str:
        return self._of_camera("poses", camera)

    def attempts(self, camera: str) -> str:
        return self._of_camera("attempts", camera)

    def tracks(self, camera: str) -> str:
        return self._of_camera("tracks", camera)

    def state(self, camera: str) -> str:
        return self._of_camera("state", camera)

    def lease(self, camera: str, role: str) -> str:
        return f"{self._of_camera('lease', camera)}:{role}"

    def fence(self, camera: str, role: str) -> str:
        return f"{self._of_camera('fence', camera)}:{role}"

    def epoch(self, camera: str) -> str:
        return self._of_camera("epoch", camera)

    def checkpoint(self, camera: str) -> str:
        return self._of_camera("checkpoint", camera)

    def plan(self, camera: str) -> str:
        return self._of_camera("plan", camera)

    def evidence(self, camera: str) -> str:
        return self._of_camera("evidence", camera)

    def snapshot(self, camera: str, epoch: int, seq: int) -> str:
        return f"{self._of_camera('snapshot', camera)}:{epoch}-{seq}"

    def snapshots(self, camera: str) -> str:
        return self._of_camera("snapshots", camera)

    def events(self, shard: int) -> str:
        return f"posebus:{{{shard}}}:events"

    def reclaim_lock(self, shard: int) -> str:
        return f"posebus:{{{shard}}}:reclaim_lock"

    def dead(self, shard: int) -> str:
        return f"posebus:{{{shard}}}:dead"

    def cameras(self, shard: int) -> str:
        return f"posebus:{{{shard}}}:cameras"

    def processes(self) -> str:
        return "posebus:{0}:processes"

    def deliveries(self, shard: int, sink: str) -> str:
        return f"posebus:{{{shard}}}:deliveries:{sink}"

    def undelivered(self, shard: int, sink: str) -> str:
        return f"posebus:{{{shard}}}:undelivered:{sink}"

    def delivering(self, sink: str) -> str:
        return f"posebus:{{0}}:delivering:{sink}"

    def of_camera(self, camera: str) -> list[str]:
        """All keys that belong to `camera` alone, but for its snapshots. Deleting them removes the camera."""
        streams = (self.frames, self.poses, self.tracks, self.evidence, self.snapshots)
        kinds = (*streams, self.state, self.epoch, self.checkpoint, self.attempts, self.plan)
        plain = [key(camera) for key in kinds]
        roles = [key(camera, role) for key in (self.lease, self.fence) for role in ("tracker", "ingest")]
        return plain + roles
