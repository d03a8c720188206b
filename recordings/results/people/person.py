"""One person of a recording: a row of NAME.people.csv."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Moment:
    """A frame that shows a person well: its number and times, and the person's box in it, in pixels of the frame.

    `quality` compares the moments of one person: it grows with the size of the person, and falls with what hides them.
    """

    frame: int
    time_s: float
    captured_at_ns: int
    box_xyxy_px: tuple[float, float, float, float]
    quality: float


@dataclass(frozen=True, slots=True)
class Person:
    """What is known about one person at the end of a recording.

    first_ and last_: of the frames in which the person was detected. frames_detected counts these; frames_present
    counts all in which the person was confirmed, with those of predicted boxes. distance_px, distance_body_heights: the
    length of the way in the picture, also as a multiple of the person's height there; where the camera moves, the way
    includes its motion. best: the moment that shows the person best. moments: it and others. snapshot: the picture of
    that moment, relative to the folder of the results.
    """

    track_id: int
    first_frame: int
    last_frame: int
    first_seen_s: float
    last_seen_s: float
    first_seen_ns: int
    last_seen_ns: int
    frames_detected: int
    frames_present: int
    distance_px: float
    distance_body_heights: float
    largest_height_px: float
    best: Moment
    moments: tuple[Moment, ...] = field(default=(), repr=False)
    snapshot: str | None = None

    @property
    def duration_s(self) -> float:
        """Seconds from the first to the last detection."""
        return round((self.last_seen_ns - self.first_seen_ns) / 1e9, 6)

    def row(self) -> dict[str, Any]:
        """Return the columns of this person by name; a missing snapshot is None."""
        left, top, right, bottom = self.best.box_xyxy_px
        return {
            "track_id": self.track_id,
            "first_seen_s": self.first_seen_s,
            "last_seen_s": self.last_seen_s,
            "duration_s": self.duration_s,
            "first_seen_ns": self.first_seen_ns,
            "last_seen_ns": self.last_seen_ns,
            "first_frame": self.first_frame,
            "last_frame": self.last_frame,
            "frames_detected": self.frames_detected,
            "frames_present": self.frames_present,
            "distance_px": self.distance_px,
            "distance_body_heights": self.distance_body_heights,
            "largest_height_px": self.largest_height_px,
            "best_frame": self.best.frame,
            "best_time_s": self.best.time_s,
            "best_box_x1_px": left,
            "best_box_y1_px": top,
            "best_box_x2_px": right,
            "best_box_y2_px": bottom,
            "snapshot": self.snapshot,
        }
