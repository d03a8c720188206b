"""Top-down networks of every kind in the estimator, and files that are refused."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper, save

from posebus.arrays import Float32Array
from posebus.config.settings import WorkerSettings
from posebus.errors import EngineError
from tests.clips import photograph
from tests.integration.conftest import MakeEstimator
from tests.integration.small_networks import dotted, heatmap_network, simcc_network, stacked_network
from workers.detections import Detections, Head, ImageArray
from workers.engine_loading import load_engine
from workers.engines.base import Engine
from workers.images.picture import Picture
from workers.images.preprocess import Letterbox
from workers.inference.estimator import PoseEstimator
from workers.keypoints.crop_engine import CropKeypointEngine, LockedEngine
from workers.keypoints.model import KeypointModel
from workers.keypoints.top_down import TopDown

SIZE_PX = (640, 480)
BOXES = np.array(((60, 40, 160, 200), (300, 100, 420, 260), (540, 330, 640, 480)), np.float32)
NETWORKS: dict[str, Callable[[Path], Path]] = {
    "heatmaps": heatmap_network,
    "heatmaps with a background (CPM)": partial(heatmap_network, background=True),
    "heatmaps of three stages (Hourglass)": partial(heatmap_network, stages=3),
    "a stack of heatmaps": stacked_network,
    "heatmaps of one person at a time": partial(heatmap_network, batch=1),
    "heatmaps of four people at a time": partial(heatmap_network, batch=4),
    "SimCC": simcc_network,
    "SimCC, rows first": partial(simcc_network, rows_first=True),
    "SimCC of three bins a pixel": partial(simcc_network, bins_a_pixel=3),
}


class Boxes:
    """An engine that detects given boxes (in pixels of a network's input of 640) without keypoints."""

    name, precision, device, batch, in_flight = "boxes", "fp32", "cpu", 1, 2

    def __init__(self, boxes_of_source: Float32Array, keypoints: int) -> None:
        self.head = Head(classes=1, keypoints=keypoints, keypoint_dims=3, end_to_end=False, stride=32)
        self._boxes = boxes_of_source

    def prepare(self, picture: Picture, fit: Letterbox) -> Float32Array:
        scale = fit.resized_px[0] / fit.image_size_px[0]
        return (self._boxes.reshape(-1, 2, 2) * scale + np.array(fit.offset_px)).reshape(-1, 4).astype(np.float32)

    def submit(self, prepared: Sequence[Float32Array], *, low_latency: bool = False) -> Future[list[Detections]]:
        (boxes,) = prepared
        future: Future[list[Detections]] = Future()
        scores = np.linspace(0.9, 0.6, len(boxes), dtype=np.float32)
        future.set_result([Detections(boxes, scores, np.zeros((len(boxes), self.head.keypoints, 3), np.float32))])
        return future

    def close(self) -> None:
        pass


def two_stages(network: Path, boxes: Float32Array, keypoints: int = 17) -> PoseEstimator:
    engine: Engine = Boxes(boxes, keypoints)
    look = TopDown(KeypointModel(network, threads=1))
    return PoseEstimator(CropKeypointEngine(LockedEngine(engine), look), WorkerSettings())


def people(boxes: Float32Array, size_px: tuple[int, int]) -> tuple[ImageArray, Float32Array]:
    """Return a picture with a dot for each keypoint of each person, none over another, and the dots' positions."""
    rng = np.random.default_rng(3)
    grid = np.stack(np.meshgrid(np.arange(4), np.arange(5)), axis=-1).reshape(-1, 2)[:17]
    picture = np.full((size_px[1], size_px[0], 3), 128, np.uint8)
    places = np.empty((len(boxes), 17, 2), np.float32)
    for row, box in enumerate(boxes):
        cell = (box[2:] - box[:2]) / (4, 5)
        places[row] = box[:2] + (rng.permutation(grid) + rng.uniform(0.3, 0.7, (17, 2))) * cell
        drawn = dotted(size_px, places[row])
        picture = np.where(drawn != 128, drawn, picture)
    return picture, places


@pytest.mark.parametrize("kind", NETWORKS)
def test_keypoints_have_their_positions_in_the_source(kind: str, tmp_path: Path) -> None:
    picture, places = people(BOXES, SIZE_PX)
    estimator = two_stages(NETWORKS[kind](tmp_path / "net.onnx"), BOXES)
    found = estimator.estimate(picture)
    estimator.engine.close()
    np.testing.assert_allclose(found.boxes_xyxy_px, BOXES, atol=0.01)
    np.testing.assert_allclose(found.scores, (0.9, 0.75, 0.6))
    np.testing.assert_allclose(found.keypoints_px[..., :2], places, atol=1.0)
    assert np.abs(found.keypoints_px[..., :2] - places).mean() < 0.5
    assert found.keypoints_px[..., 2].min() > 0.1
    assert found.keypoints_px[..., 2].max() <= 1


@pytest.mark.parametrize("size_px", [(1280, 960), (960, 720), (320, 240)])
def test_pictures_of_other_sizes_than_the_network_s_input(size_px: tuple[int, int], tmp_path: Path) -> None:
    boxes = BOXES * np.float32(size_px[0] / 640)
    picture, places = people(boxes, size_px)
    estimator = two_stages(simcc_network(tmp_path / "net.onnx"), boxes)
    found = estimator.estimate(picture)
    estimator.engine.close()
    np.testing.assert_allclose(found.keypoints_px[..., :2], places, atol=max(1.0, size_px[0] / 400))


def test_detector_needs_no_keypoints(tmp_path: Path) -> None:
    picture, places = people(BOXES, SIZE_PX)
    estimator = two_stages(simcc_network(tmp_path / "net.onnx"), BOXES, keypoints=0)
    assert estimator.engine.head.keypoints == 17
    assert estimator.engine.name == "boxes+keypoints"
    np.testing.assert_allclose(estimator.estimate(picture).keypoints_px[..., :2], places, atol=2)
    estimator.engine.close()


def test_a_picture_without_people(tmp_path: Path) -> None:
    estimator = two_stages(heatmap_network(tmp_path / "net.onnx"), BOXES[:0])
    assert estimator.estimate(dotted(SIZE_PX, np.full((17, 2), 50, np.float32))).keypoints_px.shape == (0, 17, 3)
    estimator.engine.close()


def test_more_people_than_one_run_takes(tmp_path: Path) -> None:
    boxes = np.concatenate([BOXES] * 15)
    picture, places = people(BOXES, SIZE_PX)
    estimator = two_stages(heatmap_network(tmp_path / "net.onnx"), boxes)
    found = estimator.estimate(picture)
    estimator.engine.close()
    np.testing.assert_allclose(found.keypoints_px[..., :2], np.concatenate([places] * 15), atol=3)


def test_a_real_network_and_a_keypoint_model_by_the_settings(
    engine_cache: Path, make_estimator: MakeEstimator, tmp_path: Path
) -> None:
    import cv2

    image_bgr = cv2.imread(str(photograph("bus.jpg")))
    assert image_bgr is not None
    rgb = np.ascontiguousarray(image_bgr[..., ::-1])
    network = simcc_network(tmp_path / "net.onnx")
    settings = WorkerSettings(engine="onnx", conf=0.25, keypoint_model=str(network))
    engine = load_engine(settings, engine_cache)
    estimator = PoseEstimator(engine, settings)
    estimator.warm_up((640, 480))
    found = estimator.estimate(rgb)
    alone = make_estimator(engine="onnx", conf=0.25).estimate(rgb)
    engine.close()
    assert engine.name == "onnx+keypoints"
    np.testing.assert_array_equal(found.boxes_xyxy_px, alone.boxes_xyxy_px)
    np.testing.assert_array_equal(found.scores, alone.scores)
    assert found.keypoints_px.shape == alone.keypoints_px.shape
    assert not np.allclose(found.keypoints_px, alone.keypoints_px, atol=5)


def unfit(path: Path, inputs: list[list[int | str]], outputs: list[list[int]], kind: int = TensorProto.FLOAT) -> Path:
    """Write an ONNX file that outputs zeros of these shapes for any input."""
    constants = [
        helper.make_node("ConstantOfShape", [f"shape{number}"], [f"out{number}"]) for number in range(len(outputs))
    ]
    graph = helper.make_graph(
        constants,
        "unfit",
        [helper.make_tensor_value_info(f"in{number}", kind, shape) for number, shape in enumerate(inputs)],
        [helper.make_tensor_value_info(f"out{number}", TensorProto.FLOAT, None) for number in range(len(outputs))],
        [
            helper.make_tensor(f"shape{number}", TensorProto.INT64, [len(shape)], shape)
            for number, shape in enumerate(outputs)
        ],
    )
    save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), path)
    return path


