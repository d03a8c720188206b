"""The events of rules over saved tracks: those of a run with these rules, in seconds and without inference."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from posebus.contract.foreign_json import WRONG_DATA
from posebus.contract.public_json import parse, track_frame_from_json
from posebus.errors import ConfigError, MalformedMessage, OutputError
from posebus.messages import Delivery, EndOfStream, Event, TrackFrame
from tracking.rules import Rules

TRACKS = ".tracks.jsonl"


def replayed(frames: Iterable[TrackFrame], rules: Mapping[str, Any]) -> Iterator[Event]:
    """Yield the events of `rules` over the frames of one camera, and at their end what was still happening.

    Raises ConfigError for a rule that is wrong or failed, and for frames of several cameras.
    """
    opened: Rules | None = None
    last: TrackFrame | None = None
    for frame in frames:
        if opened is None:
            opened = Rules(rules, frame.camera, frame.size_px)
        if last is not None and frame.camera != last.camera:
            raise ConfigError(
                f"the tracks are of several cameras, such as {last.camera} and {frame.camera}: give those of one"
            )
        yield from opened.update(frame)
        if opened.problems:
            raise ConfigError("; ".join(opened.problems.values()))
        last = frame
    if opened is not None and last is not None:
        mark = EndOfStream(last.camera, last.epoch, last.seq + 1, last.captured_at_ns, Delivery.LOSSLESS)
        yield from opened.end(mark)


def saved_frames(path: Path) -> Iterator[TrackFrame]:
    """Yield the frames in a file of tracks. Raises OutputError if it cannot be read, MalformedMessage with the line."""
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                if line.strip():
                    yield _frame(path, number, line)
    except OSError as error:
        raise OutputError(f"{path} cannot be read: {error.strerror or error}") from None


def _frame(path: Path, number: int, line: bytes) -> TrackFrame:
    try:
        return track_frame_from_json(parse(line))[0]
    except (MalformedMessage, *WRONG_DATA) as error:
        raise MalformedMessage(
            f"{path}:{number}: {error}; give a NAME{TRACKS} of `posebus run`, or what `posebus watch --json` printed"
        ) from None
