"""One frame between the broker and the engine, and the results of frames that are not inferred."""

from __future__ import annotations

import math
from dataclasses import dataclass

from posebus.bus.frame_consumer import FrameEntry, PoseResult
from posebus.contract.codec import skipped_frame
from posebus.messages import Frame, Skipped
from workers.images.picture import Picture

REASON_LENGTH = 200
"""Characters of a dead letter's reason that are copied into the mark for the tracker."""


@dataclass(frozen=True, slots=True)
class Job:
    """A frame to infer, with its entry and its picture. A live frame is too old after `expires_at_s` (monotonic)."""

    entry: FrameEntry
    frame: Frame
    picture: Picture
    expires_at_s: float = math.inf


def skip(entry: FrameEntry, frame: Frame, reason: str) -> PoseResult:
    """Return the result for a frame that is left out on purpose; its mark tells the tracker not to wait for it."""
    mark = Skipped(
        camera=frame.camera,
        epoch=frame.epoch,
        seq=frame.seq,
        captured_at_ns=frame.captured_at_ns,
        delivery=frame.delivery,
        reason=reason,
    )
    return PoseResult(entry, mark)


def dead_letter(entry: FrameEntry, reason: str) -> PoseResult:
    """Return the result that sends the entry to the dead letters with `reason`.

    Where the entry says which frame it was, a mark with the reason tells the tracker not to wait for that frame.
    """
    return PoseResult(entry, skipped_frame(entry.raw, reason[:REASON_LENGTH]), dead_reason=reason)
