"""Person masks from real engines.

No trained segmentation weights are available offline, so the network's boxes are those of the pose weights and its
masks are arbitrary: the tests cover the processing, not the quality.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from posebus.config.settings import WorkerSettings
from posebus.contract.masks import mask_of
from posebus.errors import WeightsError
from tests.clips import photograph
from tests.integration.conftest import BuildModel, MakeEstimator
from workers.detections import Detections, ImageArray
from workers.engine_loading import load_engine
from workers.images.picture import Picture
from workers.inference.estimator import PoseEstimator
from workers.weights.export import export_onnx, read_head
from workers.weights.weights import Weights, resolve_weights


@pytest.fixture(scope="module")
def outlines(build_model: BuildModel, tmp_path_factory: pytest.TempPathFactory, weights: Weights) -> Path:
    """Return a segmentation network that detects the same people as the default pose network."""
    from ultralytics import YOLO

    path = build_model(tmp_path_factory.mktemp("outlines"), "yolo11n-seg.yaml", nc=1)
    model = YOLO(str(path))
    model.load(str(weights.path))  # all that both have in common: backbone, boxes and classes
    model.save(str(path))
    return path


@pytest.fixture(scope="module")
def people_rgb() -> ImageArray:
    image_bgr = cv2.imread(str(photograph("bus.jpg")))
    assert image_bgr is not None
    return np.ascontiguousarray(image_bgr[..., ::-1])


@pytest.fixture(scope="module")
def settings(outlines: Path) -> dict[str, Any]:
    return {"precision": "fp32", "masks": str(outlines), "allow_unknown_weights": True, "conf": 0.3}


def bits(found: Sequence[Detections]) -> list[bytes]:
    """The points of all masks, and the end of each."""
    assert all(people.masks is not None for people in found)
    return [b"|".join(mask.tobytes() for mask in people.masks or ()) for people in found]


@pytest.mark.parametrize("engine", ["openvino", "onnx"])
def test_people_have_their_outlines(
    engine: str, engine_cache: Path, people_rgb: ImageArray, settings: dict[str, Any], make_estimator: MakeEstimator
) -> None:
    plain = make_estimator(engine=engine, precision="fp32", conf=0.3).estimate(people_rgb)
    assert plain.masks is None
    wanted = WorkerSettings(engine=engine, **settings)  # type: ignore[arg-type]
    estimator = PoseEstimator(load_engine(wanted, engine_cache), wanted)
    found = estimator.estimate(people_rgb)
    estimator.engine.close()
    for name in ("boxes_xyxy_px", "scores", "keypoints_px"):
        np.testing.assert_allclose(getattr(found, name), getattr(plain, name), atol=1e-3)
    assert found.masks is not None
    assert len(found.masks) == len(found.scores) >= 4
    outlined = [index for index, mask in enumerate(found.masks) if len(mask)]
    assert outlined
    height_px, width_px = people_rgb.shape[:2]
    for index in outlined:
        mask = found.masks[index]
        assert mask.dtype == np.float32
        assert 3 <= len(mask) <= 64
        left, top, right, bottom = found.boxes_xyxy_px[index]
        # One pixel of the network's input is 1.7 of the picture.
        assert (mask >= (left - 4, top - 4)).all()
        assert (mask <= (right + 4, bottom + 4)).all()
        assert mask_of(mask, (width_px, height_px)).any()


@pytest.mark.parametrize("engine", ["openvino", "onnx"])
def test_masks_do_not_depend_on_the_queue(
    engine: str, engine_cache: Path, people_rgb: ImageArray, settings: dict[str, Any]
) -> None:
    views = [np.ascontiguousarray(people_rgb[300 + 20 * n : 780 + 20 * n, 20 * n : 640 + 20 * n]) for n in range(3)]
    digests = set()
    for threads in (1, 2):
        wanted = WorkerSettings(engine=engine, threads=threads, **settings)  # type: ignore[arg-type]
        estimator = PoseEstimator(load_engine(wanted, engine_cache), wanted)
        prepared = [estimator.prepare(Picture.of(view))[0] for view in views]
        alone = [estimator.submit([one]).result()[0] for one in prepared]
        together = [future.result()[0] for future in [estimator.submit([one]) for one in prepared * 2]]
        estimator.engine.close()
        assert bits(together) == bits(alone) * 2
        assert any(len(mask) for people in alone for mask in people.masks or ())
        digests.add(tuple(bits(alone)))
    if engine == "openvino":
        assert len(digests) == 1


def test_masks_equal_those_of_ultralytics_predictor(
    outlines: Path, engine_cache: Path, people_rgb: ImageArray, settings: dict[str, Any]
) -> None:
    """The same exported network runs in ultralytics' own predictor and in ours."""
    from ultralytics import YOLO

    weights = resolve_weights(str(outlines), allow_unknown=True, cache_dir=engine_cache)
    path = export_onnx(weights, engine_cache, "segment")
    assert read_head(path, "segment").mask_class == 0
    picture = people_rgb[:640, :640]
    theirs = YOLO(str(path), task="segment").predict(
        picture[..., ::-1], conf=0.3, iou=0.7, imgsz=640, device="cpu", verbose=False, save=False
    )[0]
    wanted = WorkerSettings(engine="onnx", **settings)  # type: ignore[arg-type]
    estimator = PoseEstimator(load_engine(wanted, engine_cache), wanted)
    engine: Any = estimator.engine
    (ours,) = engine._outlines.submit([estimator.prepare(Picture.of(picture))[0]]).result()
    estimator.engine.close()
    assert theirs.masks is not None
    expected = theirs.masks.data.numpy().astype(bool)
    # Ultralytics drops people with an empty mask.
    masks = [mask for mask in ours.masks or () if len(mask)]
    assert len(masks) == len(expected) > 0
    ious = []
    for mask, other in zip(masks, expected, strict=True):
        # An outline fills holes and leaves small artefacts out, and arbitrary masks have many of both.
        contours, _ = cv2.findContours(other.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        areas = [cv2.contourArea(contour) for contour in contours]
        large = [contour for contour, area in zip(contours, areas, strict=True) if area >= 0.05 * max(areas)]
        filled = cv2.drawContours(np.zeros(other.shape, np.uint8), large, -1, 1, cv2.FILLED) > 0
        found = mask_of(mask, (640, 640))
        ious.append((found & filled).sum() / (found | filled).sum())
    assert np.median(ious) >= 0.9


def test_pose_model_is_refused_for_masks(engine_cache: Path) -> None:
    settings = WorkerSettings(engine="openvino", masks="yolo11n-pose")
    with pytest.raises(WeightsError, match="a model for pose, not for masks: choose weights whose name ends in -seg"):
        load_engine(settings, engine_cache)


@pytest.mark.parametrize("blur", [False, True])
def test_image_draws_outlines_or_blurs_along_them(
    outlines: Path, tmp_path: Path, blur: bool, people_rgb: ImageArray, engine_cache: Path
) -> None:
    options = [
        "--masks",
        str(outlines),
        "--allow-unknown-weights",
        "--engine",
        "onnx",
        "--json",
        "--out",
        str(tmp_path),
    ]
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "posebus_cli",
            "image",
            str(photograph("bus.jpg")),
            *options,
            *(["--blur"] if blur else []),
        ],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "POSEBUS_CACHE_DIR": str(engine_cache)},
    )
    assert done.returncode == 0, done.stderr
    (result,) = json.loads(done.stdout)
    assert any(len(person["mask"]) >= 3 for person in result["people"])
    picture = cv2.imread(str(tmp_path / ("bus.blurred.png" if blur else "bus.annotated.png")))
    assert picture is not None
    changed = (picture[..., ::-1] != people_rgb).any(axis=2)
    assert 0.005 < changed.mean() < 0.6
    # Far from all people nothing changes.
    assert not changed[:100].any()
