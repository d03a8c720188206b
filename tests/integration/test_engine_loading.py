"""Loading engines: what cannot work is refused with a reason, and exporting writes only into the cache."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from posebus.config.settings import WorkerSettings
from posebus.errors import EngineError, WeightsError
from tests.conftest import ROOT
from tests.integration.conftest import BuildModel
from workers.detections import Head, Limits
from workers.engine_loading import load_engine
from workers.engines.base import Engine
from workers.engines.onnx import OnnxEngine
from workers.engines.openvino import OpenVINOEngine
from workers.inference.estimator import PoseEstimator
from workers.weights.export import export_onnx, read_head
from workers.weights.weights import Weights


@pytest.mark.parametrize("engine", ["torch", "openvino"])
def test_model_of_another_task_is_refused_with_a_reason(
    engine: str, tmp_path: Path, engine_cache: Path, build_model: BuildModel
) -> None:
    own = build_model(tmp_path, "yolo11n.yaml")
    settings = WorkerSettings.model_validate({"engine": engine, "model": str(own), "allow_unknown_weights": True})
    with pytest.raises(WeightsError, match=r"own\.pt is a model for detect, not for poses"):
        load_engine(settings, engine_cache)


@pytest.mark.parametrize(("engine", "error"), [("torch", WeightsError), ("openvino", EngineError)])
def test_file_that_is_not_a_model_is_refused_with_a_reason(
    engine: str, error: type[Exception], tmp_path: Path, engine_cache: Path
) -> None:
    junk = tmp_path / "junk.pt"
    junk.write_bytes(b"this is not a pickle")
    settings = WorkerSettings.model_validate({"engine": engine, "model": str(junk), "allow_unknown_weights": True})
    with pytest.raises(error, match="junk"):
        load_engine(settings, engine_cache)


LIMITS = Limits(conf=0.25, iou=0.7, max_people=300)


def run_once(name: str, path: Path, head: Head) -> None:
    """Load an exported network and infer one small frame."""
    engine: Engine = (
        OnnxEngine(path, head, LIMITS, 1) if name == "onnx" else OpenVINOEngine(path, head, LIMITS, "fp32", 1)
    )
    engine.submit([np.zeros((64, 64, 3), np.uint8)]).result()


@pytest.mark.parametrize("name", ["openvino", "onnx"])
def test_damaged_export_is_refused_with_a_reason(
    name: str, weights: Weights, engine_cache: Path, tmp_path: Path
) -> None:
    whole = export_onnx(weights, engine_cache)
    broken = tmp_path / whole.name
    broken.write_bytes(whole.read_bytes()[:100_000])
    head = read_head(whole)
    with pytest.raises(EngineError, match="delete"):
        run_once(name, broken, head)
    with pytest.raises(EngineError, match="delete"):
        read_head(broken)


def test_exporting_leaves_the_rest_of_the_disk_unchanged(
    weights: Weights, engine_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, here = tmp_path / "home", tmp_path / "here"
    home.mkdir()
    here.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(here)
    monkeypatch.delenv("YOLO_CONFIG_DIR", raising=False)
    target = export_onnx(weights, tmp_path / "cache")
    assert not list(home.iterdir())
    assert not list(here.iterdir())
    assert {path.suffix for path in target.parent.iterdir()} == {".onnx", ".lock"}
    assert not list(weights.path.parent.glob("*.onnx"))
    estimator = PoseEstimator(load_engine(WorkerSettings(engine="openvino"), tmp_path / "cache"), WorkerSettings())
    estimator.warm_up((64, 64))
    estimator.engine.close()


def test_importing_openvino_sends_no_telemetry(weights: Weights, engine_cache: Path, tmp_path: Path) -> None:
    export_onnx(weights, engine_cache)
    code = (
        "import sys; from pathlib import Path\n"
        "from posebus.config.settings import WorkerSettings; from workers.engine_loading import load_engine\n"
        "load_engine(WorkerSettings(engine='openvino'), Path(sys.argv[1])).close()\n"
        "assert sys.modules['openvino_telemetry'] is None, 'telemetry was loaded'"
    )
    # Only HOME changes: the identifier that telemetry keeps would be written there.
    environment = {**os.environ, "HOME": str(tmp_path), "CI": ""}
    subprocess.run([sys.executable, "-c", code, str(engine_cache)], cwd=ROOT, env=environment, check=True)
    assert not list(tmp_path.iterdir())
