"""Rates, ages and people of a live camera, from its public tracks."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field

from posebus.messages import Provenance, TrackFrame, TrackState
from recordings.results.tally import Ages, PeopleSeen

WINDOW_NS = 2_000_000_000
SHORTEST_NS = 500_000_000
"""Rates over less time would be noise."""


@dataclass(frozen=True, slots=True)
class _FrameTimes:
    """A frame whose tracks came out, with the times of its capture and of their publication."""

    seq: int
    captured_at_ns: int
    published_at_ns: int


@dataclass(slots=True)
class LiveCamera:
    """Counts of one live camera. Ages run from a frame's capture to its tracks, both by this host's clock."""

    name: str
    frames: int = 0
    skipped: int = 0
    people: int = 0
    seen: PeopleSeen = field(default_factory=PeopleSeen)
    views: Counter[str] = field(default_factory=Counter)
    """Number of frames by the view at which they were inferred, where a policy chose the view."""
    ages_ms: Ages = field(default_factory=Ages)
    _recent: deque[_FrameTimes] = field(default_factory=deque)

    def add(self, frame: TrackFrame, provenance: Provenance) -> None:
        """Count the next frame of the camera; missing frame numbers are frames that were skipped."""
        if self._recent:
            self.skipped += max(0, frame.seq - self._recent[-1].seq - 1)
        self.frames += 1
        self.people = sum(track.state == TrackState.CONFIRMED for track in frame.tracks)
        self.seen.add(frame)
        if provenance.view is not None and frame.inferred:
            self.views[str(provenance.view)] += 1
        self.ages_ms.add((provenance.published_at_ns - frame.captured_at_ns) / 1e6)
        self._recent.append(
            _FrameTimes(seq=frame.seq, captured_at_ns=frame.captured_at_ns, published_at_ns=provenance.published_at_ns)
        )
        while provenance.published_at_ns - self._recent[0].published_at_ns > WINDOW_NS:
            self._recent.popleft()

    @property
    def identities(self) -> set[int]:
        """The numbers of all people so far."""
        return self.seen.numbers

    @property
    def fps_in(self) -> float | None:
        """Frames per second that the camera sent in the last two seconds; None after too few frames."""
        if not self._recent:
            return None
        first, last = self._recent[0], self._recent[-1]
        return _rate(last.seq - first.seq, last.captured_at_ns - first.captured_at_ns)

    @property
    def fps_out(self) -> float | None:
        """Frames per second whose tracks came out in the last two seconds; None after too few frames."""
        if not self._recent:
            return None
        return _rate(len(self._recent) - 1, self._recent[-1].published_at_ns - self._recent[0].published_at_ns)


def _rate(frames: int, elapsed_ns: int) -> float | None:
    return frames * 1e9 / elapsed_ns if elapsed_ns >= SHORTEST_NS else None
