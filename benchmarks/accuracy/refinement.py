"""The gain in keypoint accuracy by refining small people, and its cost.

    python -m benchmarks.accuracy.refinement [--data ../shared/data] [--heights 60 80 120] [--imgsz 640] [--out FILE.md]

It prints three tables in Markdown. Accuracy: the COCO pictures are reduced so that each annotated person in turn has
the given height. The loss is 1 - OKS, COCO's object keypoint similarity, averaged over the people whose box all sides
found. "In a wide view" the reduced picture lies on a grey canvas of 640x480, so that the person also has that height in
the network's input; "in a wide view of twice the rows" the picture has twice the resolution of the input; "by itself"
the letterbox enlarges the picture again. Agreement: frames of the clips, reduced in the same way, compared with the
same engine's detections in the whole frames. Cost: milliseconds a frame, wall clock and processor, one frame at a time.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from benchmarks.accuracy.people import ENGINES, SURE, Person, annotated_people, detected_person, frames_of, oks
from benchmarks.common.output import print_and_write
from benchmarks.common.paths import DATA
from posebus.arrays import Float32Array
from posebus.boxes import iou_matrix
from posebus.config.loading import cache_folder
from posebus.config.settings import Settings, WorkerSettings
from workers.detections import Detections, ImageArray
from workers.engine_loading import load_engine
from workers.inference.estimator import PoseEstimator
from workers.keypoints.merging import SAME_PERSON_IOU

BELOW_PX = 128
CANVAS_PX = (640, 480)
PLACES = (
    ("in a wide view", CANVAS_PX, 1),
    ("in a wide view of twice the rows", (2 * CANVAS_PX[0], 2 * CANVAS_PX[1]), 2),
    ("by itself", None, 1),
)
CLIPS = ("TUD-Stadtmitte.mp4", "one-by-one-person-detection.mp4")
CROWDED = "vtest.avi"
CROWDED_IMGSZ = 960
FRAMES = 40
FRAMES_OF_CLIP = 12


def people_of_clip(path: Path, estimator: PoseEstimator) -> Iterator[Person]:
    """The people that the engine detects with a score from SURE on in evenly spaced frames, with a known keypoint or
    more."""
    for rgb in frames_of(path, FRAMES_OF_CLIP):
        found = estimator.estimate(rgb)
        for box, score, keypoints in zip(found.boxes_xyxy_px, found.scores, found.keypoints_px, strict=True):
            person = detected_person(rgb, box, keypoints)
            if score >= SURE and person.keypoints_px[:, 2].any():
                yield person


def losses(people: Iterable[Person], sides: Mapping[str, PoseEstimator]) -> tuple[dict[str, float], int]:
    """1 - OKS of each side, averaged over the people that all sides found, and the number of these people."""
    lost: dict[str, list[float]] = {side: [] for side in sides}
    for person in people:
        found = {side: _the_person(estimator.estimate(person.rgb), person) for side, estimator in sides.items()}
        if all(keypoints is not None for keypoints in found.values()):
            for side, keypoints in found.items():
                assert keypoints is not None
                lost[side].append(1 - oks(keypoints, person))
    return {side: float(np.mean(values)) for side, values in lost.items()}, len(next(iter(lost.values())))


def costs(frames: Sequence[ImageArray], sides: Mapping[str, PoseEstimator]) -> dict[str, tuple[float, float, float]]:
    """People, wall-clock milliseconds and processor milliseconds a frame of each side. Sides alternate."""
    spent = {side: np.zeros(3) for side in sides}
    for estimator in sides.values():
        estimator.estimate(frames[0])
    for frame in frames:
        for side, estimator in sides.items():
            wall_s, cpu_s = time.perf_counter(), time.process_time()
            found = estimator.estimate(frame)
            passed_s = time.perf_counter() - wall_s, time.process_time() - cpu_s
            spent[side] += np.array((len(found.scores), 1000 * passed_s[0], 1000 * passed_s[1]))
    means = {side: total / len(frames) for side, total in spent.items()}
    return {side: (float(mean[0]), float(mean[1]), float(mean[2])) for side, mean in means.items()}


def _the_person(found: Detections, person: Person) -> Float32Array | None:
    if not len(found.scores):
        return None
    shared = iou_matrix(person.box_xyxy_px[None], found.boxes_xyxy_px)[0]
    best = int(shared.argmax())
    return found.keypoints_px[best] if shared[best] >= SAME_PERSON_IOU else None


@contextmanager
def sides_at(imgsz: int, engine: str) -> Iterator[dict[str, PoseEstimator]]:
    """The estimators that are compared, by name; they are closed at the end."""
    common = {"engine": engine, "precision": "fp32", "imgsz": imgsz}
    changes = {
        "no refinement": {},
        "refined": {"refine_below_px": BELOW_PX, "refine_mirrored": False},
        "refined, mirrored too": {"refine_below_px": BELOW_PX},
        f"no refinement, {2 * imgsz}": {"imgsz": 2 * imgsz},
    }
    sides = {}
    for name, change in changes.items():
        settings = WorkerSettings.model_validate(common | change)
        sides[name] = PoseEstimator(load_engine(settings, cache_folder(Settings())), settings)
    try:
        yield sides
    finally:
        for estimator in sides.values():
            estimator.engine.close()


def report(data: Path, heights_px: Sequence[int], imgsz: int, engine: str) -> Iterator[str]:
    """The tables, line by line."""
    with sides_at(imgsz, engine) as sides:
        head = f"| pictures | height px | people | {' | '.join(sides)} |\n|{'---|' * (3 + len(sides))}"
        yield f"## 1 - OKS of annotated people, imgsz {imgsz}\n\n{head}"
        annotated = annotated_people(data / "coco4")
        for where, canvas_px, scale in PLACES:
            for height_px in heights_px:
                yield _row(where, annotated, height_px, canvas_px, sides, scale)
        yield f"\n## 1 - OKS against the same engine's detections in the whole frames, in a wide view\n\n{head}"
        for clip in CLIPS:
            people = list(people_of_clip(data / clip, sides["no refinement"]))
            for height_px in heights_px:
                yield _row(clip, people, height_px, CANVAS_PX, sides)
    yield f"\n## Cost, {CROWDED} at {CROWDED_IMGSZ}\n"
    yield "| | people a frame | ms a frame | CPU ms a frame |\n|---|---|---|---|"
    with sides_at(CROWDED_IMGSZ, engine) as sides:
        for side, (people_, wall_ms, cpu_ms) in costs(frames_of(data / CROWDED, FRAMES), sides).items():
            yield f"| {side} | {people_:.1f} | {wall_ms:.1f} | {cpu_ms:.1f} |"


def _row(
    where: str,
    people: Sequence[Person],
    height_px: int,
    canvas_px: tuple[int, int] | None,
    sides: Mapping[str, PoseEstimator],
    scale: int = 1,
) -> str:
    lost, count = losses((one.reduced(scale * height_px, canvas_px) for one in people), sides)
    first = next(iter(lost.values()))
    cells = [
        f"{loss:.3f}" + ("" if loss is first else f" ({100 * (loss / first - 1):+.0f} %)") for loss in lost.values()
    ]
    return f"| {where} | {height_px} | {count} of {len(people)} | {' | '.join(cells)} |"


def main() -> None:
    """Print the tables, and write them if --out is given."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the clips")
    parser.add_argument("--heights", type=int, nargs="+", default=[60, 80, 100, 120], help="heights of people in px")
    parser.add_argument("--imgsz", type=int, default=640, help="input size of the network")
    parser.add_argument("--engine", default="auto", choices=ENGINES, help="engine to measure")
    parser.add_argument("--out", type=Path, help="also write the tables to this file")
    options = parser.parse_args()
    print_and_write(report(options.data, options.heights, options.imgsz, options.engine), options.out)


if __name__ == "__main__":
    main()
