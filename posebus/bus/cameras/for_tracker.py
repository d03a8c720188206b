"""Messages into `poses` past the workers: marks of frames that need no inference, and poses without pictures."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, cast

from posebus.contract.codec import encode_poses
from posebus.messages import Delivery, EndOfStream, PoseFrame, Provenance, Uninferred

MARKS_KEPT = 20_000
"""Marks of skipped frames, of about 250 bytes each, that may wait while there is no tracker to read them."""
POSES_KEPT = 2_000
"""The same of poses, of about 2 kB each: a minute of one camera."""


@dataclass(frozen=True, slots=True)
class ForTracker:
    """A message for the camera's tracker. A PoseFrame needs the provenance of its poses."""

    body: PoseFrame | Uninferred | EndOfStream
    provenance: Provenance | None = None

    @property
    def epoch(self) -> int:
        """That of the message."""
        return self.body.epoch

    @property
    def seq(self) -> int:
        """That of the message."""
        return self.body.seq

    @property
    def kept(self) -> int | None:
        """How many entries may wait with it in `poses`; None: all, because its source waits."""
        if isinstance(self.body, Uninferred):
            return MARKS_KEPT if self.body.delivery is Delivery.LIVE else None
        return POSES_KEPT

    def fields(self) -> dict[Any, Any]:
        """The entry of `poses`, published now."""
        return cast("dict[Any, Any]", encode_poses(self.body, self.provenance, time.time_ns()))
