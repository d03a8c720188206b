"""summary.json: counts, speed and errors of one run. Its fields are fixed, because other programs read them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from recordings.fleet_watch import Workers
from recordings.recording_analysis import RecordingResult
from recordings.results.claims import locked
from recordings.results.files import partial, write_at_once
from recordings.results.tally import percentiles_ms, processing_s, rate

FILE_NAME = "summary.json"

Summary = dict[str, Any]


def summarise(
    results: Sequence[RecordingResult],
    workers: Workers,
    wall_s: float,
    refused: Mapping[str, str],
) -> Summary:
    """Return the summary of a run. `refused`: inputs by name that failed outside the pipeline, with the error.

    `fps` is frames by `processing_s`, the time from the first frame published by the ingest to the last one published
    by the tracker; `wall_s` is the whole run, with loading the network and drawing. `dropped` is frames in minus out.
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
        "processing_s": round(span_s, 3),
        "wall_s": round(wall_s, 3),
        "dropped": sum(result.frames_in for result in done) - frames,
        "engine": workers.engine,
        "precision": workers.precision,
        "imgsz": workers.imgsz,
        "latency_ms": percentiles_ms(tally.latencies_ms for tally in tallies),
        "warnings": [{"name": one.recording.name, "warning": one.warning} for one in done if one.warning is not None],
        "failed": [{"name": name, "error": error} for name, error in failed],
    }


def merged(older: Summary, newer: Summary) -> Summary:
    """Return one summary of recordings that were analysed by separate jobs, for instance on several machines.

    Inputs of the same name are replaced. Times are added as if the jobs had run one after the other. A percentile of
    the latency is that of the worst input, which is never below that of all frames together.
    """
    inputs = _by_name(older["inputs"], newer["inputs"])
    frames = sum(entry["frames"] for entry in inputs)
    spent_s = sum(entry["processing_s"] for entry in inputs)
    together = {**newer, "inputs": inputs, "frames": frames, "fps": rate(frames, spent_s)}
    together["processing_s"] = round(spent_s, 3)
    together["wall_s"] = round(older["wall_s"] + newer["wall_s"], 3)
    together["dropped"] = sum(entry["dropped"] for entry in inputs)
    for name in ("engine", "precision", "imgsz"):
        values = dict.fromkeys(str(one[name]) for one in (older, newer) if one[name] is not None)
        together[name] = newer[name] if len(values) == 1 and newer[name] is not None else ", ".join(values) or None
    latencies = [entry["latency_ms"] for entry in inputs if entry["frames"]]
    together["latency_ms"] = {rank: max((one[rank] for one in latencies), default=None) for rank in newer["latency_ms"]}
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
        older = _read(folder / FILE_NAME)
        same = older is not None and older.get("batch") == batch
        write_summary(folder / FILE_NAME, {**(merged(older, summary) if older and same else summary), "batch": batch})


def _input(result: RecordingResult) -> dict[str, Any]:
    tally = result.tally
    return {
        "name": result.recording.name,
        "frames": tally.frames,
        "tracks": len(tally.identities),
        "fps": rate(tally.frames, tally.processing_s),
        "processing_s": round(tally.processing_s, 3),
        "dropped": result.frames_in - tally.frames,
        "latency_ms": percentiles_ms([tally.latencies_ms]),
        **({"views": dict(tally.views.most_common())} if tally.views else {}),
    }


def _by_name(older: list[dict[str, Any]], newer: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted({entry["name"]: entry for entry in [*older, *newer]}.values(), key=lambda entry: str(entry["name"]))


def _read(path: Path) -> Summary | None:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return data if isinstance(data, dict) else None


def _text(summary: Summary) -> str:
    return json.dumps(summary, indent=2, ensure_ascii=False) + "\n"
