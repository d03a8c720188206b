"""Average precision of keypoints on annotated pictures, by COCO's own evaluation (https://cocodataset.org/#keypoints-eval)."""

from __future__ import annotations

import io
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from posebus.contract.foreign_json import WRONG_DATA, load_object
from posebus.errors import ConfigError, EngineError, MalformedMessage
from workers.detections import Detections

LEAST_SCORE = 0.001
"""People from this score on enter the evaluation, because precision is averaged over all thresholds."""

Detect = Callable[[Path], Detections]
"""Detects the people in a picture file, in the picture's own pixels."""

MAX_ANNOTATION_BYTES = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Annotated:
    """Pictures with COCO's keypoint annotations (`person_keypoints_*.json`), whose files are in `pictures` by id."""

    path: Path
    pictures: dict[int, Path]


def read_annotations(path: Path) -> Annotated:
    """Return the annotated pictures, which lie beside the file `path`.

    Raises ConfigError for an unusable file, EngineError without pycocotools.
    """
    if find_spec("pycocotools") is None:
        raise EngineError(
            "AP needs the package pycocotools, which is not installed: pip install '.[int8]' in the checkout of posebus"
        )
    try:
        data = load_object(path.read_bytes(), path.name, MAX_ANNOTATION_BYTES)
        pictures = {int(row["id"]): path.parent / row["file_name"] for row in data["images"]}
        joints = {len(row["keypoints"]) for row in data["annotations"]}
    except OSError as error:
        raise ConfigError(f"the annotations {path} cannot be read: {error.strerror}") from error
    except (MalformedMessage, *WRONG_DATA) as error:
        raise ConfigError(f"{path} holds no keypoint annotations in COCO's format: give such a file") from error
    if joints != {51}:
        raise ConfigError(f"{path} holds no annotations of COCO's 17 keypoints: give such a file")
    missing = [picture for picture in pictures.values() if not picture.is_file()]
    if missing:
        raise ConfigError(f"{missing[0]} is missing: put the annotated pictures beside {path.name}")
    return Annotated(path, pictures)


def average_precision(annotated: Annotated, detect: Detect) -> float:
    """Return the AP: the mean over the object keypoint similarity thresholds 0.5, 0.55, …, 0.95.

    It covers people of all sizes, 20 per picture at most.
    """
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    rows = [row for number, path in annotated.pictures.items() for row in _rows(number, detect(path))]
    if not rows:
        return 0.0
    # pycocotools prints its progress to standard output, which a program may read as our answer.
    with redirect_stdout(io.StringIO()):
        truth = COCO(str(annotated.path))
        evaluation = COCOeval(truth, truth.loadRes(rows), "keypoints")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return float(evaluation.stats[0])


def _rows(number: int, people: Detections) -> list[dict[str, Any]]:
    return [
        {"image_id": number, "category_id": 1, "score": float(score), "keypoints": keypoints.ravel().tolist()}
        for score, keypoints in zip(people.scores, people.keypoints_px, strict=True)
    ]
