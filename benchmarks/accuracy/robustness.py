"""The loss of recall and keypoint accuracy in bad pictures, with and without `enhance: auto`.

    python -m benchmarks.accuracy.robustness [--data ../shared/data] [--frames 24] [--imgsz 640] [--out FILE.md]

Pictures of the clips and of COCO are damaged (benchmarks/accuracy/damage.py) and inferred by the same engine, once as
they are and once by an estimator that enhances. Recall: the part of the people that are found with IoU 0.5 and score
0.25. Keypoint error: 1 - OKS of the people that are found. The truth are human annotations, boxes of TUD-Stadtmitte and
boxes and keypoints of COCO; elsewhere it is what the engine detects with a score from 0.5 on in the undamaged picture.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from benchmarks.accuracy.damage import DAMAGES, Damage, turned_boxes, turning
from benchmarks.accuracy.people import ENGINES, SURE, Person, annotated_people, detected_person, frames_of, oks
from benchmarks.common.mot import read_mot
from benchmarks.common.output import print_and_write
from benchmarks.common.paths import DATA
from posebus.boxes import iou_matrix
from posebus.config.loading import cache_folder
from posebus.config.settings import Settings, WorkerSettings
from workers.detections import Detections, ImageArray
from workers.engine_loading import load_engine
from workers.inference.estimator import PoseEstimator

ANNOTATED, CLIP = "TUD-Stadtmitte", "one-by-one-person-detection"
FOUND_IOU, FOUND_SCORE = 0.5, 0.25
SIDES = {"without": "off", "with": "auto"}


@dataclass(frozen=True, slots=True)
class AnnotatedPicture:
    """A picture u8 RGB (H, W, 3) and the people in it."""

    rgb: ImageArray
    people: tuple[Person, ...]


@dataclass(frozen=True, slots=True)
class Score:
    """recall: of all people. keypoint_loss: 1 - OKS, mean over the people that were found and have known keypoints."""

    recall: float
    keypoint_loss: float


def main() -> None:
    """Print the table, and write it if --out is given."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the clips")
    parser.add_argument("--frames", type=int, default=24, help="evenly spaced frames of each clip")
    parser.add_argument("--imgsz", type=int, default=640, help="input size of the network")
    parser.add_argument("--engine", default="auto", choices=ENGINES, help="engine to measure")
    parser.add_argument("--out", type=Path, help="also write the table to this file")
    options = parser.parse_args()
    print_and_write(report(options.data, options.frames, options.imgsz, options.engine), options.out)


def report(data: Path, frames: int, imgsz: int, engine: str) -> Iterator[str]:
    """The table, line by line."""
    common = {"engine": engine, "precision": "fp32", "imgsz": imgsz}
    settings = {side: WorkerSettings.model_validate(common | {"enhance": how}) for side, how in SIDES.items()}
    shared = load_engine(settings["without"], cache_folder(Settings()))
    sides = {side: PoseEstimator(shared, one) for side, one in settings.items()}
    try:
        sets = {
            ANNOTATED: _annotated_clip(data, frames, sides["without"]),
            CLIP: [_detected(rgb, sides["without"]) for rgb in frames_of(data / f"{CLIP}.mp4", frames)],
            "COCO": _coco(data),
        }
        heads = [f"{name}: {what}" for name in sets for what in ("recall", "keypoint error")]
        yield f"| picture | {' | '.join(heads)} |\n|{'---|' * (1 + len(heads))}"
        for damage in DAMAGES:
            cells = []
            for pictures in sets.values():
                found = [measured(pictures, damage, estimator) for estimator in sides.values()]
                cells.append(" → ".join(f"{one.recall:.3f}" for one in found))
                cells.append(" → ".join(f"{one.keypoint_loss:.3f}" for one in found))
            yield f"| {damage.name} | {' | '.join(cells)} |"
    finally:
        shared.close()


