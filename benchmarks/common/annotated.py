"""Clips with ground truth, and the metrics of tracks on them."""

from __future__ import annotations

from dataclasses import dataclass, field

from benchmarks.common.clips import Clip
from benchmarks.common.hota import score, without_distractors
from benchmarks.common.mot import Rows
from posebus.messages import PoseFrame


@dataclass(frozen=True, slots=True)
class AnnotatedClip:
    """A clip and its ground truth.

    truth, distractors: rows by frame number from 1, which is `seq` + 1; see `benchmarks.common.mot.read_distractors`.
    """

    clip: Clip
    truth: Rows
    distractors: Rows = field(default_factory=dict)

    @property
    def frames(self) -> list[PoseFrame]:
        """The clip's frames up to the last annotated one."""
        end = max(self.truth)
        return [frame for frame in self.clip.frames if frame.seq < end]


def scored(annotated: AnnotatedClip, rows: Rows, frames: list[PoseFrame]) -> dict[str, float]:
    """The METRICS of tracks `rows` over `frames` alone.

    The frames are numbered anew from 1, so that dropped frames do not count as misses.
    """
    numbers = [frame.seq + 1 for frame in frames]
    kept = without_distractors(annotated.truth, annotated.distractors, rows)
    return score(
        {place: annotated.truth.get(number, []) for place, number in enumerate(numbers, 1)},
        {place: kept.get(number, []) for place, number in enumerate(numbers, 1)},
    )
