"""The events of rules over saved tracks: those of a run with these rules, in seconds and without inference."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from posebus.contract.foreign_json import WRONG_DATA
from posebus.contract.public_json import event_from_json, parse, track_frame_from_json
from posebus.errors import ConfigError, MalformedMessage, OutputError
from posebus.messages import Delivery, EndOfStream, Event, EventType, TrackFrame
from tracking.rules import Rules

Cuts = frozenset[tuple[int, int]]
"""(epoch, seq) of frames."""
CUT = EventType.CAMERA_CUT.value.encode()
TRACKS, EVENTS = ".tracks.jsonl", ".events.jsonl"
NO_CUTS: Cuts = frozenset()


def replayed(frames: Iterable[TrackFrame], rules: Mapping[str, Any], cuts: Cuts = NO_CUTS) -> Iterator[Event]:
    """Yield the events of `rules` over the frames of one camera, and at their end what was still happening.

    cuts: the frames with which another shot begins: it has ended all tracks before it, which left no zone by walking.
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
        yield from opened.update(frame, "cut" if (frame.epoch, frame.seq) in cuts else "unseen")
        if opened.problems:
            raise ConfigError("; ".join(opened.problems.values()))
        last = frame
    if opened is not None and last is not None:
        mark = EndOfStream(last.camera, last.epoch, last.seq + 1, last.captured_at_ns, Delivery.LOSSLESS)
        yield from opened.end(mark)


def saved_frames(path: Path) -> Iterator[TrackFrame]:
    """Yield the frames in a file of tracks; events between them, as `posebus watch` prints them, are left out.

    Raises OutputError if it cannot be read, MalformedMessage with the line.
    """
    for number, line in _lines(path):
        frame = _frame(path, number, line)
        if frame is not None:
            yield frame


def saved_cuts(path: Path) -> Cuts | None:
    """Return the cuts in the file of events that a run wrote beside the tracks at `path`; None if it is not there.

    Of tracks that `posebus watch` printed, the events are in the same file. Raises OutputError and MalformedMessage.
    """
    events = path
    if path.name.endswith(TRACKS):
        events = path.with_name(path.name.removesuffix(TRACKS) + EVENTS)
        if not events.is_file():
            return None
    found = (_cut(events, number, line) for number, line in _lines(events) if CUT in line)
    return frozenset(cut for cut in found if cut is not None)


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    try:
        with path.open("rb") as file:
            yield from ((number, line) for number, line in enumerate(file, start=1) if line.strip())
    except OSError as error:
        raise OutputError(f"{path} cannot be read: {error.strerror or error}") from None


def _cut(path: Path, number: int, line: bytes) -> tuple[int, int] | None:
    try:
        event = event_from_json(parse(line))
    except (MalformedMessage, *WRONG_DATA) as error:
        raise MalformedMessage(f"{path}:{number}: {error}") from None
    return (event.epoch, event.seq) if event.type == EventType.CAMERA_CUT else None


def _frame(path: Path, number: int, line: bytes) -> TrackFrame | None:
    try:
        content = parse(line)
        if isinstance(content, dict) and "specversion" in content:
            return None
        return track_frame_from_json(content)[0]
    except (MalformedMessage, *WRONG_DATA) as error:
        raise MalformedMessage(
            f"{path}:{number}: {error}; give a NAME{TRACKS} of `posebus run`, or what `posebus watch --json` printed"
        ) from None
