"""The one table of Redis keys: who writes and reads each, how long it keeps things, what gives way when it is full.

Keys are `posebus:{S}:KIND:CAMERA` or `posebus:{S}:KIND`, where S is the camera's shard. The braces make S a Redis
Cluster hash tag: all keys of one shard share a slot, so that one MULTI can touch them all, and shards spread over the
nodes.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

WORKERS_GROUP = "workers"
TRACKERS_GROUP = "trackers"


@dataclass(frozen=True, slots=True)
class KeySpec:
    """One row of the table. `readers` names the consumer group where there is one."""

    kind: str
    holds: str
    writer: str
    readers: str
    retention: str
    overflow: str


KEYS = (
    KeySpec(
        "frames",
        "stream: pictures on their way to a worker",
        "ingest",
        f"workers (group {WORKERS_GROUP})",
        "deleted when its poses are committed",
        "lossless: ingest waits at max_backlog_bytes; live: the oldest undelivered frame is skipped",
    ),
    KeySpec(
        "poses",
        "stream: people in each frame, skipped frames, the end of a source",
        "workers; ingest for frames that it skipped",
        f"the camera's tracker (group {TRACKERS_GROUP})",
        "deleted when its tracks are committed",
        "lossless: ingest waits; live: the oldest go at retention.poses_bytes, told as a gap",
    ),
    KeySpec(
        "tracks",
        "stream: identities in each frame (JSON)",
        "the camera's tracker",
        "subscribers",
        "the newest retention.tracks_bytes, at most tracks_entries",
        "oldest entries go",
    ),
    KeySpec(
        "events",
        "stream: CloudEvents of all cameras of the shard (JSON)",
        "trackers, ingest",
        "subscribers",
        "the newest retention.events_bytes, at most events_entries",
        "oldest entries go",
    ),
    KeySpec(
        "dead",
        "stream: frames that could not be processed, with the reason",
        "workers",
        "people",
        "the newest retention.dead_bytes, at most dead_entries",
        "oldest entries go",
    ),
    KeySpec(
        "attempts",
        "hash: a frame that may bring workers down -> what was tried with it (JSON)",
        "workers",
        "workers",
        "until the frame is answered, an hour at most",
        "-",
    ),
    KeySpec(
        "reclaim_lock",
        "string: the worker that reclaims entries of workers that died",
        "workers",
        "workers",
        "expires",
        "-",
    ),
    KeySpec("cameras", "hash: camera -> how it is delivered (JSON)", "ingest", "everybody", "until removed", "-"),
    KeySpec("state", "string: a tracker's snapshot", "the camera's tracker", "its successor", "until removed", "-"),
    KeySpec(
        "plan",
        "hash: what the camera needs next, and what was decided about it and why (JSON)",
        "the camera's tracker",
        "the camera's ingest process, explain",
        "until removed",
        "-",
    ),
    KeySpec("lease", "string: who owns the camera", "the owner", "rivals", "expires", "-"),
    KeySpec("fence", "integer: last fencing token given out", "rivals for the lease", "rivals", "until removed", "-"),
    KeySpec("epoch", "integer: last epoch of the camera", "ingest", "ingest", "until removed", "-"),
    KeySpec(
        "checkpoint",
        "hash: how far the camera's source was published",
        "the camera's ingest process",
        "its successor",
        "until removed",
        "-",
    ),
    KeySpec(
        "processes",
        "hash: process -> its last report (JSON), shard 0 only",
        "every process",
        "top, doctor, run",
        "entries without a heartbeat are dropped by readers",
        "-",
    ),
)


@dataclass(frozen=True, slots=True)
class Topology:
    """Names keys for a deployment of `shards` shards."""

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

    def of_camera(self, camera: str) -> list[str]:
        """Every key that belongs to `camera` alone, to remove the camera without a trace."""
        streams = (self.frames, self.poses, self.tracks)
        kinds = (*streams, self.state, self.epoch, self.checkpoint, self.attempts, self.plan)
        plain = [key(camera) for key in kinds]
        roles = [key(camera, role) for key in (self.lease, self.fence) for role in ("tracker", "ingest")]
        return plain + roles
