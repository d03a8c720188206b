"""Refining small people with real engines: the gain on annotated pictures, and what stays unchanged."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.accuracy.people import Person, annotated_people
from benchmarks.accuracy.refinement import CANVAS_PX, losses
from posebus.config.settings import WorkerSettings
from tests.clips import photograph
from tests.integration.conftest import MakeEstimator
from tests.integration.run_command import posebus
from workers.engine_loading import load_engine
from workers.images.picture import Picture
from workers.inference.estimator import PoseEstimator

Refining = Callable[..., PoseEstimator]


@pytest.fixture(scope="module")
def refining(engine_cache: Path) -> Iterator[Refining]:
    """Return `refining(engine=…, …)`: an estimator that refines people below 128 pixels."""
    made: list[PoseEstimator] = []

    def make(**settings: Any) -> PoseEstimator:
        wanted = WorkerSettings(**{"precision": "fp32", "refine_below_px": 128, **settings})
        made.append(PoseEstimator(load_engine(wanted, engine_cache), wanted))
        return made[-1]

    yield make
    for estimator in made:
        estimator.engine.close()


@pytest.fixture(scope="module")
def annotated(shared_data: Path) -> list[Person]:
    people = annotated_people(shared_data / "coco4")
    assert len(people) == 12
    return people


@pytest.mark.parametrize("mirrored", [True, False])
@pytest.mark.parametrize("height_px", [60, pytest.param(80, marks=pytest.mark.thorough), 100])
def test_keypoint_error_of_small_people_falls_by_a_quarter(
    height_px: int, mirrored: bool, annotated: list[Person], make_estimator: MakeEstimator, refining: Refining
) -> None:
    sides = {
        "once": make_estimator(engine="openvino", precision="fp32"),
        "twice": refining(engine="openvino", refine_mirrored=mirrored),
    }
    lost, people = losses((one.reduced(height_px, CANVAS_PX) for one in annotated), sides)
    assert people >= 11
    assert lost["twice"] <= 0.75 * lost["once"]


def test_people_enlarged_by_the_letterbox_gain_too(
    annotated: list[Person], make_estimator: MakeEstimator, refining: Refining
) -> None:
    sides = {"once": make_estimator(engine="openvino", precision="fp32"), "twice": refining(engine="openvino")}
    lost, people = losses((one.reduced(80, None) for one in annotated), sides)
    assert people >= 11
    assert lost["twice"] <= 0.9 * lost["once"]


@pytest.mark.parametrize("engine", ["openvino", "onnx", "torch"])
def test_every_engine_can_refine_and_only_keypoints_of_small_people_change(
    engine: str, annotated: list[Person], make_estimator: MakeEstimator, refining: Refining
) -> None:
    # A picture of 640x429 with two people of 210 and 297 pixels, and two of 94 and 116.
    picture = min(annotated, key=lambda one: float(one.box_xyxy_px[3] - one.box_xyxy_px[1])).rgb
    once, twice = make_estimator(engine=engine, precision="fp32"), refining(engine=engine)
    assert twice.engine.name == f"{engine}+refine"
    twice.warm_up((640, 480))
    before, after = once.estimate(picture), twice.estimate(picture)
    np.testing.assert_array_equal(after.boxes_xyxy_px, before.boxes_xyxy_px)
    np.testing.assert_array_equal(after.scores, before.scores)
    high = before.boxes_xyxy_px[:, 3] - before.boxes_xyxy_px[:, 1] > 128
    assert 0 < high.sum() < len(high)
    np.testing.assert_array_equal(after.keypoints_px[high], before.keypoints_px[high])
    assert not np.array_equal(after.keypoints_px[~high], before.keypoints_px[~high])


def test_batches_of_frames_and_of_crops_give_the_same_people(annotated: list[Person], refining: Refining) -> None:
    estimator = refining(engine="torch", batch=4)
    pictures = [annotated[row].reduced(80, CANVAS_PX).rgb for row in (0, 3, 8)]
    prepared = [estimator.prepare(Picture.of(picture))[0] for picture in pictures]
    together = estimator.submit(prepared).result()
    for found, picture in zip(together, pictures, strict=True):
        alone = estimator.estimate(picture)
        assert len(alone.scores)
        fit = estimator.fit((picture.shape[1], picture.shape[0]))
        np.testing.assert_allclose(fit.people_to_source(found, CANVAS_PX).keypoints_px, alone.keypoints_px, atol=0.05)


def test_result_does_not_depend_on_other_frames_in_flight(annotated: list[Person], refining: Refining) -> None:
    estimator = refining(engine="openvino", threads=2)
    pictures = [one.reduced(80, CANVAS_PX).rgb for one in annotated[::2]]
    prepared = [estimator.prepare(Picture.of(picture))[0] for picture in pictures]
    calm = [estimator.submit([one]).result()[0] for one in prepared]
    futures = [estimator.submit([one]) for one in prepared]
    for one, other in zip(calm, [future.result()[0] for future in futures], strict=True):
        np.testing.assert_array_equal(one.keypoints_px, other.keypoints_px)


def test_crops_are_cut_at_the_full_resolution_of_a_jpeg(annotated: list[Person], refining: Refining) -> None:
    import simplejpeg

    one = annotated[8].reduced(240, (1920, 1440))  # 80 pixels high in the network's input
    data = simplejpeg.encode_jpeg(np.ascontiguousarray(one.rgb), 95, "RGB", "444")
    estimator = refining(engine="openvino")

    def estimate(picture: Picture) -> Any:
        (prepared,) = estimator.prepare(picture)
        fit = estimator.fit(picture.size_px)
        return fit.people_to_source(estimator.submit([prepared]).result()[0], picture.size_px)

    picture = Picture(data, "jpeg", (1920, 1440))
    reduced = estimate(picture)
    assert picture.rgb().shape[0] < 1440
    whole = estimate(Picture.of(simplejpeg.decode_jpeg(data, "RGB")))
    assert len(reduced.scores) == len(whole.scores)
    apart = np.linalg.norm(reduced.keypoints_px[0, :, :2] - whole.keypoints_px[0, :, :2], axis=1)
    assert np.median(apart) < 5  # of 240


@pytest.mark.thorough
def test_recordings_run_with_refinement_and_several_workers_agree_with_one(
    annotated: list[Person], engine_cache: Path, tmp_path: Path
) -> None:
    import cv2

    (tmp_path / "view").mkdir()
    for number, one in enumerate(annotated[:6]):
        cv2.imwrite(str(tmp_path / "view" / f"{number:02d}.png"), one.reduced(80, CANVAS_PX).rgb[..., ::-1])
    tracks = []
    for workers in ("1", "2"):
        out = tmp_path / workers
        arguments = ["run", tmp_path / "view", "--out", out, "--workers", workers, "--no-video", "--json"]
        done = posebus(engine_cache, *arguments, "--refine-below", "128")
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["engine"].endswith("+refine")
        rows = [json.loads(line)["tracks"] for line in (out / "view.tracks.jsonl").read_text().splitlines()]
        assert len(rows) == 6
        assert any(rows)
        tracks.append(rows)
    assert tracks[0] == tracks[1]


def test_refinement_and_keypoint_model_together_are_refused_with_a_reason(engine_cache: Path, tmp_path: Path) -> None:
    both = ["--refine-below", "128", "--keypoint-model", tmp_path / "net.onnx"]
    done = posebus(engine_cache, "image", photograph("bus.jpg"), "--out", tmp_path, *both)
    assert done.returncode == 1
    assert "set it, or refine_below_px, but not both" in done.stderr
