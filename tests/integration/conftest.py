"""Real weights and engines, exported once per test run and loaded once per process of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from posebus.config.settings import WorkerSettings
from tests.once import made_once
from workers.engine_loading import choose_engine, load_engine
from workers.engines.base import Engine
from workers.inference.estimator import PoseEstimator
from workers.weights.weights import Weights, resolve_weights

MakeEstimator = Callable[..., PoseEstimator]
BuildModel = Callable[..., Path]


@pytest.fixture(scope="session")
def weights(engine_cache: Path) -> Weights:
    """The path of the default weights, without using the network."""
    return resolve_weights("yolo11n-pose", allow_unknown=False, cache_dir=engine_cache, download=False)


@pytest.fixture(scope="session")
def make_estimator(engine_cache: Path) -> Iterator[MakeEstimator]:
    """`make_estimator(engine=…, precision=…, …)`: takes any `WorkerSettings`, also beyond their limits; engines are
    shared where possible."""
    engines: dict[tuple[Any, ...], Engine] = {}

    def make(**settings: Any) -> PoseEstimator:
        wanted = WorkerSettings().model_copy(update=settings)
        limits = (wanted.conf, wanted.iou, wanted.max_people)
        key = (wanted.engine, wanted.precision, wanted.model, wanted.threads, wanted.batch, limits)
        if key not in engines:
            engines[key] = load_engine(wanted, engine_cache)
        return PoseEstimator(engines[key], wanted)

    yield make
    for engine in engines.values():
        engine.close()


@pytest.fixture(scope="session")
def openvino_precisions() -> list[str]:
    """The precision that OpenVINO computes natively on this machine."""
    best = choose_engine(WorkerSettings(engine="openvino")).precision
    return ["fp32"] if best == "fp32" else ["fp32", best]


@pytest.fixture(scope="session")
def two_heads(run_folder: Path, build_model: BuildModel) -> dict[bool, Path]:
    """An untrained network in two exports, with its end-to-end head (True) and with its dense one (False).

    Untrained, both heads hold the same numbers.
    """

    def export(folder: Path) -> None:
        from ultralytics import YOLO

        own = build_model(folder, "yolo26n-pose.yaml", nc=1)
        for end_to_end in (True, False):
            exported = YOLO(str(own)).export(format="onnx", dynamic=True, nms=False if end_to_end else None)
            Path(exported).rename(folder / f"{end_to_end}.onnx")

    folder = made_once(run_folder / "two-heads", export)
    return {end_to_end: folder / f"{end_to_end}.onnx" for end_to_end in (True, False)}


@pytest.fixture(scope="session")
def build_model() -> BuildModel:
    """`build_model(folder, "yolo11n-pose.yaml", nc=…)`: an untrained network of ultralytics' as a .pt file."""

    def build(folder: Path, config: str, **changes: Any) -> Path:
        import torch
        import ultralytics

        # The name that ultralytics expects contains the letter for the size, but the name of the file does not.
        general = config.replace("n-", "-").replace("n.", ".")
        source = next((Path(ultralytics.__file__).parent / "cfg" / "models").rglob(general))
        description = folder / config
        description.write_text(yaml.safe_dump(yaml.safe_load(source.read_text()) | changes))
        torch.manual_seed(0)
        ultralytics.YOLO(str(description)).save(str(folder / "own.pt"))
        return folder / "own.pt"

    return build
