"""The formats with one line for each frame or each track: JSON lines, CSV, MOTChallenge."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from posebus.contract.public_json import dump
from posebus.messages import TrackFrame, TrackState
from posebus.tables.columns import FILE_COLUMNS, FLOOR_COLUMNS, KEYPOINTS
from posebus.tables.rows import floor_values
from posebus.tables.times import TimeOrigin
from recordings.results.formats.writer import Message, Target, TextWriter, ToText, check_keypoints

CRLF = "\r\n"
"""The end of a line in CSV (RFC 4180)."""
_NO_KEYPOINTS = ",,,,0" * KEYPOINTS
_NO_FLOOR = "," * len(FLOOR_COLUMNS)


def jsonl(target: Target) -> TextWriter:
    """Return the writer of NAME.tracks.jsonl: each line is a message of the stream `tracks`."""
    return TextWriter(target.folder / f"{target.name}.tracks.jsonl", lambda: lambda _, message: dump(message) + "\n")


def mot(target: Target) -> TextWriter:
    """Return the writer of NAME.mot.txt: the confirmed tracks in the format of MOTChallenge."""
    return TextWriter(target.folder / f"{target.name}.mot.txt", lambda: lambda frame, _: "".join(mot_lines(frame)))


def csv(target: Target) -> TextWriter:
    """Return the writer of NAME.tracks.csv: a row for each track in each frame, and the columns of `FILE_COLUMNS`.

    Follows RFC 4180. Every field is a number, true, false or the word of a state, so that none needs quotes and none is
    taken for a formula by a spreadsheet; unknown values are empty.
    """
    header = ",".join(column.name for column in FILE_COLUMNS) + CRLF
    path = target.folder / f"{target.name}.tracks.csv"
    return TextWriter(path, lambda: csv_rows(path), header)


def mot_lines(frame: TrackFrame) -> Iterator[str]:
    """Yield the confirmed tracks of `frame` as rows of a MOTChallenge result file (Leal-Taixé et al. 2015).

    Coasted tracks are among them with their predicted boxes: ground truth in this format continues while a person is
    hidden. Columns: frame from 1, id, left, top, width, height in source pixels, score, -1 for the world coordinates.
    """
    for track in frame.tracks:
        if track.state == TrackState.CONFIRMED:
            left, top, right, bottom = (float(value) for value in track.box_xyxy_px)
            box = f"{left:.2f},{top:.2f},{right - left:.2f},{bottom - top:.2f}"
            yield f"{frame.seq + 1},{track.id},{box},{track.score:.4f},-1,-1,-1\n"


def csv_rows(path: Path) -> ToText:
    """Return a function that turns a frame into the rows of its tracks in `path`."""
    times = TimeOrigin()

    def rows(_: TrackFrame, message: Message) -> str:
        check_keypoints(message, path)
        start = f"{message['seq']},{times.time_s(message)!r},{message['captured_at_ns']}"
        width_px, height_px = message["size_px"]
        of_frame = f"{_flag(message['inferred'])},{width_px},{height_px}"
        return "".join(_row(start, of_frame, track) for track in message["tracks"])

    return rows


def _row(start: str, of_frame: str, track: dict[str, Any]) -> str:
    numbers = ",".join(map(repr, (track["score"], track["age_s"], *track["box_xyxy_px"], *track["velocity_px_s"])))
    identity = f"{track['id']},{track['state']},{_flag(track['coasted'])}"
    return f"{start},{identity},{of_frame},{numbers}{_keypoints(track)}{_floor(track)}{CRLF}"


def _floor(track: dict[str, Any]) -> str:
    if "distance_m" not in track:
        return _NO_FLOOR
    return "," + ",".join("" if value != value else repr(value) for value in floor_values(track))


def _keypoints(track: dict[str, Any]) -> str:
    keypoints = track["keypoints_px"]
    if not keypoints:
        return _NO_KEYPOINTS
    flags = track["keypoint_visibility"] or [0] * len(keypoints)
    return "".join(
        f",{x!r},{y!r},{confidence!r},{flag}" for (x, y, confidence), flag in zip(keypoints, flags, strict=True)
    )


def _flag(value: bool) -> str:
    return "true" if value else "false"
