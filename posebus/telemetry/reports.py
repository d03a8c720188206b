"""Reading what processes report of themselves, whatever version of posebus they are: what is odd counts as absent."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

Report = Mapping[str, Any]


def section(report: Report, name: str) -> Mapping[str, Any]:
    """A mapping in a report, empty where another version of posebus reports something else there."""
    found = report.get(name)
    return found if isinstance(found, Mapping) else {}


def number(value: object) -> float | None:
    """`value` if it is a finite number."""
    return value if isinstance(value, (int, float)) and math.isfinite(value) else None


def count(value: object) -> int:
    """`value` as a whole number, 0 where it is none."""
    return int(number(value) or 0)


def size_in_words(imgsz: object) -> str:
    """The `imgsz` of workers, or of several that differ ("640, auto")."""
    return "sizes of its own choice" if imgsz == "auto" else f"{imgsz} px"


def of_camera(processes: Mapping[str, Report], role: str, camera: str) -> tuple[str, Report]:
    """The process of `role` that has `camera`, and what it says of it; the newest, if a dying one still reports."""
    found = [
        (count(report.get("at_ns")), name, section(section(report, "cameras"), camera))
        for name, report in processes.items()
        if report.get("role") == role and camera in section(report, "cameras")
    ]
    _, name, said = max(found, key=lambda entry: entry[:2], default=(0, "", {}))
    return name, said


def losses(source: Report) -> dict[str, int]:
    """Frames that were lost before they had a number, by reason, from what ingest reports of a camera."""
    found = {str(reason): count(lost) for reason, lost in section(source, "dropped").items()}
    # What ingest skips in the broker reaches the tracker as a mark, which counts it too.
    found.pop("overflow", None)
    return found


def imgsz_of(view: object) -> float | None:
    """The size in the text of a `posebus.views.View`; None where that is none."""
    size = view.partition("/")[0] if isinstance(view, str) else ""
    return float(size) if size.isdecimal() and len(size) < 6 else None
