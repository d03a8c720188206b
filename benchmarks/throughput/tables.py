"""How long reading tracks into a data frame takes, by format: `python -m benchmarks.throughput.tables`.

The rows are random, in files that the writers of `posebus run` wrote; every time is the median of several readings in
one process, after a first one that also loads the libraries.
"""

from __future__ import annotations

import argparse
import platform
import statistics
import tempfile
import time
from collections.abc import Callable
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


def median_s(read: Callable[[], Any], repeats: int) -> float:
    """Return the median time of `read` in seconds, after one call that is not counted."""
    read()
    times_s = []
    for _ in range(repeats):
        begin_s = time.perf_counter()
        read()
        times_s.append(time.perf_counter() - begin_s)
    return statistics.median(times_s)


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
        print(
            "| format | MB | written in ms a frame | `read_tracks` in s | `.to_pandas()` with it | the library itself |"
        )
        print("|---|---|---|---|---|---|")
        own = {"csv": pandas.read_csv, "parquet": pandas.read_parquet}
        for one in FORMATS:
            (path,) = folder.glob("clip.mot.txt" if one == "mot" else f"clip.tracks.{one}")
            alone_s = median_s(lambda path=path: read_tracks(path), arguments.repeats)  # type: ignore[misc]
            framed_s = median_s(lambda path=path: read_tracks(path).to_pandas(), arguments.repeats)  # type: ignore[misc]
            other = "-"
            if one in own:
                other_s = median_s(lambda path=path, read=own[one]: read(path), arguments.repeats)  # type: ignore[misc]
                other = f"pandas {other_s:.2f} s"
            per_frame_ms = 1000 * spent_s[one] / (arguments.rows / PEOPLE)
            megabytes = path.stat().st_size / 1e6
            print(f"| {one} | {megabytes:.0f} | {per_frame_ms:.2f} | {alone_s:.2f} | {framed_s:.2f} | {other} |")


if __name__ == "__main__":
    main()
