"""Frames that were put aside: to look at, to try again, to throw away."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from posebus.bus.frame_consumer import SUSPECT
from posebus.bus.reclaim import Attempt, attempts_from_json
from posebus.bus.redis.connection import Broker
from posebus.contract.codec import decode_frame, decode_poses
from posebus.errors import MalformedMessage
from posebus.messages import Frame, PoseFrame, Skipped

PAGE = 100
BLOCK_MS = 200
OWN = b"dead_"
"""How the fields begin that were added when the frame was put aside."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One frame that was put aside. `frame` is None where the entry does not even say which one it was."""

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
        """When it was put aside, by the broker's clock (Unix ns)."""
        return int(self.entry_id.partition("-")[0]) * 1_000_000


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of trying again: `kind` is `seen` (with that many people), `dead`, `skipped`, `answered` (and nobody
    knows how: its tracker was quicker than we), or `waiting`."""

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
        """The letter of this id; None where there is none."""
        for shard in range(self._topology.shards):
            with self._broker.errors():
                found = cast(Any, self._client.xrange(self._topology.dead(shard), entry_id, entry_id, count=1))
            if found:
                return _letter(shard, *found[0])
        return None

    def drop(self, letter: DeadLetter) -> None:
        """Throw it away; harmless if it is gone."""
        with self._broker.errors():
            self._client.xdel(self._topology.dead(letter.shard), letter.entry_id)

    def retry(self, letter: DeadLetter, wait_s: float) -> Outcome:
        """Give the frame back to the workers, which try it alone, and wait for what comes of it.

        Raises MalformedMessage for what no worker could read, or without a picture.
        """
        frame = letter.frame
        if frame is None or not frame.data or frame.encoding == "shared":
            raise MalformedMessage(
                "it has no picture that could be tried again", camera=letter.camera, entry_id=letter.entry_id
            )
        frames, poses = self._topology.frames(letter.camera), self._topology.poses(letter.camera)
        fields = {name: value for name, value in letter.fields.items() if not name.startswith(OWN)} | {SUSPECT: b"1"}
        with self._broker.errors():
            seen_id = cast(Any, self._client.xinfo_stream(poses))["last-generated-id"]
            pipeline = self._client.pipeline(transaction=True)
            pipeline.xadd(frames, cast(Any, fields))
            pipeline.xdel(self._topology.dead(letter.shard), letter.entry_id)
            entry_id, _ = pipeline.execute()
            return self._await(frame, entry_id, seen_id, time.monotonic() + wait_s)

    def knows(self, camera: str) -> bool:
        """Whether the camera is still there: of one that was forgotten nobody takes frames."""
        with self._broker.errors():
            return bool(self._client.hexists(self._topology.cameras(self._topology.shard(camera)), camera))

    def _await(self, frame: Frame, entry_id: bytes, seen_id: bytes, end_s: float) -> Outcome:
        poses, frames = self._topology.poses(frame.camera), self._topology.frames(frame.camera)
        answered = False
        while not answered:
            # Looked at first: an answer that is not among the poses after that was deleted by the tracker.
            answered = not self._client.xrange(frames, entry_id, entry_id, count=1)
            reply = self._client.xread({poses: seen_id}, block=BLOCK_MS)
            for _, entries in cast(Any, reply) or []:
                for _, raw in entries:
                    outcome = _outcome(frame, raw)
                    if outcome is not None:
                        return outcome
                seen_id = entries[-1][0]
            if time.monotonic() > end_s and not answered:
                return Outcome("waiting")
        again = next((one for one in self.newest(frame.camera) if _same(one.frame, frame)), None)
        return Outcome("answered") if again is None else Outcome("dead", reason=again.reason)


def _letter(shard: int, entry_id: bytes, fields: Mapping[bytes, bytes]) -> DeadLetter:
    def text(name: bytes) -> str:
        return fields.get(name, b"").decode(errors="replace")

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


def _outcome(frame: Frame, raw: Mapping[bytes, bytes]) -> Outcome | None:
    """What the entry `raw` of `poses` says of this frame; None if it is about another one."""
    try:
        body, _ = decode_poses(raw)
    except MalformedMessage:
        return None
    if (body.epoch, body.seq) != (frame.epoch, frame.seq):
        return None
    if isinstance(body, PoseFrame):
        return Outcome("seen", people=len(body.scores))
    if isinstance(body, Skipped):
        on_purpose = body.reason in {"too old", "overtaken", "overflow"}
        return Outcome("skipped" if on_purpose else "dead", reason=body.reason)
    return None


def _same(one: Frame | None, other: Frame) -> bool:
    return one is not None and (one.camera, one.epoch, one.seq) == (other.camera, other.epoch, other.seq)
