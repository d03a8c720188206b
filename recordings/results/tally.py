"""Counts of one recording, collected frame by frame."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from posebus.arrays import Float32Array
from posebus.messages import Provenance, TrackFrame, TrackState
from posebus.subscribing.renaming import FinalIds

PERCENTILES = (50, 95, 99)


class Ages:
    """Durations in milliseconds, all kept in four bytes each (a day at 25 fps: 9 MB), so that percentiles are exact."""

    def __init__(self) -> None:
        self._values = array("f")

    def add(self, age_ms: float) -> None:
        """Append one duration."""
        self._values.append(age_ms)

    @property
    def newest(self) -> float | None:
        """The last duration, None before the first."""
        return self._values[-1] if self._values else None

    def as_array(self) -> Float32Array:
        """Return all durations, (N,) float32 ms."""
        return np.array(self._values, dtype=np.float32)


class PeopleSeen:
    """The numbers of all people who were ever confirmed, with the corrections that are known so far."""

    def __init__(self) -> None:
        self._final: FinalIds[None] = FinalIds()
        self._numbers: set[int] = set()

    def add(self, frame: TrackFrame) -> None:
        """Take the next frame."""
        for final, _ in self._final.push(frame, None):
            self._numbers.update(_confirmed(final))

    @property
    def numbers(self) -> set[int]:
        """The numbers, each of one person."""
        return self._numbers.union(*map(_confirmed, self._final.held))


def _confirmed(frame: TrackFrame) -> list[int]:
    return [track.id for track in frame.tracks if track.state == TrackState.CONFIRMED]


@dataclass(slots=True)
class Tally:
    """Counts of the frames whose tracks were read."""

    frames: int = 0
    last_seq: int = -1
    first_frame_published_at_ns: int = 0
    last_published_at_ns: int = 0
    first_captured_at_ns: int = 0
    last_captured_at_ns: int = 0
    people: PeopleSeen = field(default_factory=PeopleSeen)
    views: Counter[str] = field(default_factory=Counter)
    """Number of frames by the view at which they were inferred, where a policy chose the view."""

    def add(self, frame: TrackFrame, provenance: Provenance) -> None:
        """Count one frame."""
        self.frames += 1
        self.last_seq = frame.seq
        published_at_ns = provenance.published_at_ns
        if self.frames == 1:
            self.first_captured_at_ns = frame.captured_at_ns
            self.first_frame_published_at_ns = provenance.frame_published_at_ns
        self.last_published_at_ns = max(self.last_published_at_ns, published_at_ns)
        self.last_captured_at_ns = max(self.last_captured_at_ns, frame.captured_at_ns)
        if provenance.view is not None and frame.inferred:
            self.views[str(provenance.view)] += 1
        self.people.add(frame)

    @property
    def identities(self) -> set[int]:
        """The numbers of all people."""
        return self.people.numbers

    @property
    def processing_s(self) -> float:
        """From the first frame published by ingest to the last one published by the tracker."""
        return max(0.0, (self.last_published_at_ns - self.first_frame_published_at_ns) / 1e9)

    @property
    def recorded_fps(self) -> float | None:
        """Frames per second of the recording, by the times of its first and its last frame; None for one frame."""
        span_s = (self.last_captured_at_ns - self.first_captured_at_ns) / 1e9
        return self.last_seq / span_s if span_s > 0 else None

    @property
    def recorded_s(self) -> float:
        """Length of the recording in seconds; its last frame is shown as long as the others on average."""
        fps = self.recorded_fps
        return (self.last_seq + 1) / fps if fps else 0.0


def processing_s(tallies: Iterable[Tally]) -> float:
    """Return `Tally.processing_s` over recordings that were analysed at the same time."""
    counted = [tally for tally in tallies if tally.frames]
    if not counted:
        return 0.0
    first_ns = min(tally.first_frame_published_at_ns for tally in counted)
    return max(0.0, (max(tally.last_published_at_ns for tally in counted) - first_ns) / 1e9)


def percentiles_ms(ages: Iterable[Ages]) -> dict[str, float | None]:
    """Return {"p50", "p95", "p99"} in ms over all of `ages` together; None without any duration."""
    values = np.concatenate([np.zeros(0, np.float32), *(one.as_array() for one in ages)])
    if not len(values):
        return {f"p{rank}": None for rank in PERCENTILES}
    found = np.percentile(values, PERCENTILES)
    return {f"p{rank}": round(float(value), 1) for rank, value in zip(PERCENTILES, found, strict=True)}


def rate(frames: int, seconds: float) -> float:
    """Return frames per second, 0 if no time passed."""
    return round(frames / seconds, 2) if seconds > 0 else 0.0
