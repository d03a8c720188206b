"""What bad pictures cost in recall and keypoint accuracy, with and without `enhance: auto`.

    python -m benchmarks.accuracy.robustness [--data ../shared/data] [--frames 24] [--imgsz 640] [--out FILE.md]

Pictures of the clips and of COCO are damaged (benchmarks/accuracy/damage.py) and inferred by the same engine, once as
they are and once by an estimator that enhances. Recall: the part of the people who are found with IoU 0.5 and score
0.25. Keypoint error: 1 - OKS of those whom it finds. The truth is what people annotated: boxes of TUD-Stadtmitte,
boxes and keypoints of COCO; for the rest it is what the engine is sure of (score 0.5) in the undamaged picture.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from benchmarks.accuracy.damage import DAMAGES, Damage, turned_boxes, turning
from benchmarks.accuracy.refinement import MASK_OF_BOX, ROOT, SURE, Person, annotated_people, frames_of, oks
from benchmarks.common.mot import read_mot
from posebus.arrays import Float32Array
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
    """u8 RGB (H, W, 3), and who is in it."""

    rgb: ImageArray
    people: tuple[Person, ...]


@dataclass(frozen=True, slots=True)
class Score:
    """recall of all people; keypoint_loss: 1 - OKS, mean over those found of whom keypoints are known."""

    recall: float
    keypoint_loss: float


def main() -> None:
    """Print the table, and write it if asked to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--frames", type=int, default=24, help="of each clip, evenly spaced")
    parser.add_argument("--imgsz", type=int, default=640)
    parser.add_argument("--engine", default="auto", choices=("auto", "torch", "openvino", "onnx"))
    parser.add_argument("--out", type=Path, help="file for the table, beside standard output")
    options = parser.parse_args()
    lines = []
    for line in report(options.data, options.frames, options.imgsz, options.engine):
        print(line, flush=True)
        lines.append(line)
    if options.out is not None:
        options.out.write_text("\n".join(lines) + "\n")


def report(data: Path, frames: int, imgsz: int, engine: str) -> Iterator[str]:
    """The table, line by line."""
    common = {"engine": engine, "precision": "fp32", "imgsz": imgsz}
    settings = {side: WorkerSettings.model_validate(common | {"enhance": how}) for side, how in SIDES.items()}
    shared = load_engine(settings["without"], cache_folder(Settings()))
    sides = {side: PoseEstimator(shared, one) for side, one in settings.items()}
    try:
        sets = {
            ANNOTATED: _annotated_clip(data, frames, sides["without"]),
            CLIP: [_seen(rgb, sides["without"]) for rgb in frames_of(data / f"{CLIP}.mp4", frames)],
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
    """The people where they are once the picture is turned."""
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
    """For each of `people` the row of `found` that is them, best overlaps first, one to one."""
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
    """People where they are annotated, with the keypoints that are seen in the undamaged picture."""
    video, truth = data / f"{ANNOTATED}.mp4", read_mot(data / f"{ANNOTATED}.gt.txt", truth=True)
    total = max(truth)
    pictures = []
    for number, rgb in zip(np.linspace(0, total - 1, frames).astype(int) + 1, frames_of(video, frames), strict=True):
        boxes = np.array([row[1:] for row in truth.get(int(number), [])], np.float32).reshape(-1, 4)
        boxes[:, 2:] += boxes[:, :2]
        people = [_person(rgb, box, np.zeros((17, 3), np.float32)) for box in boxes]
        found = estimator.estimate(rgb)
        for place, row in enumerate(matches(people, found)):
            if row is not None:
                people[place] = _person(rgb, people[place].box_xyxy_px, found.keypoints_px[row])
        pictures.append(AnnotatedPicture(rgb, tuple(people)))
    return pictures


def _seen(rgb: ImageArray, estimator: PoseEstimator) -> AnnotatedPicture:
    found = estimator.estimate(rgb)
    sure = np.flatnonzero(found.scores >= SURE)
    return AnnotatedPicture(rgb, tuple(_person(rgb, found.boxes_xyxy_px[row], found.keypoints_px[row]) for row in sure))


def _coco(data: Path) -> list[AnnotatedPicture]:
    by_picture: dict[int, list[Person]] = {}
    for person in annotated_people(data / "coco4"):
        by_picture.setdefault(id(person.rgb), []).append(person)
    return [AnnotatedPicture(people[0].rgb, tuple(people)) for people in by_picture.values()]


def _person(rgb: ImageArray, box: Float32Array, keypoints: Float32Array) -> Person:
    known = np.concatenate((keypoints[:, :2], keypoints[:, 2:] >= SURE), axis=1).astype(np.float32)
    return Person(rgb, box, known, float(np.prod(box[2:] - box[:2])) * MASK_OF_BOX)


if __name__ == "__main__":
    main()
