"""How far a camera's source was published: what its next ingest process, on whatever host, goes on from.

It is written in the same transaction as the frame that it speaks of, so the two never disagree.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from posebus.errors import MalformedMessage

OPEN, OFFLINE, ENDED = "open", "offline", "ended"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Where the source stands in its present epoch.

    `seq` is that of the next frame, `captured_at_ns` is of the last one (0: none yet). `place` is where the source
    itself finds that last picture, in numbers of its own; empty where it cannot say. `source` tells one source from
    another, `run` one start of a deployment from the next. `attention` is what was remembered of the pictures, to
    decide which of the next ones are inferred. Of live cameras it is written when they come and go.
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

    def to_fields(self) -> dict[str, str | int | bytes]:
        """As the fields of a hash."""
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
        }


def read_checkpoint(fields: Mapping[bytes, bytes]) -> Checkpoint:
    """The checkpoint in the fields of a hash. Raises MalformedMessage."""
    try:
        text = {key.decode(): value.decode() for key, value in fields.items() if key != b"attention"}
        if text["state"] not in (OPEN, OFFLINE, ENDED):
            raise ValueError(f"its state is {text['state'][:20]!r}")
        return Checkpoint(
            epoch=int(text["epoch"]),
            seq=int(text["seq"]),
            captured_at_ns=int(text["captured_at_ns"]),
            state=text["state"],
            run=text["run"],
            source=text["source"],
            place=tuple(int(number) for number in text["place"].split(",") if number),
            max_size_px=int(text["max_size_px"]) if text["max_size_px"] else None,
            attention=fields.get(b"attention", b""),
        )
    except (KeyError, ValueError) as error:
        raise MalformedMessage(f"a checkpoint cannot be read: {error}") from error