def measured(pictures: Sequence[AnnotatedPicture], damage: Damage, estimator: PoseEstimator) -> Score:
    """Recall and keypoint error of `estimator` on damaged `pictures`."""
    rng = np.random.default_rng(1)
    people = hits = 0
    losses: list[float] = []
    for picture in pictures:
        found = estimator.estimate(damage.apply(picture.rgb, rng))
        expected = turned_people(picture, damage.turned_deg)
        people += len(expected)
        for person, row in zip(expected, matches(expected, found), strict=True):
            if row is not None:
                hits += 1
                if (person.keypoints_px[:, 2] > 0).any():
                    losses.append(1.0 - oks(found.keypoints_px[row], person))
    return Score(hits / people if people else 1.0, float(np.mean(losses)) if losses else float("nan"))


def turned_people(picture: AnnotatedPicture, degrees: float) -> tuple[Person, ...]:
    """The people of a picture that is turned."""
    if not degrees or not picture.people:
        return picture.people
    matrix, _ = turning(picture.rgb.shape[1], picture.rgb.shape[0], degrees)
    boxes = turned_boxes(np.array([person.box_xyxy_px for person in picture.people]), matrix)
    turned = []
    for person, box in zip(picture.people, boxes, strict=True):
        keypoints = person.keypoints_px.copy()
        keypoints[:, :2] = keypoints[:, :2] @ matrix[:, :2].T + matrix[:, 2]
        turned.append(replace(person, box_xyxy_px=box, keypoints_px=keypoints.astype(np.float32)))
    return tuple(turned)


def matches(people: Sequence[Person], found: Detections) -> list[int | None]:
    """For each of `people` the matching row of `found`, or None; the largest overlaps first, one to one."""
    rows: list[int | None] = [None] * len(people)
    sure = np.flatnonzero(found.scores >= FOUND_SCORE)
    if not len(people) or not len(sure):
        return rows
    shared = iou_matrix(np.array([person.box_xyxy_px for person in people]), found.boxes_xyxy_px[sure])
    while shared.max() >= FOUND_IOU:
        person, best = np.unravel_index(int(shared.argmax()), shared.shape)
        rows[int(person)] = int(sure[best])
        shared[person, :] = shared[:, best] = -1.0
    return rows


def _annotated_clip(data: Path, frames: int, estimator: PoseEstimator) -> list[AnnotatedPicture]:
    """People with annotated boxes, and with the keypoints that are detected in the undamaged picture."""
    video, truth = data / f"{ANNOTATED}.mp4", read_mot(data / f"{ANNOTATED}.gt.txt", truth=True)
    total = max(truth)
    pictures = []
    for number, rgb in zip(np.linspace(0, total - 1, frames).astype(int) + 1, frames_of(video, frames), strict=True):
        boxes = np.array([row[1:] for row in truth.get(int(number), [])], np.float32).reshape(-1, 4)
        boxes[:, 2:] += boxes[:, :2]
        people = [detected_person(rgb, box, np.zeros((17, 3), np.float32)) for box in boxes]
        found = estimator.estimate(rgb)
        for place, row in enumerate(matches(people, found)):
            if row is not None:
                people[place] = detected_person(rgb, people[place].box_xyxy_px, found.keypoints_px[row])
        pictures.append(AnnotatedPicture(rgb, tuple(people)))
    return pictures


def _detected(rgb: ImageArray, estimator: PoseEstimator) -> AnnotatedPicture:
    found = estimator.estimate(rgb)
    sure = np.flatnonzero(found.scores >= SURE)
    return AnnotatedPicture(
        rgb, tuple(detected_person(rgb, found.boxes_xyxy_px[row], found.keypoints_px[row]) for row in sure)
    )


def _coco(data: Path) -> list[AnnotatedPicture]:
    by_picture: dict[int, list[Person]] = {}
    for person in annotated_people(data / "coco4"):
        by_picture.setdefault(id(person.rgb), []).append(person)
    return [AnnotatedPicture(people[0].rgb, tuple(people)) for people in by_picture.values()]


if __name__ == "__main__":
    main()
