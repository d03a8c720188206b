"""Average precision of keypoints, on cases counted by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from posebus.errors import ConfigError
from workers.detections import Detections
from workers.int8.average_precision import average_precision, read_annotations

JOINTS = 17


def annotate(folder: Path, people: int, **changes: Any) -> Path:
    """Annotate one picture, an empty file, with `people` of 100x100 px beside each other."""
    (folder / "one.jpg").touch()
    annotations = [
        {
            "id": number + 1,
            "image_id": 7,
            "category_id": 1,
            "iscrowd": 0,
            "area": 10_000.0,
            "bbox": [200.0 * number, 0, 100, 100],
            "num_keypoints": JOINTS,
            "keypoints": joints(number).reshape(-1).tolist(),
        }
        for number in range(people)
    ]
    data = {
        "images": [{"id": 7, "file_name": "one.jpg", "width": 1000, "height": 100}],
        "annotations": annotations,
        "categories": [{"id": 1, "name": "person", "keypoints": ["joint"] * JOINTS, "skeleton": []}],
    } | changes
    path = folder / "people.json"
    path.write_text(json.dumps(data))
    return path


def joints(number: int) -> np.ndarray[Any, Any]:
    """Joints (17, 3) of person `number`, all visible."""
    rows = np.full((JOINTS, 3), 2.0)
    rows[:, 0], rows[:, 1] = 200 * number + 5 * np.arange(JOINTS), 50
    return rows


def found(*numbers: int, shift_px: float = 0.0) -> Detections:
    keypoints = np.array([joints(number) for number in numbers], np.float32).reshape(-1, JOINTS, 3)
    keypoints[..., 0] += shift_px
    scores = np.linspace(0.9, 0.5, len(numbers), dtype=np.float32)
    return Detections(np.zeros((len(numbers), 4), np.float32), scores, keypoints)


@pytest.mark.parametrize(
    ("detections", "expected"),
    [
        (found(0, 1), 1.0),
        # One of two: precision is 1 up to a recall of 0.5, which are 51 of the 101 points that COCO averages over.
        (found(0), 51 / 101),
        # A false positive comes first: precision is 1/2, then 2/3 for all 101 points (its envelope).
        (found(4, 0, 1), 2 / 3),
        (found(0, 1, shift_px=500.0), 0.0),
        (found(), 0.0),
    ],
)
def test_ap_equals_the_value_counted_by_hand(detections: Detections, expected: float, tmp_path: Path) -> None:
    annotated = read_annotations(annotate(tmp_path, people=2))
    assert average_precision(annotated, lambda path: detections) == pytest.approx(expected, abs=1e-6)


def test_nothing_is_printed_on_standard_output(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    average_precision(read_annotations(annotate(tmp_path, people=1)), lambda path: found(0))
    assert capsys.readouterr().out == ""


def test_unusable_annotation_files_are_refused_with_a_reason(tmp_path: Path) -> None:
    path = tmp_path / "people.json"
    with pytest.raises(ConfigError, match="cannot be read"):
        read_annotations(path)
    path.write_text("[]")
    with pytest.raises(ConfigError, match="no keypoint annotations in COCO's format"):
        read_annotations(path)
    with pytest.raises(ConfigError, match="17 keypoints"):
        read_annotations(annotate(tmp_path, people=0))
    whole = annotate(tmp_path, people=1)
    (tmp_path / "one.jpg").unlink()
    with pytest.raises(ConfigError, match=r"one\.jpg is missing"):
        read_annotations(whole)
