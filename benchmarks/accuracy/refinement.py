"""What the second look at small people gains in keypoint accuracy, and what it costs.

    python -m benchmarks.accuracy.refinement [--data ../shared/data] [--heights 60 80 120] [--imgsz 640] [--out FILE.md]

Three tables in Markdown. Accuracy: each annotated person of the COCO pictures in turn is brought to the height that is
asked for, by reducing the whole picture; the loss is 1 - OKS, COCO's object keypoint similarity, averaged over the same
people on all sides, those whose box everybody found. "In a wide view" the reduced picture lies on a grey canvas of
640x480, so that the person has that height in the network's input, too; "in a wide view of twice the rows", the
picture has twice what the input takes; "by itself", the letterbox enlarges it again.
Agreement: frames of the clips, reduced in the same way, against what the same engine sees in the whole frames. Cost:
milliseconds a frame, on the wall and of the processor, one frame at a time.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from benchmarks.common.paths import ROOT
from posebus.arrays import Float32Array
from posebus.boxes import iou_matrix
from posebus.coco import COCO_SIGMAS
from posebus.config.loading import cache_folder
from posebus.config.settings import Settings, WorkerSettings
from workers.detections import Detections, ImageArray
from workers.engine_loading import load_engine
from workers.images.preprocess import PADDING
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
SURE = 0.5
MASK_OF_BOX = 0.53
"""COCO's area is that of the body's mask; where there is only a box, this part of it, as in MMPose."""

SIGMAS = np.array(COCO_SIGMAS, np.float32)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody in a picture u8 RGB (H, W, 3), with box (4,), keypoints (17, 3) (x, y, > 0 if known), area in px²."""

    rgb: ImageArray
    box_xyxy_px: Float32Array
    keypoints_px: Float32Array
    area_px2: float

    def reduced(self, height_px: float, canvas_px: tuple[int, int] | None) -> Person:
        """The whole picture so that this person has this height; in the middle of a grey canvas, if one is given."""
        scale = height_px / float(self.box_xyxy_px[3] - self.box_xyxy_px[1])
        size_px = max(1, round(self.rgb.shape[1] * scale)), max(1, round(self.rgb.shape[0] * scale))
        rows = cv2.resize(self.rgb, size_px, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
        factor = np.array((size_px[0] / self.rgb.shape[1], size_px[1] / self.rgb.shape[0]), np.float32)
        offset = np.zeros(2, np.float32)
        if canvas_px is not None:
            width_px, height_px = max(canvas_px[0], size_px[0]), max(canvas_px[1], size_px[1])
            left, top = (width_px - size_px[0]) // 2, (height_px - size_px[1]) // 2
            canvas = np.full((height_px, width_px, 3), PADDING, np.uint8)
            canvas[top : top + size_px[1], left : left + size_px[0]] = rows
            rows, offset = canvas, np.array((left, top), np.float32)
        keypoints = self.keypoints_px.copy()
        keypoints[:, :2] = keypoints[:, :2] * factor + offset
        box = (self.box_xyxy_px.reshape(2, 2) * factor + offset).reshape(4)
        return Person(rows, box, keypoints, self.area_px2 * float(factor.prod()))


def annotated_people(folder: Path) -> list[Person]:
    """Everybody with annotated keypoints in the COCO pictures of `folder`."""
    data = json.loads((folder / "test_coco.json").read_text())
    pictures = {picture["id"]: _read(folder / picture["file_name"]) for picture in data["images"]}
    people = []
    for row in data["annotations"]:
        if row["num_keypoints"]:
            left, top, width, height = row["bbox"]
            box = np.array((left, top, left + width, top + height), np.float32)
            keypoints = np.array(row["keypoints"], np.float32).reshape(17, 3)
            people.append(Person(pictures[row["image_id"]], box, keypoints, float(row["area"])))
    return people


def people_of_clip(path: Path, estimator: PoseEstimator) -> Iterator[Person]:
    """Those whom the engine is sure of in evenly spaced frames; of their keypoints the sure ones count as known."""
    for rgb in frames_of(path, FRAMES_OF_CLIP):
        found = estimator.estimate(rgb)
        for box, score, keypoints in zip(found.boxes_xyxy_px, found.scores, found.keypoints_px, strict=True):
            known = np.concatenate((keypoints[:, :2], keypoints[:, 2:] >= SURE), axis=1).astype(np.float32)
            if score >= SURE and known[:, 2].any():
                yield Person(rgb, box, known, float(np.prod(box[2:] - box[:2])) * MASK_OF_BOX)


def oks(keypoints_px: Float32Array, person: Person) -> float:
    """Object keypoint similarity in 0..1 over the person's known keypoints (https://cocodataset.org/#keypoints-eval)."""
    known = person.keypoints_px[:, 2] > 0
    apart = ((keypoints_px[:, :2] - person.keypoints_px[:, :2]) ** 2).sum(axis=1)
    return float(np.exp(-apart / (2 * person.area_px2 * (2 * SIGMAS) ** 2))[known].mean())


def losses(people: Iterable[Person], sides: Mapping[str, PoseEstimator]) -> tuple[dict[str, float], int]:
    """1 - OKS of each side, averaged over the people whom all of them found, and how many these are."""
    lost: dict[str, list[float]] = {side: [] for side in sides}
    for person in people:
        found = {side: _the_person(estimator.estimate(person.rgb), person) for side, estimator in sides.items()}
        if all(keypoints is not None for keypoints in found.values()):
            for side, keypoints in found.items():
                assert keypoints is not None
                lost[side].append(1 - oks(keypoints, person))
    return {side: float(np.mean(values)) for side, values in lost.items()}, len(next(iter(lost.values())))


def frames_of(path: Path, count: int) -> list[ImageArray]:
    """Evenly spaced frames, u8 RGB."""
    video = cv2.VideoCapture(str(path))
    total = int(video.get(cv2.CAP_PROP_FRAME_COUNT))
    wanted = set(np.linspace(0, total - 1, count).astype(int).tolist())
    frames = []
    for index in range(total):
        if not video.grab():
            break
        if index in wanted:
            frames.append(np.ascontiguousarray(video.retrieve()[1][..., ::-1]))
    return frames


def costs(frames: Sequence[ImageArray], sides: Mapping[str, PoseEstimator]) -> dict[str, tuple[float, float, float]]:
    """Of each side: people, milliseconds on the wall and of the processor, all a frame. Sides take turns."""
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


def _read(path: Path) -> ImageArray:
    image = cv2.imread(str(path))
    if image is None:
        raise SystemExit(f"{path} is missing or no picture")
    return np.ascontiguousarray(image[..., ::-1])


@contextmanager
def sides_at(imgsz: int, engine: str) -> Iterator[dict[str, PoseEstimator]]:
    """Estimators by what they do; closed at the end."""
    common = {"engine": engine, "precision": "fp32", "imgsz": imgsz}
    changes = {
        "one look": {},
        "refined": {"refine_below_px": BELOW_PX, "refine_mirrored": False},
        "refined, mirrored too": {"refine_below_px": BELOW_PX},
        f"one look at {2 * imgsz}": {"imgsz": 2 * imgsz},
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
        for where, canvas_px, rows_a_pixel in PLACES:
            for height_px in heights_px:
                yield _row(where, annotated, height_px, canvas_px, sides, rows_a_pixel)
        yield f"\n## 1 - OKS against what the same engine sees in the whole frames, in a wide view\n\n{head}"
        for clip in CLIPS:
            people = list(people_of_clip(data / clip, sides["one look"]))
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
    rows_a_pixel: int = 1,
) -> str:
    lost, count = losses((one.reduced(rows_a_pixel * height_px, canvas_px) for one in people), sides)
    first = next(iter(lost.values()))
    cells = [
        f"{loss:.3f}" + ("" if loss is first else f" ({100 * (loss / first - 1):+.0f} %)") for loss in lost.values()
    ]
    return f"| {where} | {height_px} | {count} of {len(people)} | {' | '.join(cells)} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--heights", type=int, nargs="+", default=[60, 80, 100, 120], help="heights of people in px")
    parser.add_argument("--imgsz", type=int, default=640)
    parser.add_argument("--engine", default="auto", choices=("auto", "torch", "openvino", "onnx"))
    parser.add_argument("--out", type=Path, help="file for the tables, beside standard output")
    options = parser.parse_args()
    lines = []
    for line in report(options.data, options.heights, options.imgsz, options.engine):
        print(line, flush=True)
        lines.append(line)
    if options.out is not None:
        options.out.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
