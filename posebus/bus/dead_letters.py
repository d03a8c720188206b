"""Dead letters: frames that could not be processed. They can be listed, retried and deleted."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from posebus.bus.frame_consumer import SUSPECT
from posebus.bus.reclaim import Attempt, attempts_from_json
from posebus.bus.redis.connection import Broker
from posebus.config.redaction import harmless
from posebus.contract.codec import decode_frame, decode_poses
from posebus.errors import MalformedMessage
from posebus.messages import Frame, PoseFrame, Skipped

PAGE = 100
BLOCK_MS = 200
OWN = b"dead_"
"""Prefix of the fields that were added when the frame was dead-lettered."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One dead-lettered frame. `frame` is None if the entry does not even identify it."""

    shard: int
    entry_id: str
    camera: str
    reason: str
    by: str
    attempts: tuple[Attempt, ...]
    frame: Frame | None
    fields: Mapping[bytes, bytes]

    @property
    def at_ns(self) -> int:
        """When it was dead-lettered, by the broker's clock (Unix ns)."""
        return int(self.entry_id.partition("-")[0]) * 1_000_000


@dataclass(frozen=True, slots=True)
class RetryResult:
    """The result of a retry. `kind` is `seen` (inferred, with `people` detections), `dead`, `skipped`, `waiting` (no
    worker has answered yet), or `answered` (but its tracker deleted the answer before it could be read)."""

    kind: str
    people: int = 0
    reason: str = ""


class DeadLetters:
    """The dead letters of a deployment. Raises BrokerUnavailable and BrokerRefused."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._client = broker.client
        self._topology = broker.topology

    def newest(self, camera: str | None = None) -> Iterator[DeadLetter]:
        """All letters, or those of one camera, the newest of each shard first."""
        shards = range(self._topology.shards) if camera is None else [self._topology.shard(camera)]
        for shard in shards:
            before = "+"
            while True:
                with self._broker.errors():
                    page = self._client.xrevrange(self._topology.dead(shard), before, "-", count=PAGE)
                for entry_id, fields in cast(Any, page):
                    letter = _letter(shard, entry_id, fields)
                    if camera in (None, letter.camera):
                        yield letter
                if len(cast(Any, page)) < PAGE:
                    break
                before = f"({cast(Any, page)[-1][0].decode()}"

    def find(self, entry_id: str) -> DeadLetter | None:
        """The letter with this id; None if there is none."""
        for shard in range(self._topology.shards):
            with self._broker.errors():
                found = cast(Any, self._client.xrange(self._topology.dead(shard), entry_id, entry_id, count=1))
            if found:
                return _letter(shard, *found[0])
        return None

    def drop(self, letter: DeadLetter) -> None:
        """Delete a letter; harmless if it is gone."""
        with self._broker.errors():
            self._client.xdel(self._topology.dead(letter.shard), letter.entry_id)

    def drop_all(self, camera: str) -> None:
        """Delete the letters of one camera."""
        for letter in self.newest(camera):
            self.drop(letter)

    def retry(self, letter: DeadLetter, wait_s: float) -> RetryResult:
        """Send the frame back to the workers, which process it alone, and wait up to `wait_s` for the result.

        Raises MalformedMessage for an entry that cannot be decoded or has no image.
        """
        frame = letter.frame
        if frame is None or not frame.data or frame.encoding == "shared":
            raise MalformedMessage(
                "it has no image that could be processed again", camera=letter.camera, entry_id=letter.entry_id
            )
        frames, poses = self._topology.frames(letter.camera), self._topology.poses(letter.camera)
        fields = {name: value for name, value in letter.fields.items() if not name.startswith(OWN)} | {SUSPECT: b"1"}
        with self._broker.errors():
            last_id = cast(Any, self._client.xinfo_stream(poses))["last-generated-id"]
            pipeline = self._client.pipeline(transaction=True)
            pipeline.xadd(frames, cast(Any, fields))
            pipeline.xdel(self._topology.dead(letter.shard), letter.entry_id)
            entry_id, _ = pipeline.execute()
            return self._await(frame, entry_id, last_id, time.monotonic() + wait_s)

    def knows(self, camera: str) -> bool:
        """Whether the camera is registered: workers read no frames of a camera that was removed."""
        with self._broker.errors():
            return bool(self._client.hexists(self._topology.cameras(self._topology.shard(camera)), camera))

    def _await(self, frame: Frame, entry_id: bytes, last_id: bytes, end_s: float) -> RetryResult:
        poses, frames = self._topology.poses(frame.camera), self._topology.frames(frame.camera)
        answered = False
        while not answered:
            # Read first: an answer that is not among the poses afterwards was deleted by the tracker.
            answered = not self._client.xrange(frames, entry_id, entry_id, count=1)
            reply = self._client.xread({poses: last_id}, block=BLOCK_MS)
            for _, entries in cast(Any, reply) or []:
                for _, raw in entries:
                    result = _result(frame, raw)
                    if result is not None:
                        return result
                last_id = entries[-1][0]
            if time.monotonic() > end_s and not answered:
                return RetryResult("waiting")
        again = next((one for one in self.newest(frame.camera) if _same(one.frame, frame)), None)
        return RetryResult("answered") if again is None else RetryResult("dead", reason=again.reason)


def _letter(shard: int, entry_id: bytes, fields: Mapping[bytes, bytes]) -> DeadLetter:
    def text(name: bytes) -> str:
        return harmless(fields.get(name, b"").decode(errors="replace"))

    try:
        body = decode_frame(fields)
    except MalformedMessage:
        body = None
    return DeadLetter(
        shard=shard,
        entry_id=entry_id.decode(),
        camera=text(b"dead_camera"),
        reason=text(b"dead_reason"),
        by=text(b"dead_by"),
        attempts=attempts_from_json(fields.get(b"dead_attempts")),
        frame=body if isinstance(body, Frame) else None,
        fields=fields,
    )


def _result(frame: Frame, raw: Mapping[bytes, bytes]) -> RetryResult | None:
    """The result for this frame in the entry `raw` of `poses`; None if that is about another frame."""
    try:
        body, _ = decode_poses(raw)
    except MalformedMessage:
        return None
    if (body.epoch, body.seq) != (frame.epoch, frame.seq):
        return None
    if isinstance(body, PoseFrame):
        return RetryResult("seen", people=len(body.scores))
    if isinstance(body, Skipped):
        on_purpose = body.reason in {"too old", "overtaken", "overflow"}
        return RetryResult("skipped" if on_purpose else "dead", reason=body.reason)
    return None


def _same(one: Frame | None, other: Frame) -> bool:
    return one is not None and (one.camera, one.epoch, one.seq) == (other.camera, other.epoch, other.seq)
