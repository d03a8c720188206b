"""A day in a corridor, shortened to minutes: a clip's people walk through its empty scene during a tenth of the day.

    python -m benchmarks.corridor.day ../shared/data/one-by-one-person-detection.mp4 TRACKS.mot.txt DAY.mp4

TRACKS holds the tracks of a run over the clip (`posebus run CLIP --imgsz 1280`). The light goes from night through noon
to evening, a lamp is switched off and on, clouds pass, the camera's noise grows in the dark, and H.264 adds its
artefacts. Beside the video, DAY.gt.txt is the ground truth in MOTChallenge format, and DAY.json holds the times of the
visits. The same seed gives the same day.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from benchmarks.common.frames import BgrImage
from benchmarks.common.mot import Rows, read_mot
from benchmarks.common.options import even_size_px
from benchmarks.corridor.clip import (
    Mask,
    Passage,
    empty_scene,
    passages,
    person_mask,
    rate_and_frames,
    read_frames,
)
from benchmarks.corridor.light import SensorNoise, lamp_field, light_at, lit

OCCUPIED = 0.1
"""The part of the day with people in view."""
FIRST_EMPTY_S = 5.0
CRF = 23


@dataclass(frozen=True, slots=True)
class Visit:
    """`passage` of the clip is shown from frame `begin` of the day on, numbered from 1."""

    begin: int
    passage: Passage

    @property
    def end(self) -> int:
        """The last frame of the visit."""
        return self.begin + self.passage.frames - 1


@dataclass(frozen=True, slots=True)
class DayRequest:
    """The inputs and settings of a day; the video is written to `out`."""

    clip: Path
    tracks: Path
    out: Path
    minutes: float = 12.0
    size_px: tuple[int, int] | None = None
    seed: int = 1


def main() -> None:
    """Write the video of a day."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clip", type=Path, help="video of people who walk past")
    parser.add_argument("tracks", type=Path, metavar="TRACKS", help="tracks of the clip in MOTChallenge format")
    parser.add_argument("out", type=Path, metavar="DAY.mp4", help="video to write")
    parser.add_argument("--minutes", type=float, default=12.0, help="length of the video")
    parser.add_argument("--size", type=even_size_px, metavar="WxH", help="scale to this size, such as 1280x720")
    parser.add_argument("--seed", type=int, default=1, help="seed of the random numbers")
    arguments = parser.parse_args()
    visits = make_day(
        DayRequest(
            clip=arguments.clip,
            tracks=arguments.tracks,
            out=arguments.out,
            minutes=arguments.minutes,
            size_px=arguments.size,
            seed=arguments.seed,
        )
    )
    print(f"{arguments.out}: {len(visits)} visits", file=sys.stderr)


def make_day(request: DayRequest) -> list[Visit]:
    """Write video, ground truth and visits; returns the visits. Raises SystemExit if the clip or the day is too
    short."""
    fps, clip_frames = rate_and_frames(request.clip)
    rows = read_mot(request.tracks)
    found = passages(rows, clip_frames, fps)
    frames = round(request.minutes * 60 * fps)
    visits = schedule(found, frames, round(FIRST_EMPTY_S * fps), np.random.default_rng(request.seed))
    plate = empty_scene(request.clip, rows, clip_frames)
    cut_outs = _cut_outs(request.clip, plate, rows, {visit.passage for visit in visits})
    _write_video(request, plate, cut_outs, visits, (frames, fps))
    scale = 1.0 if request.size_px is None else request.size_px[0] / plate.shape[1]
    request.out.with_suffix(".gt.txt").write_text("".join(truth_lines(visits, rows, scale)))
    listed = [{**asdict(visit), "begin_s": (visit.begin - 1) / fps, "end_s": visit.end / fps} for visit in visits]
    request.out.with_suffix(".json").write_text(json.dumps({"fps": fps, "frames": frames, "visits": listed}, indent=2))
    return visits