CROP: list[int | str] = ["people", 3, 256, 192]


@pytest.mark.parametrize(
    ("inputs", "outputs", "sentence"),
    [
        ([["people", 3, "height", "width"]], [[1, 17, 64, 48]], "fixed height and width"),
        ([["people", 1, 256, 192]], [[1, 17, 64, 48]], r"one float input of \[people, 3, height, width\]"),
        ([CROP, CROP], [[1, 17, 64, 48]], "takes in0 .*, in1 .*: a keypoint network takes one"),
        ([CROP], [[1, 133, 64, 48]], r"gives \[1, 133, 64, 48\]: .*COCO's 17 keypoints"),
        ([CROP], [[1, 26, 384], [1, 26, 512]], r"gives \[1, 26, 384\], \[1, 26, 512\]"),
        ([CROP], [[1, 17, 384], [1, 17, 500]], r"gives \[1, 17, 384\], \[1, 17, 500\]"),
        ([CROP], [[1, 56, 8400]], "a keypoint network gives heatmaps"),
    ],
)
def test_network_of_another_kind_is_refused(
    inputs: list[list[int | str]], outputs: list[list[int]], sentence: str, tmp_path: Path
) -> None:
    with pytest.raises(EngineError, match=sentence):
        KeypointModel(unfit(tmp_path / "net.onnx", inputs, outputs), threads=1)


def test_network_with_byte_input_is_refused(tmp_path: Path) -> None:
    path = unfit(tmp_path / "net.onnx", [CROP], [[1, 17, 64, 48]], TensorProto.UINT8)
    with pytest.raises(EngineError, match=r"net.onnx takes in0 tensor\(uint8\)"):
        KeypointModel(path, threads=1)


@pytest.mark.parametrize("content", [b"", b"no network", b"PK\x03\x04" + bytes(1000)])
def test_file_that_is_no_network_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "net.onnx"
    path.write_bytes(content)
    with pytest.raises(EngineError, match=r"net\.onnx"):
        KeypointModel(path, threads=1)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"keypoint_model": "/nowhere/net.onnx"}, "the keypoint network /nowhere/net.onnx does not exist"),
        ({"keypoint_model": "net.onnx", "refine_below_px": 100}, "set it, or refine_below_px, but not both"),
    ],
)
def test_unusable_settings_are_refused_when_the_engine_is_loaded(
    settings: dict[str, object], sentence: str, engine_cache: Path
) -> None:
    with pytest.raises(EngineError, match=sentence):
        load_engine(WorkerSettings.model_validate({"engine": "onnx", **settings}), engine_cache)
