"""The table of `posebus camera list`: the cameras of a file and of running deployments, with their states."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict

from posebus.changing.camera_lines import CameraLine
from posebus.config.redaction import harmless


def as_dicts(lines: Sequence[CameraLine]) -> list[dict[str, object]]:
    """The lines as plain data, for `--json`."""
    return [asdict(line) for line in lines]


def table(lines: Sequence[CameraLine]) -> Iterator[str]:
    """The lines as text with aligned columns; a reason stands at the end of its line."""
    body = [(line.name, line.state, _rate(line.fps), _rate(line.max_fps), line.source) for line in lines]
    rows = [("CAMERA", "STATE", "FPS", "MAX", "SOURCE"), *body]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    for index, (name, state, fps, most, source) in enumerate(rows):
        reason = lines[index - 1].reason if index else None
        text = "  ".join(
            [name.ljust(widths[0]), state.ljust(widths[1]), fps.rjust(widths[2]), most.rjust(widths[3]), source]
        )
        yield harmless(f"{text}  ({reason})" if reason else text)


def _rate(fps: float | None) -> str:
    return "-" if fps is None else f"{fps:g}"
