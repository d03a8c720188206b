"""Which engine is chosen on which machine, without loading one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import workers.engine_loading as module
from posebus.config.settings import WorkerSettings
from posebus.errors import EngineError
from posebus.runtime.cpus import available_cpus
from workers.engine_loading import ENGINES, EngineChoice, choose_engine


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Pretends what is installed and what the hardware offers."""

    def pretend(*, installed: set[str], cuda: bool = False, bf16: bool = False) -> None:
        monkeypatch.setattr(module, "find_spec", lambda name: name if name in installed else None)
        monkeypatch.setattr(module, "_torch_has_cuda", lambda: cuda)
        monkeypatch.setattr(module, "_cuda_has_bf16", lambda: bf16)
        monkeypatch.setattr("workers.engines.openvino.cpu_has_bf16", lambda: bf16)

    return pretend


ALL = {"torch", "openvino", "onnxruntime"}


@pytest.mark.parametrize(
    ("installed", "cuda", "bf16", "expected"),
    [
        (ALL, True, True, ("torch", "fp16", "cuda:0")),
        (ALL, False, True, ("openvino", "bf16", "cpu")),
        (ALL, False, False, ("openvino", "fp32", "cpu")),
        (ALL - {"openvino"}, False, True, ("onnx", "fp32", "cpu")),
        ({"torch"}, False, True, ("torch", "fp32", "cpu")),
        (ALL - {"torch"}, True, False, ("openvino", "fp32", "cpu")),
    ],
)
def test_auto_takes_the_fastest_that_is_there(
    machine: Any, installed: set[str], cuda: bool, bf16: bool, expected: tuple[str, str, str]
) -> None:
    machine(installed=installed, cuda=cuda, bf16=bf16)
    choice = choose_engine(WorkerSettings())
    assert (choice.name, choice.precision, choice.device) == expected
    assert choice.reason


def test_what_is_asked_for_is_taken(machine: Any) -> None:
    machine(installed=ALL, bf16=True)
    choice = choose_engine(WorkerSettings(engine="openvino", precision="fp32"))
    assert choice == EngineChoice("openvino", "fp32", "cpu", "asked for by the settings")


def test_8_bit_means_openvino_even_beside_a_gpu(machine: Any) -> None:
    machine(installed=ALL, cuda=True)
    choice = choose_engine(WorkerSettings(precision="int8"))
    assert (choice.name, choice.precision, choice.device) == ("openvino", "int8", "cpu")


def test_bf16_on_a_gpu_that_has_it(machine: Any) -> None:
    machine(installed=ALL, cuda=True, bf16=True)
    choice = choose_engine(WorkerSettings(precision="bf16"))
    assert (choice.name, choice.precision, choice.device) == ("torch", "bf16", "cuda:0")
    machine(installed=ALL, cuda=True, bf16=False)
    with pytest.raises(EngineError, match=r"does not compute in bf16 on this machine's cuda:0: .* to fp16 or fp32"):
        choose_engine(WorkerSettings(precision="bf16"))


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"engine": "openvino", "precision": "bf16"}, "does not compute in bf16 on this machine's cpu: .* to fp32"),
        ({"engine": "torch", "precision": "fp16"}, "does not compute in fp16"),
        ({"engine": "onnx", "precision": "bf16"}, "does not compute in bf16"),
        ({"engine": "torch", "precision": "int8"}, "does not compute in int8"),
        ({"engine": "torch", "masks": "yolo11n-seg"}, "masks are computed by the engines openvino and onnx"),
        ({"engine": "openvino", "batch": 8}, "leave batch out"),
    ],
)
def test_what_the_machine_cannot_do_gets_a_sentence(machine: Any, settings: dict[str, Any], words: str) -> None:
    machine(installed=ALL)
    with pytest.raises(EngineError, match=words):
        choose_engine(WorkerSettings(**settings))


def test_an_engine_that_is_not_installed_gets_a_sentence(machine: Any) -> None:
    machine(installed={"torch"})
    with pytest.raises(EngineError, match="needs the package onnxruntime"):
        choose_engine(WorkerSettings(engine="onnx"))


def test_every_engine_has_a_builder_and_a_module() -> None:
    assert ENGINES.keys() == module.MODULES.keys()


def test_importing_the_worker_loads_no_engine() -> None:
    heavy = {"torch", "openvino", "onnxruntime", "ultralytics"}
    code = f"import sys, workers.engine_loading, workers.inference.estimator; print({heavy} & {{*sys.modules}})"
    root = Path(__file__).resolve().parents[3]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_a_containers_quota_bounds_the_threads(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    quota = tmp_path / "cpu.max"
    monkeypatch.setattr("posebus.runtime.cpus._CGROUP_QUOTA", quota)
    cores = available_cpus()
    quota.write_text("100000 100000\n")
    assert available_cpus() == 1
    quota.write_text("max 100000\n")
    assert available_cpus() == cores
