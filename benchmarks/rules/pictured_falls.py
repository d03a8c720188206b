"""Falls of real people in pictures through the whole of `posebus run`: detector, tracker and rule.

python -m benchmarks.rules.pictured_falls --data ../shared/data --clip TUD-Stadtmitte [--scenes 24] [--seed 1]

People are cut out of a recording with ground truth, walk a bit, and topple sideways around their feet as a rod does, or
walk on. Limbs do not move in the fall, and the light stays that of the recording, so that this is harder for the
detector than a real fall seen from the side, and says nothing about falls towards the camera.
"""

from __future__ import annotations

import argparse
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from benchmarks.common.child import child_environment
from benchmarks.common.frames import BgrImage
from benchmarks.common.output import print_and_write
from benchmarks.rules.cutouts import Cutout, background_of, frames_of, people_of
from benchmarks.rules.falls import EARLY_S, LATE_S, Counts
from posebus.contract.public_json import parse
from posebus.runtime.python_child import python_command

RATES = (10.0, 15.0)
WALKS_S, LIES_S = (1.4, 2.2), 2.5
FALLS_S, TILTS_DEGREES, HEIGHTS_PX = (0.5, 1.1), (75.0, 95.0), (150.0, 260.0)
NOISE = 3.0
"""Standard deviation of the noise of each picture, of 255."""


@dataclass(frozen=True, slots=True)
class Scene:
    """One made recording; fall_s: when the fall begins and ends, None for someone who walks on."""

    path: Path
    fall_s: tuple[float, float] | None


def make_scene(path: Path, seed: int, people: Sequence[Sequence[Cutout]], background: BgrImage) -> Scene:
    """Write the recording of this seed."""
    rng = np.random.default_rng([seed, 31])
    person, falls = people[int(rng.integers(len(people)))], rng.random() < 0.75
    fps, walks_s, falls_s = float(rng.choice(RATES)), rng.uniform(*WALKS_S), rng.uniform(*FALLS_S)
    height, width = background.shape[:2]
    tall_px = min(rng.uniform(*HEIGHTS_PX), 0.55 * height)
    tilt_degrees = rng.choice([-1, 1]) * rng.uniform(*TILTS_DEGREES)
    speed_px_s = rng.choice([-1, 1]) * rng.uniform(0, 0.5) * tall_px
    feet = np.array([width * rng.uniform(0.42, 0.58), height * rng.uniform(0.75, 0.93)])
    out = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), fps, (width, height))
    for number in range(int((walks_s + falls_s + LIES_S) * fps)):
        at_s = number / fps
        walked_s = min(at_s, walks_s) if falls else at_s
        step = int(walked_s * 25.0 / 2.0) % (2 * len(person))
        cutout = person[min(step, 2 * len(person) - 1 - step)]
        part = min(max(at_s - walks_s, 0.0) / falls_s, 1.0) ** 2 if falls else 0.0
        place = feet + np.array([speed_px_s * (walked_s - walks_s), 0.0])
        picture = _placed(background, cutout, place, tall_px, np.radians(tilt_degrees * part))
        noisy = picture + rng.normal(0.0, NOISE, picture.shape)
        out.write(np.clip(noisy, 0, 255).astype(np.uint8))
    out.release()
    return Scene(path, (walks_s, walks_s + falls_s) if falls else None)


def _placed(
    background: BgrImage, cutout: Cutout, feet_px: np.ndarray, tall_px: float, tilt_radians: float
) -> np.ndarray:
    """The background with the person on it, turned around the feet; lying, the body is on the ground, not in it."""
    high, wide = cutout.inside.shape
    scale = tall_px / high
    cos, sin = np.cos(tilt_radians) * scale, np.sin(tilt_radians) * scale
    turn = np.array([[cos, -sin], [sin, cos]])
    moved = feet_px - turn @ np.array(cutout.feet) - np.array([0.0, abs(sin) * wide * 0.3])
    matrix, size = np.column_stack([turn, moved]), background.shape[1::-1]
    image = cv2.warpAffine(cutout.image, matrix, size)
    share = cv2.GaussianBlur(cv2.warpAffine(cutout.inside.astype(np.float32), matrix, size), (3, 3), 0)[..., None]
    return np.asarray(background * (1.0 - share) + image * share)


def analysed(scenes: Sequence[Scene], folder: Path, imgsz: str) -> None:
    """Run posebus over the recordings. Raises SystemExit if it fails."""
    config = folder / "rules.yaml"
    config.write_text("cameras:\n  yard:\n    source: yard.mp4\n    rules:\n      floor: {kind: fall}\n")
    given = ["--config", str(config), "--camera", "yard", "--imgsz", imgsz, "--no-video", "--out", str(folder)]
    command = python_command("-m", "posebus_cli", "run", *(str(scene.path) for scene in scenes), *given)
    if subprocess.run(command, env=child_environment(), check=False).returncode:
        raise SystemExit("posebus run failed")


def lines(scenes: Sequence[Scene], folder: Path) -> Iterator[str]:
    """Yield the report as Markdown."""
    rows = {"topples": Counts(), "walks": Counts()}
    for scene in scenes:
        events = [parse(line) for line in (folder / f"{scene.path.stem}.events.jsonl").read_bytes().splitlines()]
        falls_s = [one["data"]["since_ns"] / 1e9 for one in events if one["type"] == "posebus.fall.detected"]
        span_s = scene.fall_s
        right = [at_s for at_s in falls_s if span_s and span_s[0] - EARLY_S <= at_s <= span_s[1] + LATE_S]
        row = rows["topples" if span_s else "walks"]
        row.add(span_s is not None, bool(right), len(falls_s) - len(right[:1]), scene.path.stem)
    yield "| scene | scenes | falls | found | false | recall | precision |"
    yield "|---|---|---|---|---|---|---|"
    for label, counts in rows.items():
        yield counts.row(label)
    yield ""
    yield "wrong: " + (", ".join(name for counts in rows.values() for name in counts.wrong) or "none")


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of CLIP.mp4 and CLIP.gt.txt")
    parser.add_argument(
        "--clip", default="TUD-Stadtmitte", help="name of the recording in it (default: TUD-Stadtmitte)"
    )
    parser.add_argument("--scenes", type=int, default=24, help="number of scenes (default: 24)")
    parser.add_argument("--seed", type=int, default=1, help="of the first scene (default: 1)")
    parser.add_argument("--imgsz", default="auto", help="as of posebus run (default: auto)")
    parser.add_argument("--folder", type=Path, default=Path("pictured-falls-out"), help="for recordings and results")
    parser.add_argument("--out", type=Path, help="file for the report")
    given = parser.parse_args(arguments)
    cv2.setNumThreads(1)
    cv2.setRNGSeed(given.seed)
    clip = given.data / f"{given.clip}.mp4"
    frames = frames_of(clip)
    people, background = people_of(clip, frames), background_of(frames)
    if not people:
        raise SystemExit(f"nobody in {clip} is alone and large enough to be cut out")
    given.folder.mkdir(parents=True, exist_ok=True)
    seeds = range(given.seed, given.seed + given.scenes)
    scenes = [make_scene(given.folder / f"scene-{seed}.mp4", seed, people, background) for seed in seeds]
    analysed(scenes, given.folder, given.imgsz)
    print_and_write(lines(scenes, given.folder), given.out)


if __name__ == "__main__":
    main()
