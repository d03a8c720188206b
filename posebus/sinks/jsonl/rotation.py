"""When a file is rotated, and which old files are deleted. Pure, but for `rotate`."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path


def period_of(time_s: float, every_s: float | None) -> int:
    """The number of the period in which a time (Unix s) lies: a file holds one. Days begin at midnight UTC."""
    return 0 if every_s is None else int(time_s // every_s)


def rotated_name(path: Path, now_s: float, taken: set[str]) -> str:
    """The name of a full file: `events.jsonl` becomes `events.20261201T051200Z.jsonl`, with a number if that exists."""
    moment = datetime.fromtimestamp(now_s, tz=UTC).strftime("%Y%m%dT%H%M%SZ")
    name = f"{path.stem}.{moment}{path.suffix}"
    number = 1
    while name in taken:
        number += 1
        name = f"{path.stem}.{moment}-{number:04}{path.suffix}"
    return name


def rotated_files(path: Path) -> list[Path]:
    """The full files of `path`, the oldest first."""
    found = []
    for one in path.parent.iterdir():
        middle = one.name.removeprefix(f"{path.stem}.").removesuffix(path.suffix)
        if one.name == f"{path.stem}.{middle}{path.suffix}" and _is_moment(middle):
            found.append((middle.partition("-")[0], int(middle.partition("-")[2] or 1), one))
    return [one for _, _, one in sorted(found)]


def rotate(path: Path, now_s: float, keep: int) -> None:
    """Rename the file in one step, and delete the oldest full ones beyond `keep`. Raises OSError."""
    taken = {one.name for one in path.parent.iterdir()}
    path.rename(path.with_name(rotated_name(path, now_s, taken)))
    for old in rotated_files(path)[: -keep or None]:
        old.unlink(missing_ok=True)


def _is_moment(text: str) -> bool:
    moment, dash, number = text.partition("-")
    if dash and not number.isdecimal():
        return False
    try:
        datetime.strptime(moment, "%Y%m%dT%H%M%SZ")
    except ValueError:
        return False
    return True
