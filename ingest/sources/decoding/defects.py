"""What is wrong with a recording that can be read all the same, in one sentence. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from posebus.wording import counted

UNCOUNTED_MARGIN_S = 1.0
"""Without a count of frames, the last frame may have been shown for this long."""
STEPS_MARGIN = 1.5


@dataclass(slots=True)
class Defects:
    """Counts of what went wrong in one reading of the recording `name`, from its beginning.

    `undecodable` and `corrupt` count packets, `damaged` pictures. `cut_reason` is why reading stopped before the end.
    `wrong_stamps`, `jumps` and `equal_stamps` are those of its `Timeline`; `odd_degrees` is an angle that was not
    applied; `missing_files` are those that a playlist names.
    """

    name: str
    undecodable: int = 0
    corrupt: int = 0
    damaged: int = 0
    cut_reason: str | None = None
    wrong_stamps: int = 0
    jumps: int = 0
    equal_stamps: int = 0
    odd_degrees: float = 0.0
    missing_files: int = 0

    def sentence(self, frames: int) -> str | None:
        """Return all defects in one sentence, None if there are none; `frames` is how many were read."""
        parts = (self._completeness(frames), self._files(), self._time_line(), self._angle())
        found = [part for part in parts if part]
        return f"{self.name} {'; it '.join(found)}" if found else None

    def _completeness(self, frames: int) -> str | None:
        parts = []
        if self.undecodable:
            parts.append(f"{counted(self.undecodable, 'packet')} did not decode")
        if self.damaged:
            parts.append(f"{counted(self.damaged, 'picture')} {_is_are(self.damaged)} damaged")
        elif self.corrupt and not self.cut_reason:
            parts.append(f"{counted(self.corrupt, 'packet')} {_is_are(self.corrupt)} incomplete")
        damage = f"is damaged: {' and '.join(parts)}; " if parts else ""
        if self.cut_reason:
            damage += f"{'it ' if parts else ''}is cut off: {self.cut_reason}; "
        return f"{damage}{counted(frames, 'frame')} {'was' if frames == 1 else 'were'} read" if damage else None

    def _files(self) -> str | None:
        if not self.missing_files:
            return None
        return f"names {counted(self.missing_files, 'file')} that {_is_are(self.missing_files)} missing"

    def _time_line(self) -> str | None:
        parts = []
        if self.wrong_stamps:
            parts.append(f"{counted(self.wrong_stamps, 'wrong time stamp')}, replaced by times between the others")
        if self.equal_stamps:
            parts.append("time stamps that stand still, replaced by times at its usual rate")
        if self.jumps:
            parts.append(f"{counted(self.jumps, 'jump')} in its time stamps, across which the time line continues")
        return f"has {' and '.join(parts)}" if parts else None

    def _angle(self) -> str | None:
        if not self.odd_degrees:
            return None
        return f"is not turned by the {abs(self.odd_degrees):.0f} degrees of its header: only multiples of 90 work"


def promised_end_s(container: Any, stream: Any) -> float | None:
    """Return when the video ends by its headers, in seconds of its time line; None if they do not say."""
    if stream.duration:
        end_s = float((stream.start_time or 0) + stream.duration) * float(stream.time_base)
    elif tag := stream.metadata.get("DURATION"):  # Matroska: hours:minutes:seconds
        parts = tag.split(":")
        if len(parts) != 3 or not all(part.replace(".", "", 1).isdecimal() for part in parts):
            return None
        end_s = int(parts[0]) * 3600 + int(parts[1]) * 60 + float(parts[2])
    elif len(container.streams) == 1:
        end_s = math.inf
    else:
        return None  # the container's duration is that of its longest stream, which may be the sound
    if container.duration:
        end_s = min(end_s, ((container.start_time or 0) + container.duration) / 1e6)
    return end_s if math.isfinite(end_s) else None


def ends_early(presented_end_s: float, promised_s: float | None, step_s: float, *, counted: bool) -> bool:
    """Return whether a recording whose last frame ends at `presented_end_s` is shorter than its headers say.

    `counted` is whether they count frames, so that the last one lasts no longer than a step.
    """
    margin_s = STEPS_MARGIN * step_s if counted else UNCOUNTED_MARGIN_S
    return promised_s is not None and presented_end_s < promised_s - margin_s


def _is_are(number: int) -> str:
    return "is" if number == 1 else "are"
