"""Engines from other packages: a small package is installed, and a worker's estimator computes with its engine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.integration.installed_package import install

PROJECT = """
[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"

[project]
name = "acme-engines"
version = "1.2"

[project.entry-points."posebus.engines"]
acme = "acme_engine:SPEC"
broken = "acme_broken:SPEC"

[tool.setuptools]
py-modules = ["acme_engine", "acme_broken"]
"""

ENGINE = '''
"""An engine that detects one person, who fills the left half of every picture."""

from concurrent.futures import Future

import numpy as np

from workers.detections import Detections, Head
from workers.engines.spec import EngineSpec


class AcmeEngine:
    name, device, batch, in_flight = "acme", "cpu", 1, 1

    def __init__(self, request):
        self.precision = request.precision
        self.head = Head(classes=1, keypoints=17, keypoint_dims=3, end_to_end=False, stride=32)

    def prepare(self, picture, fit):
        return fit.apply(picture.rgb(fit.resized_px)).shape

    def submit(self, prepared, *, low_latency=False):
        done = Future()
        height_px, width_px, _ = prepared[0]
        box = np.array([[0, 0, width_px / 2, height_px]], np.float32)
        done.set_result([Detections(box, np.ones(1, np.float32), np.zeros((1, 17, 3), np.float32))])
        return done

    def close(self):
        pass


SPEC = EngineSpec(name="acme", module="acme_engine", build=AcmeEngine, precisions=lambda device: ("fp32",))
'''

USE = """
import json, sys
from pathlib import Path
import numpy as np
from posebus.config.settings import WorkerSettings
from posebus.errors import EngineError
from workers.engine_loading import choose_engine, known_engines, load_engine
from workers.inference.estimator import PoseEstimator

names = list(known_engines())
loaded_by_listing = sorted({"acme_engine", "acme_broken"} & {*sys.modules})
settings = WorkerSettings(engine="acme")
choice = choose_engine(settings)
estimator = PoseEstimator(load_engine(settings, Path(sys.argv[1])), settings)
people = estimator.estimate(np.zeros((480, 640, 3), np.uint8))
errors = {}
for name in ("broken", "acmee"):
    try:
        choose_engine(WorkerSettings(engine=name))
    except EngineError as error:
        errors[name] = str(error)
print(json.dumps({
    "names": names,
    "loaded_by_listing": loaded_by_listing,
    "choice": [choice.name, choice.precision, choice.device],
    "boxes": people.boxes_xyxy_px.tolist(),
    "errors": errors,
    "built_in": choose_engine(WorkerSettings(engine="onnx")).name,
}))
"""


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The engines that a process with the package installed finds, chooses and computes with."""
    folder = tmp_path_factory.mktemp("plugin")
    source, site = folder / "source", folder / "site"
    source.mkdir()
    (source / "pyproject.toml").write_text(PROJECT)
    (source / "acme_engine.py").write_text(ENGINE)
    (source / "acme_broken.py").write_text("raise ImportError('no accelerator in this machine')\n")
    install(source, site)
    done = subprocess.run(
        [sys.executable, "-c", USE, str(folder / "cache")],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(site)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_engines_of_installed_packages_are_listed_after_the_built_in_ones(answers: dict[str, Any]) -> None:
    assert answers["names"] == ["torch", "openvino", "onnx", "acme", "broken"]


def test_listing_engines_imports_no_plug_in(answers: dict[str, Any]) -> None:
    assert answers["loaded_by_listing"] == []


def test_estimator_computes_with_the_engine_of_another_package(answers: dict[str, Any]) -> None:
    assert answers["choice"] == ["acme", "fp32", "cpu"]
    assert answers["boxes"] == [[0.0, 0.0, 320.0, 480.0]]


def test_broken_plugin_is_named_and_built_in_engines_still_work(answers: dict[str, Any]) -> None:
    error = answers["errors"]["broken"]
    assert "broken = acme_broken:SPEC (posebus.engines) of the package acme-engines 1.2 cannot be loaded" in error
    assert "no accelerator in this machine" in error
    assert answers["built_in"] == "onnx"


def test_unknown_engine_is_refused_with_the_names_of_plugins_too(answers: dict[str, Any]) -> None:
    expected = "there is no engine 'acmee': set worker.engine to auto, acme, broken, onnx, openvino, torch"
    assert answers["errors"]["acmee"] == expected
