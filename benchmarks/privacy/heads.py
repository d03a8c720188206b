"""How many faces are found in recordings and pictures before and after heads are blurred, and how many heads are not.

    python -m benchmarks.privacy.heads --data ../shared/data

Each clip is analysed by `posebus run` first, whose results stay in a folder for the next time. Skeletons are not drawn
here: nothing but the blurring hides a face. Faces are looked for in the whole picture and in enlarged crops of the
upper part of every box, of tracks and of the ground truth.
"""

from __future__ import annotations

import argparse
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from benchmarks.common.mot import Rows, boxes_of, corners_of, read_mot
from benchmarks.common.output import print_and_write
from benchmarks.common.paths import DATA
from benchmarks.privacy.faces import FaceDetector, YuNet, around_heads, found_by
from posebus.arrays import Float32Array, UInt8Array
from posebus.privacy.blurring import blur_heads
from posebus.runtime.python_child import python_command
from recordings.inputs import camera_settings
from recordings.privacy.timeline import HeadTimeline
from recordings.results.video import read_tracks

CLIPS = ("TUD-Stadtmitte.mp4", "one-by-one-person-detection.mp4", "vtest.avi")
HEAD_PART = 0.15
"""Of the height of a ground-truth box: the head of a person who stands."""
COVERED = 0.5
"""A head counts as covered if at least this part of it is blurred."""


@dataclass(slots=True)
class Findings:
    """Counts of one recording; faces are those in looked-at frames, heads those of all ground-truth boxes.

    `beside`: faces found after blurring whose middle is in no blurred region: people who were missed, or objects.
    """

    frames: int = 0
    before: int = 0
    after: int = 0
    beside: int = 0
    heads: int = 0
    uncovered: int = 0
    blurring_s: float = 0.0
    places: list[str] = field(default_factory=list)


def centres_in(faces: Float32Array, regions: Float32Array) -> Float32Array:
    """Return the faces (N, 4) whose middle lies in one of the regions (M, 4)."""
    middle = (faces[:, None, :2] + faces[:, None, 2:]) / 2
    inside = (middle >= regions[None, :, :2]).all(axis=2) & (middle <= regions[None, :, 2:]).all(axis=2)
    return np.asarray(faces[inside.any(axis=1)], np.float32)


def hidden_part(boxes_xyxy_px: Float32Array, regions: Float32Array, size_px: tuple[int, int]) -> Float32Array:
    """Return which part (N,) of the head in each box (N, 4) lies in regions (M, 4), of those inside the picture.

    The head is the middle third of the uppermost 15 % of the box.
    """
    hidden = np.zeros(size_px[::-1], bool)
    for left, top, right, bottom in np.clip(regions, 0, size_px * 2).astype(int).tolist():
        hidden[top : bottom + 1, left : right + 1] = True
    parts = []
    for left, top, right, bottom in boxes_xyxy_px.tolist():
        third, low = (right - left) / 3, top + HEAD_PART * (bottom - top)
        edges = np.clip([left + third, top, right - third, low], 0, size_px * 2).astype(int)
        head = hidden[edges[1] : edges[3], edges[0] : edges[2]]
        if head.size:
            parts.append(head.mean())
    return np.array(parts, np.float32)


def examine(clip: Path, jsonl: Path, detect: FaceDetector, every: int) -> Findings:
    """Blur the heads in a recording by its tracks and count; faces are looked for in every `every`-th frame."""
    from ingest.sources import open_source

    truth_path = clip.with_suffix(".gt.txt")
    truth: Rows = read_mot(truth_path, truth=True) if truth_path.is_file() else {}
    found = Findings()
    timeline = HeadTimeline(read_tracks(jsonl))
    source = open_source(camera_settings(str(clip)))
    frames = read_tracks(jsonl)
    while (picture := source.read()) is not None and (frame := next(frames, None)) is not None:
        image_bgr, size_px = picture.image_bgr, picture.image.size_px
        began_s = time.process_time()
        regions = timeline.at(picture.captured_at_ns, size_px)
        blurred = image_bgr.copy()
        blur_heads(blurred, regions)
        found.blurring_s += time.process_time() - began_s
        found.frames += 1
        boxes = corners_of(boxes_of(truth.get(frame.seq + 1, []))).astype(np.float32)
        parts = hidden_part(boxes, regions, size_px)
        found.heads += len(parts)
        found.uncovered += int((parts < COVERED).sum())
        if frame.seq % every == 0:
            people = np.array([track.box_xyxy_px for track in frame.tracks], np.float32).reshape(-1, 4)
            crops = around_heads(np.concatenate([boxes, people]))
            _look(found, frame.seq, (image_bgr, blurred), crops, regions, detect)
    source.close()
    return found


def _look(
    found: Findings,
    seq: int,
    pictures: tuple[UInt8Array, UInt8Array],
    crops: Float32Array,
    regions: Float32Array,
    detect: FaceDetector,
) -> None:
    before, after = (found_by(detect, picture, crops) for picture in pictures)
    recognised = centres_in(after, regions)
    found.before += len(centres_in(before, regions))
    found.after += len(recognised)
    found.beside += len(after) - len(recognised)
    found.places += [f"frame {seq} at {face.astype(int).tolist()}" for face in after]


def analysed(clip: Path, folder: Path) -> Path:
    """Return the tracks of a clip, by `posebus run` unless they are there already. Raises SystemExit."""
    jsonl = folder / f"{clip.stem}.tracks.jsonl"
    if jsonl.is_file():
        return jsonl
    command = python_command("-m", "posebus_cli", "run", str(clip), "--out", str(folder), "--no-video")
    ended = subprocess.run(command, stdout=subprocess.DEVNULL, check=False)
    if ended.returncode:
        raise SystemExit(f"posebus run {clip} failed")
    return jsonl


def lines(clips: Sequence[Path], folder: Path, detect: FaceDetector, every: int) -> Iterator[str]:
    """Yield the report as Markdown."""
    yield "| clip | frames | faces before | faces after | beside | ground-truth heads | not covered | CPU ms a frame |"
    yield "|---|---|---|---|---|---|---|---|"
    places = []
    for clip in clips:
        found = examine(clip, analysed(clip, folder / clip.stem), detect, every)
        ms = 1000 * found.blurring_s / max(1, found.frames)
        yield (
            f"| {clip.stem} | {found.frames} | {found.before} | {found.after} | {found.beside} | {found.heads} | "
            f"{found.uncovered} | {ms:.2f} |"
        )
        places += [f"{clip.stem} {place}" for place in found.places]
    yield ""
    yield f"Faces are looked for in every {every}. frame. Found after blurring, in regions and beside them:"
    yield from (f"- {place}" for place in places or ["none"])


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the clips, with faces/ beside them")
    parser.add_argument("--clips", nargs="+", default=list(CLIPS), help="names of files in it")
    parser.add_argument("--results", type=Path, default=Path("privacy-out"), help="folder for the analysed clips")
    parser.add_argument("--every", type=int, default=5, help="look for faces in every N-th frame (default: 5)")
    parser.add_argument("--out", type=Path, help="file for the report")
    given = parser.parse_args(arguments)
    cv2.setNumThreads(1)
    detect = YuNet(given.data / "faces" / "yunet_n_640_640.onnx")
    clips = [given.data / name for name in given.clips]
    print_and_write(lines(clips, given.results, detect, given.every), given.out)


if __name__ == "__main__":
    main()
