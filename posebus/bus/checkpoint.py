"""How far a camera's source was published: the point from which its next ingest process, on any host, continues.

It is written in the same transaction as the frame that it describes, so the two never disagree.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from posebus.contract.foreign_json import MAX_WHOLE, whole
from posebus.errors import MalformedMessage

OPEN, OFFLINE, ENDED = "open", "offline", "ended"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The position of a source in its present epoch.

    `seq` is that of the next frame, `captured_at_ns` that of the last one (0: none yet). `place` locates the last image
    within the source, in numbers that only the source interprets; empty if it cannot. `source` identifies the source,
    `run` the start of the deployment. `attention` is the state from which the frame selector continues, `motion` and
    `motion_reference` that of the camera's motion. For a live camera, a checkpoint is written when it goes online and
    offline.
    """

    epoch: int
    seq: int
    captured_at_ns: int
    state: str
    run: str
    source: str
    place: tuple[int, ...] = ()
    max_size_px: int | None = None
    attention: bytes = b""
    motion: str = ""
    motion_reference: str = ""

    def to_fields(self) -> dict[str, str | int | bytes]:
        """The checkpoint as the fields of a hash."""
        return {
            "epoch": self.epoch,
            "seq": self.seq,
            "captured_at_ns": self.captured_at_ns,
            "state": self.state,
            "run": self.run,
            "source": self.source,
            "place": ",".join(map(str, self.place)),
            "max_size_px": "" if self.max_size_px is None else self.max_size_px,
            **({"attention": self.attention} if self.attention else {}),
            **({"motion": self.motion, "motion_reference": self.motion_reference} if self.motion else {}),
        }


def read_checkpoint(fields: Mapping[bytes, bytes]) -> Checkpoint:
    """The checkpoint in the fields of a hash. Raises MalformedMessage."""
    try:
        text = {key.decode(): value.decode() for key, value in fields.items() if key != b"attention"}
        if text["state"] not in (OPEN, OFFLINE, ENDED):
            raise ValueError(f"its state is {text['state'][:20]!r}")
        return Checkpoint(
            epoch=whole(text["epoch"]),
            seq=whole(text["seq"]),
            captured_at_ns=whole(text["captured_at_ns"]),
            state=text["state"],
            run=text["run"],
            source=text["source"],
            place=tuple(whole(number, least=-MAX_WHOLE) for number in text["place"].split(",") if number),
            max_size_px=whole(text["max_size_px"]) if text["max_size_px"] else None,
            attention=fields.get(b"attention", b""),
            motion=text.get("motion", ""),
            motion_reference=text.get("motion_reference", ""),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise MalformedMessage(f"a checkpoint cannot be read: {error}") from error
