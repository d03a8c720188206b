"""How long reading tracks into a data frame takes, by format: `python -m benchmarks.throughput.tables`.

The rows are random, in files that the writers of `posebus run` wrote; every time is the median of several readings in
one process, after a first one that also loads the libraries. Ten people are in each frame.
"""

from __future__ import annotations

import argparse
import platform
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from posebus import read_tracks
from posebus.messages import CaptureClock, Delivery, Provenance, Track, TrackFrame
from recordings.results.tracks_writer import TracksWriter

PEOPLE = 10
FORMATS = ("jsonl", "csv", "parquet", "mot")


def random_frame(seq: int, rng: np.random.Generator) -> TrackFrame:
    """A frame with `PEOPLE` people, all numbers of which are random."""
    tracks = []
    for number in range(1, PEOPLE + 1):
        corner = rng.uniform(0, 900, 2)
        keypoints = rng.uniform(0, 1000, (17, 3)).astype(np.float32)
        keypoints[:, 2] /= 1000
        track = Track(
            id=number,
            box_xyxy_px=np.concatenate([corner, corner + rng.uniform(40, 300, 2)]).astype(np.float32),
            score=float(rng.uniform(0.3, 1)),
            keypoints_px=keypoints,
            state="confirmed",
            age_s=seq / 25,
            velocity_px_s=rng.normal(0, 30, 2).astype(np.float32),
            keypoint_visibility=rng.integers(0, 3, 17).astype(np.uint8),
        )
        tracks.append(track)
    return TrackFrame("clip", 1, seq, seq * 40_000_000, (1280, 720), tuple(tracks))


def write(folder: Path, rows: int) -> dict[str, float]:
    """Write the files of all formats; returns the seconds of processor time of each."""
    provenance = Provenance(CaptureClock.FILE, Delivery.LOSSLESS, 1, 2)
    spent_s = {}
    for one in FORMATS:
        rng = np.random.default_rng(0)
        with TracksWriter(folder, "clip", [one]) as writer:
            total_s = 0.0
            for seq in range(rows // PEOPLE):
                frame = random_frame(seq, rng)
                begin_s = time.process_time()
                writer.write(frame, provenance)
                total_s += time.process_time() - begin_s
            begin_s = time.process_time()
            writer.complete()
            spent_s[one] = total_s + time.process_time() - begin_s
    return spent_s


def times_of(read: Callable[[], Any], repeats: int) -> str:
    """Return the medians of the time and of the processor time of `read`, after one call that is not counted."""
    read()
    times_s, processor_s = [], []
    for _ in range(repeats):
        begin_s, began_s = time.perf_counter(), time.process_time()
        read()
        times_s.append(time.perf_counter() - begin_s)
        processor_s.append(time.process_time() - began_s)
    return f"{statistics.median(times_s):.2f} ({statistics.median(processor_s):.2f})"


def main() -> None:
    """Write the files and print a table of the times."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    import pandas

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        spent_s = write(folder, arguments.rows)
        print(f"{arguments.rows} rows, Python {platform.python_version()}, pandas {pandas.__version__}\n")
        print("Seconds, and in parentheses of processor time.\n")
        print("| format | MB | written, ms a frame | `read_tracks` | with `.to_pandas()` | pandas itself |")
        print("|---|---|---|---|---|---|")
        own = {"csv": pandas.read_csv, "parquet": pandas.read_parquet}
        for one in FORMATS:
            (path,) = folder.glob("clip.mot.txt" if one == "mot" else f"clip.tracks.{one}")
            alone = times_of(partial(read_tracks, path), arguments.repeats)
            framed = times_of(partial(_framed, path), arguments.repeats)
            other = times_of(partial(own[one], path), arguments.repeats) if one in own else "-"
            per_frame_ms = 1000 * spent_s[one] / (arguments.rows / PEOPLE)
            print(f"| {one} | {path.stat().st_size / 1e6:.0f} | {per_frame_ms:.2f} | {alone} | {framed} | {other} |")


def _framed(path: Path) -> Any:
    return read_tracks(path).to_pandas()


if __name__ == "__main__":
    main()
