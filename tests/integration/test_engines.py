"""Real engines: results do not depend on load, threads or other frames; both head layouts."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import wait
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from posebus.config.settings import WorkerSettings
from posebus.errors import EngineError
from tests.clips import photograph
from tests.integration.conftest import BuildModel, MakeEstimator
from workers.detections import Detections, Head, ImageArray, Limits
from workers.engines import openvino
from workers.engines.base import Engine
from workers.engines.onnx import OnnxEngine
from workers.engines.openvino import SETUPS_KEPT, OpenVINOEngine
from workers.engines.spec import EngineRequest
from workers.engines.torch import TorchEngine
from workers.images.picture import Picture
from workers.images.preprocess import Letterbox
from workers.weights.export import read_head
from workers.weights.weights import Weights

ROOT = Path(__file__).resolve().parents[2]
FRAMES = 4


@pytest.fixture(scope="session")
def people_rgb() -> ImageArray:
    """The picture of people that ultralytics ships."""
    import cv2

    image_bgr = cv2.imread(str(photograph("bus.jpg")))
    assert image_bgr is not None
    return np.ascontiguousarray(image_bgr[..., ::-1])


@pytest.fixture(scope="session")
def frames_rgb(people_rgb: ImageArray) -> list[ImageArray]:
    """Return different views of real people, all 640x480."""
    return [np.ascontiguousarray(people_rgb[300 + 20 * n : 780 + 20 * n, 20 * n : 640 + 20 * n]) for n in range(FRAMES)]


EVERYTHING = {"conf": 1e-6, "iou": 1.0, "max_people": 5000}
"""Limits that let nearly the whole output of a network through."""


def prepared(engine: Engine, image_rgb: ImageArray) -> Any:
    """Return what `engine` prepares of a picture at 640."""
    return engine.prepare(Picture.of(image_rgb), Letterbox.fit((image_rgb.shape[1], image_rgb.shape[0]), 640))


def one_by_one(engine: Engine, frames: Sequence[ImageArray]) -> list[Detections]:
    """Return results with one frame in flight at a time."""
    return [engine.submit([prepared(engine, frame)]).result()[0] for frame in frames]


def crowded(engine: Engine, frames: Sequence[ImageArray]) -> list[Detections]:
    """Return results with all frames in flight, in another order."""
    futures = {index: engine.submit([prepared(engine, frames[index])]) for index in reversed(range(len(frames)))}
    wait(futures.values(), timeout=60)
    return [futures[index].result()[0] for index in range(len(frames))]


def digest(found: Sequence[Detections]) -> str:
    """Return every bit of the results."""
    assert all(len(people.scores) > 1000 for people in found)
    arrays = (array for people in found for array in (people.boxes_xyxy_px, people.scores, people.keypoints_px))
    return hashlib.sha256(b"".join(array.tobytes() for array in arrays)).hexdigest()


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_openvino_gives_the_same_bits_under_any_load_and_threads(
    precision: str,
    openvino_precisions: list[str],
    make_estimator: MakeEstimator,
    frames_rgb: list[ImageArray],
) -> None:
    if precision not in openvino_precisions:
        pytest.skip("this CPU does not compute bf16 natively")
    digests = set()
    for threads in (1, 2, 3):
        engine = make_estimator(engine="openvino", precision=precision, threads=threads, **EVERYTHING).engine
        assert engine.in_flight > threads
        digests |= {digest(one_by_one(engine, frames_rgb)), digest(crowded(engine, frames_rgb))}
    assert len(digests) == 1


def test_openvino_gives_the_same_bits_in_another_process(
    engine_cache: Path, make_estimator: MakeEstimator, frames_rgb: list[ImageArray], tmp_path: Path
) -> None:
    frames_file = tmp_path / "frames.npy"
    np.save(frames_file, np.stack(frames_rgb))
    code = (
        "import sys, numpy as np; from pathlib import Path\n"
        "from posebus.config.settings import WorkerSettings; from workers.engine_loading import load_engine\n"
        "from tests.integration.test_engines import EVERYTHING, crowded, digest\n"
        "settings = WorkerSettings(engine='openvino', threads=1).model_copy(update=EVERYTHING)\n"
        "engine = load_engine(settings, Path(sys.argv[1]))\n"
        "print(digest(crowded(engine, np.load(sys.argv[2]))))\n"
        "engine.close()"  # otherwise a thread of the engine might still be in its callback when Python ends
    )
    other = subprocess.run(
        [sys.executable, "-c", code, str(engine_cache), str(frames_file)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    engine = make_estimator(engine="openvino", threads=2, **EVERYTHING).engine
    assert other.stdout.split()[-1] == digest(crowded(engine, frames_rgb))


@pytest.mark.parametrize("name", ["onnx", "torch"])
def test_results_of_other_engines_do_not_depend_on_the_queue(
    name: str, make_estimator: MakeEstimator, frames_rgb: list[ImageArray]
) -> None:
    engine = make_estimator(engine=name, **EVERYTHING).engine
    assert digest(one_by_one(engine, frames_rgb)) == digest(crowded(engine, frames_rgb))


@pytest.mark.parametrize("name", ["openvino", "onnx", "torch"])
def test_low_latency_gives_the_same_people(
    name: str, make_estimator: MakeEstimator, frames_rgb: list[ImageArray]
) -> None:
    estimator = make_estimator(engine=name, threads=2, conf=0.25)
    calm, urgent = (estimator.estimate(frames_rgb[0], low_latency=low_latency) for low_latency in (False, True))
    assert len(calm.scores) > 0
    np.testing.assert_allclose(urgent.scores, calm.scores, atol=1e-3)
    np.testing.assert_allclose(urgent.keypoints_px, calm.keypoints_px, atol=0.1)


def test_torch_takes_batches(make_estimator: MakeEstimator, frames_rgb: list[ImageArray]) -> None:
    estimator = make_estimator(engine="torch", batch=4)
    assert estimator.engine.batch == 4
    found = estimator.submit([prepared(estimator.engine, frame) for frame in frames_rgb[:4]]).result()
    for detections, frame in zip(found, frames_rgb[:4], strict=True):
        alone = estimator.estimate(frame)
        inside = Letterbox.fit((640, 480), 640).people_to_source(detections, (640, 480))
        np.testing.assert_allclose(inside.boxes_xyxy_px, alone.boxes_xyxy_px, atol=0.1)


@pytest.fixture
def torch_engine(weights: Weights, tmp_path: Path) -> Iterator[Callable[[str], TorchEngine]]:
    """`torch_engine(precision)`: the engine for the CPU, in any precision."""
    engines: list[TorchEngine] = []

    def build(precision: str) -> TorchEngine:
        settings = WorkerSettings(conf=0.3, iou=0.7, max_people=20, threads=1, batch=1)
        request = EngineRequest(
            weights=weights, precision=precision, device="cpu", settings=settings, cache_dir=tmp_path
        )
        engines.append(TorchEngine(request))
        return engines[-1]

    yield build
    for engine in engines:
        engine.close()


def test_low_precision_does_not_round_positions(
    torch_engine: Callable[[str], TorchEngine], frames_rgb: list[ImageArray]
) -> None:
    exact, rounded = (one_by_one(torch_engine(precision), frames_rgb[:1])[0] for precision in ("fp32", "bf16"))
    assert len(rounded.scores) == len(exact.scores) > 0
    order = [people.boxes_xyxy_px[:, 0].argsort() for people in (exact, rounded)]
    apart = np.abs(rounded.boxes_xyxy_px[order[1]] - exact.boxes_xyxy_px[order[0]])
    assert apart.max() < 4
    # In bf16, positions beyond 256 would be multiples of two.
    far = rounded.boxes_xyxy_px[rounded.boxes_xyxy_px > 256]
    assert len(far) > 0
    assert (far % 1 != 0).any()


def test_lost_device_ends_the_worker_and_out_of_memory_does_not(
    torch_engine: Callable[[str], TorchEngine], frames_rgb: list[ImageArray], monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    engine = torch_engine("fp32")
    good = prepared(engine, frames_rgb[0])
    answers = [None, RuntimeError("CUDA error: unspecified launch failure\nmore of it")]

    def synchronize(device: str) -> None:
        answer = answers.pop(0)
        if answer is not None:
            raise answer

    monkeypatch.setattr(torch.cuda, "synchronize", synchronize)
    monkeypatch.setattr(engine, "_cuda", True)
    bad = (good[0][:1], good[1])
    with pytest.raises(RuntimeError):
        engine.submit([bad]).result()
    assert len(engine.submit([good]).result()[0].scores) > 0
    with pytest.raises(RuntimeError):
        engine.submit([bad]).result()
    with pytest.raises(EngineError, match=r"cpu has failed \(CUDA error: unspecified launch failure\)"):
        engine.submit([good])


def test_more_shapes_than_are_kept_still_work(
    make_estimator: MakeEstimator, people_rgb: ImageArray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(openvino, "MAX_COMPILED_BYTES", 0)
    monkeypatch.setattr(openvino, "SETUPS_KEPT", 3)
    estimator = make_estimator(engine="openvino", precision="fp32", imgsz=320)
    widths = [810 - 100 * n for n in range(5)]
    first = [estimator.estimate(people_rgb[:, :width]).scores for width in widths]
    again = [estimator.estimate(people_rgb[:, :width]).scores for width in widths]
    assert len({estimator.fit((width, people_rgb.shape[0])).input_px for width in widths}) > 3
    for one, other in zip(first, again, strict=True):
        np.testing.assert_array_equal(one, other)


def test_as_many_sizes_are_kept_as_fit_the_memory(
    engine_cache: Path, weights: Weights, monkeypatch: pytest.MonkeyPatch
) -> None:
    from workers.weights.export import export_onnx

    path = export_onnx(weights, engine_cache)
    engine = OpenVINOEngine(path, read_head(path), Limits(0.3, 0.7, 20), "fp32", threads=2)
    compiled: list[tuple[int, int]] = []

    class Compiled:
        def wait_all(self) -> None:
            pass

    def note(setup: Any) -> Compiled:
        compiled.append((setup.width_px, setup.height_px))
        return Compiled()

    monkeypatch.setattr(engine, "_compile", note)
    every = [(32 * n, 32 * n) for n in range(1, SETUPS_KEPT + 6)]
    for _ in range(2):
        for width_px, height_px in every:
            engine._queue(openvino._Setup(height_px, width_px, alone=False))
    assert compiled == every, "small ones are all kept"
    large = [(4096, 4096 - 32 * n) for n in range(SETUPS_KEPT)]
    for _ in range(2):
        for width_px, height_px in large:
            engine._queue(openvino._Setup(height_px, width_px, alone=False))
    assert compiled == [*every, *large], "some are kept, however large"
    engine._queue(openvino._Setup(every[0][1], every[0][0], alone=False))
    assert len(compiled) == len(every) + len(large) + 1
    engine.close()


def test_four_people_are_detected_before_the_bus(make_estimator: MakeEstimator, people_rgb: ImageArray) -> None:
    found = make_estimator(conf=0.3).estimate(people_rgb)
    assert len(found.scores) == 4
    assert found.keypoints_px.shape == (4, 17, 3)
    # Visible noses are in the upper half of their boxes.
    seen = found.keypoints_px[:, 0, 2] > 0.5
    middle = found.boxes_xyxy_px[:, 1::2].mean(axis=1)
    assert seen.any()
    assert (found.keypoints_px[seen, 0, 1] < middle[seen]).all()


@pytest.fixture(scope="module")
def own_model(build_model: BuildModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dense pose model with 3 classes and 5 keypoints without confidence."""
    return build_model(tmp_path_factory.mktemp("own"), "yolo11n-pose.yaml", nc=3, kpt_shape=[5, 2])


