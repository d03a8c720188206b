"""When a file is rotated, and which old files are deleted. Pure, but for `rotate`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

PATTERN = "%Y%m%dT%H%M%SZ"


def period_of(time_s: float, every_s: float | None) -> int:
    """The number of the period in which a time (Unix s) lies: a file holds one. Days begin at midnight UTC."""
    return 0 if every_s is None else int(time_s // every_s)


def rotated_name(path: Path, now_s: float, earlier: Sequence[Path]) -> str:
    """The name of a full file: `events.jsonl` becomes `events.20261201T051200Z.jsonl`; `earlier` are those of before.

    Of several in one second, later ones have a higher number, also if the first of them are deleted.
    """
    moment = datetime.fromtimestamp(now_s, tz=UTC).strftime(PATTERN)
    numbers = [number for one in earlier if (found := _place(path, one)) for when, number in [found] if when == moment]
    number = f"-{max(numbers) + 1:04}" if numbers else ""
    return f"{path.stem}.{moment}{number}{path.suffix}"


def rotated_files(path: Path) -> list[Path]:
    """The full files of `path`, the oldest first."""
    found = [(place, one) for one in path.parent.iterdir() if (place := _place(path, one)) is not None]
    return [one for _, one in sorted(found)]


def rotate(path: Path, now_s: float, keep: int) -> None:
    """Rename the file in one step, and delete the oldest full ones beyond `keep`. Raises OSError."""
    path.rename(path.with_name(rotated_name(path, now_s, rotated_files(path))))
    for old in rotated_files(path)[:-keep]:
        old.unlink(missing_ok=True)


def _place(path: Path, one: Path) -> tuple[str, int] | None:
    """(moment, number) of a full file of `path`; None for any other file."""
    middle = one.name.removeprefix(f"{path.stem}.").removesuffix(path.suffix)
    if one.name != f"{path.stem}.{middle}{path.suffix}":
        return None
    moment, dash, number = middle.partition("-")
    if dash and not (number.isascii() and number.isdecimal()):
        return None
    try:
        datetime.strptime(moment, PATTERN)
    except ValueError:
        return None
    return moment, int(number or 1)
