"""summary.json of a run of live cameras. Its fields are fixed, because other programs read them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from posebus.config.redaction import redact_known, redact_url
from recordings.fleet_watch import Workers
from recordings.live.recorded_camera import RecordedCamera
from recordings.results.tally import percentiles_ms, rate
from recordings.summary import Summary


def summarise_live(
    cameras: Sequence[RecordedCamera], workers: Workers, wall_s: float, failed: Mapping[str, str], ended_by: str
) -> Summary:
    """Return the summary of a run. `failed`: sources by name that gave nothing, with the reason.

    `fps` is of the frames whose tracks came out, by their capture times; `skipped` are frames for which the workers had
    no time; `age_ms` is from a frame's capture to its tracks. `ended_by` is `seconds`, `interrupt` or `end`.
    """
    recorded = [camera for camera in cameras if camera.counts.frames]
    refused = [*failed.items(), *((one.source.name, one.error) for one in cameras if one.error is not None)]
    return {
        "live": True,
        "inputs": [_input(camera) for camera in recorded],
        "frames": sum(camera.counts.frames for camera in recorded),
        "skipped": sum(camera.counts.skipped for camera in recorded),
        "age_ms": percentiles_ms([camera.counts.ages_ms for camera in recorded]),
        "wall_s": round(wall_s, 3),
        "ended_by": ended_by,
        "engine": workers.engine,
        "precision": workers.precision,
        "imgsz": workers.imgsz,
        "warnings": [
            {"name": camera.source.name, "warning": redact_known(text, camera.source.source)}
            for camera in recorded
            for text in camera.warnings
        ],
        "failed": [{"name": name, "error": error} for name, error in refused],
    }


def _input(camera: RecordedCamera) -> dict[str, Any]:
    counts, source = camera.counts, camera.source
    span_s = (camera.last_captured_at_ns - camera.first_captured_at_ns) / 1e9
    return {
        "name": source.name,
        "source": {
            "path": redact_url(source.source),
            "size_px": list(source.size_px),
            "fps": None if source.fps is None else round(source.fps, 3),
            "first_captured_at_ns": camera.first_captured_at_ns,
            "duration_s": round(span_s, 3),
        },
        "frames": counts.frames,
        "tracks": len(counts.identities),
        "fps": rate(counts.frames - 1, span_s),
        "skipped": counts.skipped,
        "reconnects": camera.reconnects,
        "age_ms": percentiles_ms([counts.ages_ms]),
        **({"views": dict(counts.views.most_common())} if counts.views else {}),
    }