def test_models_with_other_classes_and_keypoints_agree_between_engines(
    own_model: Path, make_estimator: MakeEstimator, people_rgb: ImageArray
) -> None:
    found = []
    for name in ("torch", "openvino", "onnx"):
        estimator = make_estimator(
            engine=name, precision="fp32", model=str(own_model), allow_unknown_weights=True, imgsz=320, conf=1e-4
        )
        assert estimator.engine.head == Head(3, 5, 2, False, 32)
        found.append(estimator.estimate(people_rgb))
        assert found[-1].keypoints_px.shape == (len(found[-1].scores), 5, 3)
        assert (found[-1].keypoints_px[..., 2] == 1).all()
    assert len(found[0].scores) > 0
    for other in found[1:]:
        np.testing.assert_allclose(np.sort(other.scores)[-5:], np.sort(found[0].scores)[-5:], rtol=1e-3)


@pytest.mark.parametrize("name", ["openvino", "onnx"])
def test_end_to_end_head_gives_the_same_people_as_the_dense_one(
    name: str, two_heads: dict[bool, Path], people_rgb: ImageArray
) -> None:
    outputs = {}
    image = np.ascontiguousarray(people_rgb[:256, :320])
    for end_to_end, path in two_heads.items():
        head = read_head(path)
        assert head == Head(1, 17, 3, end_to_end, 32)
        limits = Limits(conf=1e-9, iou=1.0, max_people=2000)
        engine: Engine = (
            OpenVINOEngine(path, head, limits, "fp32", threads=2)
            if name == "openvino"
            else OnnxEngine(path, head, limits, threads=2)
        )
        (outputs[end_to_end],) = engine.submit([image]).result()
        engine.close()
    rows, dense = outputs[True], outputs[False]
    assert (len(rows.scores), len(dense.scores)) == (300, 1680)
    np.testing.assert_allclose(rows.scores, dense.scores[:300], rtol=1e-4)
    # Many untrained scores are equal, so their order is free; each row must equal one of the dense head's.
    apart = np.abs(rows.boxes_xyxy_px[:, None] - dense.boxes_xyxy_px[None]).max(axis=2)
    same = apart.argmin(axis=1)
    assert apart.min(axis=1).max() < 0.05
    np.testing.assert_allclose(rows.keypoints_px, dense.keypoints_px[same], atol=0.05)