def schedule(found: list[Passage], frames: int, empty: int, rng: np.random.Generator) -> list[Visit]:
    """Visits at random times, at least `empty` frames apart, that fill about OCCUPIED of `frames`.

    All passages are shown before any is repeated. Raises SystemExit if none fits.
    """
    budget = OCCUPIED * frames
    chosen: list[Passage] = []
    waiting: list[Passage] = []
    while found:
        waiting = waiting or [found[index] for index in rng.permutation(len(found))]
        left = budget - sum(one.frames for one in chosen)
        # Passages that do not fit any more are left out; a shorter one may be repeated.
        fitting = [one for one in waiting if one.frames <= left] or [one for one in found if one.frames <= left]
        if not fitting:
            break
        chosen.append(fitting[0])
        waiting = [one for one in waiting if one != fitting[0]]
    if not chosen and found:
        chosen = [min(found, key=lambda one: one.frames)]
    free = frames - sum(one.frames for one in chosen) - empty * (len(chosen) + 1)
    if not chosen or free < 0:
        raise SystemExit("the clip has no passage, or the day is too short for one: give more --minutes")
    gaps = np.diff(np.sort(rng.integers(0, free + 1, len(chosen))), prepend=0)
    visits, at = [], 1
    for gap, passage in zip(gaps.tolist(), chosen, strict=True):
        visits.append(Visit(at + gap + empty, passage))
        at = visits[-1].end + 1
    return visits


def truth_lines(visits: list[Visit], rows: Rows, scale: float) -> Iterator[str]:
    """MOTChallenge ground truth: the people of the clip, with new identities at each visit."""
    numbers: dict[tuple[int, int], int] = {}
    for visit in visits:
        for offset in range(visit.passage.frames):
            for person, *box in rows.get(visit.passage.first + offset, []):
                number = numbers.setdefault((visit.begin, person), len(numbers) + 1)
                places = ",".join(f"{scale * side:.2f}" for side in box)
                yield f"{visit.begin + offset},{number},{places},1,-1,-1,-1\n"


def _cut_outs(
    clip: Path, plate: BgrImage, rows: Rows, wanted: set[Passage]
) -> dict[int, tuple[tuple[slice, slice], BgrImage, Mask]]:
    """The region around people, its part of the picture, and its mask (h, w, 1), for each frame of the wanted
    passages."""
    kept = {}
    for number, picture in enumerate(read_frames(clip), 1):
        if any(one.first <= number <= one.last for one in wanted):
            mask = person_mask(picture, plate, rows.get(number, []))
            lines, columns = np.flatnonzero(mask.max(axis=1) > 0), np.flatnonzero(mask.max(axis=0) > 0)
            if len(lines):
                part = slice(int(lines[0]), int(lines[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)
                kept[number] = part, picture[part].copy(), mask[part][..., None].copy()
    return kept


def _write_video(
    request: DayRequest,
    plate: BgrImage,
    cut_outs: dict[int, tuple[tuple[slice, slice], BgrImage, Mask]],
    visits: list[Visit],
    length: tuple[int, float],
) -> None:
    import av
    import cv2

    frames, fps = length
    height, width = plate.shape[:2]
    size_px = request.size_px or (width, height)
    rng = np.random.default_rng(request.seed + 1)
    noise, lamp = SensorNoise(size_px, rng), lamp_field((width, height))
    shown = {visit.begin + k: visit.passage.first + k for visit in visits for k in range(visit.passage.frames)}
    with av.open(str(request.out), "w") as container:
        stream = container.add_stream("libx264", rate=Fraction(fps).limit_denominator(1001))
        (stream.width, stream.height), stream.pix_fmt = size_px, "yuv420p"
        # One thread, because with several x264 writes different files from the same pictures.
        stream.options = {"crf": str(CRF), "preset": "veryfast", "threads": "1"}
        for number in range(1, frames + 1):
            scene = plate.astype(np.float32)
            if (cut_out := cut_outs.get(shown.get(number, 0))) is not None:
                part, picture, mask = cut_out
                scene[part] += mask * (picture.astype(np.float32) - scene[part])
            light = light_at(24.0 * (number - 1) / frames, rng)
            scene = lit(scene, light, lamp)
            if size_px != (width, height):
                scene = np.asarray(cv2.resize(scene, size_px, interpolation=cv2.INTER_LINEAR), np.float32)
            scene += noise.next(light.darkness)
            picture_u8 = np.clip(scene, 0, 255).astype(np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture_u8, format="bgr24")))
        container.mux(stream.encode(None))


if __name__ == "__main__":
    main()
