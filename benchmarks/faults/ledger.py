"""What a subscriber saw during a soak, and what is wrong with it: twice, out of order, or missing unsaid. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field

import numpy as np


@dataclass(slots=True)
class _EpochFrames:
    tracked: set[int] = field(default_factory=set)
    told: int = 0
    """Frames that a gap event says to be skipped."""
    last_told: int = -1


class FrameLedger:
    """Of all cameras. Frames are identified by (camera, epoch, seq)."""

    def __init__(self) -> None:
        self._epochs: defaultdict[tuple[str, int], _EpochFrames] = defaultdict(_EpochFrames)
        self._last: dict[str, tuple[int, int]] = {}
        self._seen_at_s: dict[str, float] = {}
        self.ages_s: list[float] = []
        self.silences_s: list[float] = []
        self.duplicates = 0
        self.disorder = 0
        self.reasons: Counter[str] = Counter()
        self.events: Counter[str] = Counter()

    def track(self, camera: str, epoch: int, seq: int, age_s: float, now_s: float) -> None:
        """The tracks of a frame came, `age_s` after its capture; `now_s` is monotonic."""
        frames = self._epochs[camera, epoch].tracked
        self.duplicates += seq in frames
        self.disorder += (epoch, seq) < self._last.get(camera, (0, 0))
        frames.add(seq)
        self._last[camera] = (epoch, seq)
        self.ages_s.append(age_s)
        self.silences_s.append(now_s - self._seen_at_s.get(camera, now_s))
        self._seen_at_s[camera] = now_s

    def gap(self, camera: str, epoch: int, last_seq: int, reasons: dict[str, int]) -> None:
        """An event said that numbered frames up to `last_seq` were skipped."""
        told = self._epochs[camera, epoch]
        told.told += sum(reasons.values())
        told.last_told = max(told.last_told, last_seq)
        self.reasons.update(reasons)

    def tracked(self) -> int:
        """Frames with tracks."""
        return sum(len(epoch.tracked) for epoch in self._epochs.values())

    def epochs(self) -> int:
        """How often a camera began anew."""
        return len(self._epochs)

    def lost(self) -> int:
        """Frames before the last tracked or told one of their epoch that are neither tracked nor told."""
        missing = 0
        for epoch in self._epochs.values():
            frames = max(max(epoch.tracked, default=-1), epoch.last_told) + 1
            missing += max(0, frames - len(epoch.tracked) - epoch.told)
        return missing

    def age_percentiles_s(self, *percent: float) -> list[float]:
        """Of all frames."""
        return [float(value) for value in np.percentile(self.ages_s or [0.0], percent)]
