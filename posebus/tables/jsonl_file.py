"""Tracks from JSON lines: files of a run, and messages that a subscriber or `posebus watch --json` wrote down."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from posebus.contract.foreign_json import WRONG_DATA, load_object
from posebus.contract.public_json import track_frame_from_json, track_frame_to_json
from posebus.errors import MalformedMessage
from posebus.messages import Provenance
from posebus.subscribing.renaming import FinalIds
from posebus.tables.rows import Columns, RowBuilder

PART_ROWS = 1024
"""Rows that are converted together: parsed JSON takes many times the memory of arrays."""


class Line(NamedTuple):
    """A message of tracks and the number of its line, from 1."""

    number: int
    message: dict[str, Any]


class Truncated(MalformedMessage):
    """The last line of a file is incomplete."""


class _Renamed(Exception):
    """A message corrects earlier ones."""


def read_jsonl(path: Path, parts: list[Columns]) -> None:
    """Append the tracks in `path` to `parts`. Raises MalformedMessage, OSError.

    On Truncated `parts` has the lines before. Numbers are final: where a message corrects earlier ones (`renamed`), the
    tracks of these get the corrected numbers.
    """
    already = len(parts)
    try:
        _convert(_uncorrected(_lines(path)), parts, path)
    except _Renamed:
        del parts[already:]
        _convert(_corrected(_lines(path)), parts, path)


def _convert(lines: Iterable[Line], parts: list[Columns], path: Path) -> None:
    builder, pending = RowBuilder(), list[Line]()
    try:
        for line in lines:
            pending.append(line)
            builder.add(line.message)
            if len(builder) >= PART_ROWS:
                parts.append(builder.take())
                pending.clear()
    except Truncated:
        parts.append(_last(builder, pending, path))
        raise
    except WRONG_DATA as error:
        raise _about(path, pending, error) from None
    parts.append(_last(builder, pending, path))


def _last(builder: RowBuilder, pending: list[Line], path: Path) -> Columns:
    try:
        return builder.take()
    except WRONG_DATA as error:
        raise _about(path, pending, error) from None


def _about(path: Path, pending: list[Line], error: Exception) -> MalformedMessage:
    """Return the error about the first of the lines `pending` that is no message of tracks."""
    for line in pending:
        alone = RowBuilder()
        try:
            alone.add(line.message)
            alone.take()
        except WRONG_DATA as reason:
            return _malformed(path, line.number, reason)
    return _malformed(path, pending[-1].number, error)


def _malformed(path: Path, number: int, reason: Exception) -> MalformedMessage:
    what = f"no {reason}" if isinstance(reason, KeyError) else str(reason)[:150]
    return MalformedMessage(f"{path}, line {number}, is not a frame with tracks as posebus writes it: {what}")


def _lines(path: Path) -> Iterator[Line]:
    """Yield the messages of tracks; events are left out. Raises MalformedMessage, also if there are events alone."""
    events = messages = 0
    with path.open("rb") as file:
        for number, raw in enumerate(file, 1):
            if not raw.strip():
                continue
            try:
                message = load_object(raw, f"{path}, line {number},")
            except MalformedMessage:
                if not raw.endswith(b"\n"):
                    raise Truncated(f"{path} ends in the middle of line {number}") from None
                raise
            if "specversion" in message:
                events += 1
                continue
            messages += 1
            yield Line(number, message)
    if events and not messages:
        raise MalformedMessage(f"{path} holds events, no tracks; the tracks of a run are in NAME.tracks.jsonl")


def _uncorrected(lines: Iterable[Line]) -> Iterator[Line]:
    for line in lines:
        if line.message.get("renamed"):
            raise _Renamed
        yield line


def _corrected(lines: Iterable[Line]) -> Iterator[Line]:
    """Yield the frames of each camera with final numbers, as soon as no correction can reach them."""
    cameras: dict[str, FinalIds[tuple[int, Provenance]]] = {}
    try:
        for line in lines:
            frame, provenance = track_frame_from_json(line.message)
            final = cameras.setdefault(frame.camera, FinalIds())
            for one, (number, of_frame) in final.push(frame, (line.number, provenance)):
                yield Line(number, track_frame_to_json(replace(one, renamed=()), of_frame, of_frame.published_at_ns))
    except Truncated:
        yield from _rest(cameras)
        raise
    yield from _rest(cameras)


def _rest(cameras: dict[str, FinalIds[tuple[int, Provenance]]]) -> Iterator[Line]:
    for final in cameras.values():
        for one, (number, of_frame) in final.rest():
            yield Line(number, track_frame_to_json(one, of_frame, of_frame.published_at_ns))
