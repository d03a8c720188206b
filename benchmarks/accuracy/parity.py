"""Our detections compared with those of ultralytics' predictor: same weights, same pictures, no JPEG in between.

    python -m benchmarks.accuracy.parity [--imgsz 640] [--data ../shared/data]

It prints for every engine and precision of this machine the number of people compared, the worst and mean IoU, the
worst and mean distance of keypoints with confidence 0.5 or more, and the number of people that only one side found.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from benchmarks.common.frames import evenly_spaced_frames
from benchmarks.common.paths import DATA
from posebus.arrays import Float32Array
from posebus.boxes import iou_matrix
from posebus.config.settings import WorkerSettings
from workers.detections import Detections, ImageArray
from workers.engine_loading import choose_engine, load_engine
from workers.inference.estimator import PoseEstimator
from workers.weights.weights import resolve_weights

CLIPS = ("TUD-Stadtmitte.mp4", "one-by-one-person-detection.mp4", "vtest.avi")
FRAMES_PER_CLIP = 20
SURE = 0.5
"""People and keypoints are compared from this confidence on; their matches on the other side may be slightly lower."""
CONF, IOU, MAX_PEOPLE = 0.25, 0.7, 300


@dataclass
class Agreement:
    """The differences between two sets of detections of the same pictures; distances are in source pixels."""

    ious: list[float] = field(default_factory=list)
    keypoint_errors_px: list[float] = field(default_factory=list)
    score_errors: list[float] = field(default_factory=list)
    unmatched: int = 0

    def add(self, ours: Detections, theirs: Detections) -> None:
        """Compare one picture in both directions: people above SURE on one side must be on the other one."""
        ious = iou_matrix(theirs.boxes_xyxy_px, ours.boxes_xyxy_px)
        self._add_sure(theirs, ours, ious)
        self._add_sure(ours, theirs, ious.T)

    def _add_sure(self, sure: Detections, other: Detections, ious: Float32Array) -> None:
        for index in np.flatnonzero(sure.scores >= SURE):
            if not len(other.scores) or ious[index].max() < 0.5:
                self.unmatched += 1
                continue
            match = int(ious[index].argmax())
            self.ious.append(float(ious[index, match]))
            self.score_errors.append(abs(float(sure.scores[index] - other.scores[match])))
            visible = sure.keypoints_px[index, :, 2] >= SURE
            apart = sure.keypoints_px[index, visible, :2] - other.keypoints_px[match, visible, :2]
            self.keypoint_errors_px += np.linalg.norm(apart, axis=1).tolist()

    def line(self) -> str:
        """The figures in one line."""
        errors = np.array(self.keypoint_errors_px)
        return (
            f"people {len(self.ious):4d}  unmatched {self.unmatched}  IoU min {min(self.ious):.4f} "
            f"mean {np.mean(self.ious):.4f}  keypoints px max {errors.max():.3f} p99 {np.percentile(errors, 99):.3f} "
            f"mean {errors.mean():.4f}  score max {max(self.score_errors):.4f}"
        )


def pictures(data: Path) -> dict[str, list[ImageArray]]:
    """The COCO pictures and evenly spaced frames of each clip, u8 BGR, by their source."""
    coco = [cv2.imread(str(path)) for path in sorted((data / "coco4").glob("*.jpg"))]
    found = {"coco4": [image for image in coco if image is not None]}
    return found | {clip: list(evenly_spaced_frames(data / clip, FRAMES_PER_CLIP)) for clip in CLIPS}


def reference(weights: Path, images_bgr: Sequence[ImageArray], imgsz: int) -> list[Detections]:
    """The detections of ultralytics' predictor, on the CPU in fp32."""
    from ultralytics import YOLO

    model: Any = YOLO(str(weights))
    options = {"imgsz": imgsz, "conf": CONF, "iou": IOU, "max_det": MAX_PEOPLE, "device": "cpu", "verbose": False}
    found = []
    for image in images_bgr:
        result = model.predict(image, **options)[0]
        found.append(
            Detections(
                boxes_xyxy_px=result.boxes.xyxy.numpy(),
                scores=result.boxes.conf.numpy(),
                keypoints_px=result.keypoints.data.numpy(),
            )
        )
    return found


def ours(estimator: PoseEstimator, images_bgr: Sequence[ImageArray]) -> list[Detections]:
    """Our detections, one picture after the other."""
    return [estimator.estimate(np.ascontiguousarray(image[..., ::-1])) for image in images_bgr]


def agreement(first: Sequence[Detections], second: Sequence[Detections]) -> Agreement:
    """The differences over all pictures."""
    total = Agreement()
    for one, other in zip(first, second, strict=True):
        total.add(one, other)
    return total


def settings_for(engine: str, precision: str, imgsz: int) -> WorkerSettings:
    """Settings with the reference's thresholds."""
    return WorkerSettings.model_validate(
        {"engine": engine, "precision": precision, "imgsz": imgsz, "conf": CONF, "iou": IOU, "max_people": MAX_PEOPLE}
    )


def main() -> None:
    """Print a line for each engine and set of pictures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--imgsz", type=int, default=640, help="input size of the network")
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the clips")
    parser.add_argument(
        "--cache", type=Path, default=Path.home() / ".cache" / "posebus", help="folder of weights and engines"
    )
    arguments = parser.parse_args()
    by_place = pictures(arguments.data)
    weights = resolve_weights("yolo11n-pose", allow_unknown=False, cache_dir=arguments.cache)
    expected = {place: reference(weights.path, images, arguments.imgsz) for place, images in by_place.items()}
    runs = [("torch", "fp32"), ("onnx", "fp32"), ("openvino", "fp32")]
    best = choose_engine(settings_for("openvino", "auto", arguments.imgsz)).precision
    for engine_name, precision in [*runs, *([("openvino", best)] if best != "fp32" else [])]:
        settings = settings_for(engine_name, precision, arguments.imgsz)
        engine = load_engine(settings, arguments.cache)
        estimator = PoseEstimator(engine, settings)
        for place, images in by_place.items():
            result = agreement(ours(estimator, images), expected[place])
            print(f"{engine_name:9s}{precision:5s}{place:32s}{result.line()}", flush=True)
        engine.close()


if __name__ == "__main__":
    main()
