"""summary.json: counts, speed and errors of one run. Its fields are fixed, because other programs read them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence, Set
from datetime import UTC, datetime
from itertools import chain, count
from pathlib import Path
from typing import Any

from posebus.contract.foreign_json import load_json
from posebus.errors import MalformedMessage
from recordings.fleet_watch import Workers
from recordings.recording_analysis import RecordingResult
from recordings.results.claims import locked
from recordings.results.earlier_run import size_of
from recordings.results.files import partial, write_at_once
from recordings.results.tally import processing_s, rate

FILE_NAME = "summary.json"

MAX_SUMMARY_BYTES = 100_000_000

Summary = dict[str, Any]


def summary_name(used: Set[str]) -> str:
    """Return summary.json, or the first of summary-2.json, summary-3.json, … that is not `used`."""
    path = Path(FILE_NAME)
    numbered = (f"{path.stem}-{number}{path.suffix}" for number in count(2))
    return next(name for name in chain([FILE_NAME], numbered) if name not in used)


def summarise(
    results: Sequence[RecordingResult],
    workers: Workers,
    wall_s: float,
    refused: Mapping[str, str],
) -> Summary:
    """Return the summary of a run. `refused`: inputs by name that failed outside the pipeline, with the error.

    `fps` is frames by `processing_s`, the time from the first frame published by the ingest to the last one published
    by the tracker; `speed` is the length of the recordings by the same time, so 2 is twice as fast as they play, None
    where none has a length. `wall_s` is the whole run, with loading the network and drawing. `dropped` is frames in
    minus out.
    """
    done = [result for result in results if result.error is None]
    tallies = [result.tally for result in done]
    failed = [*refused.items(), *((one.recording.name, one.error) for one in results if one.error is not None)]
    frames = sum(tally.frames for tally in tallies)
    span_s = processing_s(tallies)
    return {
        "inputs": [_input(result) for result in done],
        "frames": frames,
        "fps": rate(frames, span_s),
        "speed": _speed(sum(map(_length_s, done)), span_s),
        "processing_s": round(span_s, 3),
        "wall_s": round(wall_s, 3),
        "dropped": sum(result.frames_in for result in done) - frames,
        "engine": workers.engine,
        "precision": workers.precision,
        "imgsz": workers.imgsz,
        "warnings": [{"name": one.recording.name, "warning": one.warning} for one in done if one.warning is not None],
        "failed": [{"name": name, "error": error} for name, error in failed],
    }


def merged(older: Summary, newer: Summary) -> Summary:
    """Return one summary of recordings that were analysed by separate jobs, for instance on several machines.

    Inputs of the same name are replaced. Times are added as if the jobs had run one after the other.
    """
    inputs = _by_name(older["inputs"], newer["inputs"])
    frames = sum(entry["frames"] for entry in inputs)
    spent_s = sum(entry["processing_s"] for entry in inputs)
    together = {**newer, "inputs": inputs, "frames": frames, "fps": rate(frames, spent_s)}
    together["speed"] = _speed(sum(entry["source"]["duration_s"] or 0.0 for entry in inputs), spent_s)
    together["processing_s"] = round(spent_s, 3)
    together["wall_s"] = round(older["wall_s"] + newer["wall_s"], 3)
    together["dropped"] = sum(entry["dropped"] for entry in inputs)
    for name in ("engine", "precision", "imgsz"):
        values = dict.fromkeys(str(one[name]) for one in (older, newer) if one[name] is not None)
        together[name] = newer[name] if len(values) == 1 and newer[name] is not None else ", ".join(values) or None
    together["warnings"] = _by_name(older["warnings"], newer["warnings"])
    together["failed"] = _by_name(older["failed"], newer["failed"])
    return together


def write_summary(path: Path, summary: Summary) -> None:
    """Write summary.json at once, by renaming a complete file. Raises OutputError."""
    write_at_once(path, _text(summary).encode(errors="backslashreplace"))


def write_partial_summary(path: Path, summary: Summary) -> None:
    """Write the summary of an interrupted run under a partial name. Raises OutputError."""
    write_at_once(partial(path), _text(summary).encode(errors="backslashreplace"))


def add_to_summary(folder: Path, summary: Summary, batch: str) -> None:
    """Merge `summary` into the summary.json of the jobs submitted together (`batch`); any other one is replaced.

    Several jobs may end at the same moment, on several machines, too, if the file system supports locks.
    Raises OutputError.
    """
    with locked(folder):
        older = read_summary(folder / FILE_NAME)
        same = older is not None and older.get("batch") == batch
        write_summary(folder / FILE_NAME, {**(merged(older, summary) if older and same else summary), "batch": batch})


def _input(result: RecordingResult) -> dict[str, Any]:
    tally = result.tally
    return {
        "name": result.recording.name,
        "source": _source(result),
        "frames": tally.frames,
        "tracks": len(tally.identities),
        "fps": rate(tally.frames, tally.processing_s),
        "speed": _speed(_length_s(result), tally.processing_s),
        "processing_s": round(tally.processing_s, 3),
        "dropped": result.frames_in - tally.frames,
        "people": [person.row() for person in result.people],
        **({"views": dict(tally.views.most_common())} if tally.views else {}),
    }


def _source(result: RecordingResult) -> dict[str, Any]:
    """Return what was analysed: `fps` and `duration_s` by the frames' own times, None where they have none."""
    recording, tally = result.recording, result.tally
    modified_s = _modified_s(recording.source)
    fps = tally.recorded_fps if recording.timed else None
    return {
        "path": recording.source if "://" in recording.source else str(Path(recording.source).absolute()),
        "size_bytes": size_of(recording.source),
        "modified_at": None if modified_s is None else utc_text(modified_s),
        "size_px": list(recording.size_px),
        "frames": result.frames_in,
        "fps": None if fps is None else round(fps, 3),
        "duration_s": round(_length_s(result), 3) or None,
    }


def utc_text(time_s: float) -> str:
    """Return a time of the Unix epoch in UTC, to the second (ISO 8601)."""
    return datetime.fromtimestamp(time_s, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _modified_s(source: str) -> float | None:
    try:
        return Path(source).stat().st_mtime
    except (OSError, ValueError):
        return None


def _length_s(result: RecordingResult) -> float:
    """Return how long the recording plays; 0 for pictures, which have no times."""
    return result.tally.recorded_s if result.recording.timed else 0.0


def _speed(recorded_s: float, spent_s: float) -> float | None:
    return round(recorded_s / spent_s, 2) if recorded_s > 0 and spent_s > 0 else None


def _by_name(older: list[dict[str, Any]], newer: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted({entry["name"]: entry for entry in [*older, *newer]}.values(), key=lambda entry: str(entry["name"]))


def read_summary(path: Path) -> Summary | None:
    """Return the content of a summary; None if there is none that can be read."""
    try:
        data = load_json(path.read_bytes(), FILE_NAME, MAX_SUMMARY_BYTES)
    except (OSError, MalformedMessage):
        return None
    return data if isinstance(data, dict) else None


def _text(summary: Summary) -> str:
    return json.dumps(summary, indent=2, ensure_ascii=False) + "\n"
