"""The part of a recording that is analysed, as it is written on a command line."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from posebus.config.settings import CameraSettings
from posebus.errors import ConfigError

_TIME = re.compile(r"(?:(?:(?P<hours>\d+):)?(?P<minutes>\d+):)?(?P<seconds>\d+(?:\.\d*)?|\.\d+)")


LATEST_S = 1e9
MOST_EVERY = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Part:
    """Frames with `start_s` <= time < `end_s` (seconds from the first frame), of these each `every`-th, then `max_fps`.

    The first frame of the part is always among them.
    """

    start_s: float = 0.0
    end_s: float | None = None
    every: int = 1
    max_fps: float | None = None

    def fields(self) -> dict[str, Any]:
        """Return the fields of `CameraSettings` by their names."""
        return asdict(self)


WHOLE = Part()


def part_of(fields: Mapping[str, Any] | None) -> Part:
    """Return the part with these fields, as `Part.fields` gives them; the whole for None.

    Raises ValueError for fields or values that are not those of a part.
    """
    try:
        part = Part(**(fields or {}))
    except TypeError as error:
        raise ValueError(str(error)) from None
    check_part(part)
    return part


def check_part(part: Part) -> None:
    """Raise ValueError for values that no camera can have."""
    CameraSettings(source="any", **part.fields())


def parse_part(
    start: str | None = None, end: str | None = None, every: int | None = None, max_fps: float | None = None
) -> Part:
    """Return the part that options name. Raises ConfigError with the option that is wrong."""
    part = Part(
        start_s=0.0 if start is None else parse_time_s(start, "--start"),
        end_s=None if end is None else parse_time_s(end, "--end"),
        every=1 if every is None else every,
        max_fps=max_fps,
    )
    if part.end_s is not None and part.end_s <= part.start_s:
        raise ConfigError(f"--end {end} is not after --start {start or 0}: give a later time, or leave one of them out")
    if not 1 <= part.every <= MOST_EVERY:
        raise ConfigError(f"--every {every}: must be a whole number from 1 to {MOST_EVERY}; 2 is every second frame")
    if max_fps is not None and not 0 < max_fps < float("inf"):
        raise ConfigError(f"--max-fps {max_fps:g}: must be a number above 0")
    return part


def parse_time_s(text: str, option: str) -> float:
    """Return the seconds of a time like 90, 90.5, 1:30 or 0:01:30. Raises ConfigError."""
    found = _TIME.fullmatch(text.strip())
    if found is None:
        raise ConfigError(f"{option} {text}: must be seconds, MM:SS or HH:MM:SS, such as 90, 1:30 or 0:01:30.5")
    seconds, minutes, hours = float(found["seconds"]), int(found["minutes"] or 0), int(found["hours"] or 0)
    if (found["minutes"] is not None and seconds >= 60) or (found["hours"] is not None and minutes >= 60):
        raise ConfigError(f"{option} {text}: minutes and seconds after a colon go up to 59")
    time_s = hours * 3600.0 + minutes * 60.0 + seconds
    if time_s > LATEST_S:
        raise ConfigError(f"{option} {text}: no recording is so long")
    return time_s
