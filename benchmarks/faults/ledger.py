"""The frames that a subscriber received during a soak: duplicates, disorder, and unreported losses. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field

import numpy as np


@dataclass(slots=True)
class _EpochFrames:
    """tracked: `seq` of the frames with tracks. skipped: the number of frames that gap events report as skipped.

    last_skipped: the highest `seq` that a gap event covers.
    """

    tracked: set[int] = field(default_factory=set)
    skipped: int = 0
    last_skipped: int = -1


class FrameLedger:
    """The frames of all cameras, identified by (camera, epoch, seq)."""

    def __init__(self) -> None:
        self._epochs: defaultdict[tuple[str, int], _EpochFrames] = defaultdict(_EpochFrames)
        self._last: dict[str, tuple[int, int]] = {}
        self._received_at_s: dict[str, float] = {}
        self.ages_s: list[float] = []
        self.silences_s: list[float] = []
        self.duplicates = 0
        self.disorder = 0
        self.reasons: Counter[str] = Counter()
        self.events: Counter[str] = Counter()

    def track(self, camera: str, epoch: int, seq: int, age_s: float, now_s: float) -> None:
        """Record the tracks of a frame, received `age_s` after its capture; `now_s` is monotonic."""
        frames = self._epochs[camera, epoch].tracked
        self.duplicates += seq in frames
        self.disorder += (epoch, seq) < self._last.get(camera, (0, 0))
        frames.add(seq)
        self._last[camera] = (epoch, seq)
        self.ages_s.append(age_s)
        self.silences_s.append(now_s - self._received_at_s.get(camera, now_s))
        self._received_at_s[camera] = now_s

    def gap(self, camera: str, epoch: int, last_seq: int, reasons: dict[str, int]) -> None:
        """Record an event that reports skipped frames, by reason, with numbers up to `last_seq`."""
        frames = self._epochs[camera, epoch]
        frames.skipped += sum(reasons.values())
        frames.last_skipped = max(frames.last_skipped, last_seq)
        self.reasons.update(reasons)

    def tracked(self) -> int:
        """The number of frames with tracks."""
        return sum(len(epoch.tracked) for epoch in self._epochs.values())

    def epochs(self) -> int:
        """The number of epochs of all cameras."""
        return len(self._epochs)

    def lost(self) -> int:
        """Frames that are neither tracked nor reported as skipped.

        Only frames before the last tracked or reported one of their epoch count.
        """
        missing = 0
        for epoch in self._epochs.values():
            frames = max(max(epoch.tracked, default=-1), epoch.last_skipped) + 1
            missing += max(0, frames - len(epoch.tracked) - epoch.skipped)
        return missing

    def age_percentiles_s(self, *percent: float) -> list[float]:
        """Percentiles of the ages of all frames."""
        return [float(value) for value in np.percentile(self.ages_s or [0.0], percent)]
