"""What a live camera does at the moment, from its public tracks."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from posebus.messages import Provenance, TrackFrame, TrackState
from recordings.results.tally import Ages

WINDOW_NS = 2_000_000_000
SHORTEST_NS = 500_000_000
"""Rates over less time would be noise."""


@dataclass(slots=True)
class LiveCamera:
    """Counts of one live camera. Ages are from a frame's capture to its tracks, both on this host's clock."""

    name: str
    frames: int = 0
    skipped: int = 0
    people: int = 0
    identities: set[int] = field(default_factory=set)
    ages_ms: Ages = field(default_factory=Ages)
    _recent: deque[tuple[int, int, int]] = field(default_factory=deque)

    def add(self, frame: TrackFrame, provenance: Provenance) -> None:
        """Take the next frame of the camera; numbers left out are frames that were skipped."""
        if self._recent:
            self.skipped += max(0, frame.seq - self._recent[-1][0] - 1)
        self.frames += 1
        there = [track.id for track in frame.tracks if track.state == TrackState.CONFIRMED]
        self.people = len(there)
        self.identities.update(there)
        self.ages_ms.add((provenance.published_at_ns - frame.captured_at_ns) / 1e6)
        self._recent.append((frame.seq, frame.captured_at_ns, provenance.published_at_ns))
        while provenance.published_at_ns - self._recent[0][2] > WINDOW_NS:
            self._recent.popleft()

    @property
    def fps_in(self) -> float | None:
        """Frames a second that the camera sent of late, None where too few came to tell."""
        return self._rate(self._recent[-1][0] - self._recent[0][0], 1) if self._recent else None

    @property
    def fps_out(self) -> float | None:
        """Frames a second whose tracks came out of late, None where too few came to tell."""
        return self._rate(len(self._recent) - 1, 2) if self._recent else None

    def _rate(self, frames: int, clock: int) -> float | None:
        elapsed_ns = self._recent[-1][clock] - self._recent[0][clock]
        return frames * 1e9 / elapsed_ns if elapsed_ns >= SHORTEST_NS else None
