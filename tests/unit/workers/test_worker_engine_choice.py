"""The engine that is chosen on each kind of machine; none is loaded."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import ValidationError

from posebus.config.settings import WorkerSettings
from posebus.config.worker_settings import EngineName
from posebus.errors import EngineError, WeightsError
from posebus.machine.cpus import available_cpus
from workers.engine_loading import EngineChoice, choose_engine, known_engines, load_engine
from workers.engines.built_in import BUILT_IN
from workers.engines.spec import EngineSpec


def test_all_weights_are_looked_for_before_any_network_is_exported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("YOLO_OFFLINE", "true")
    monkeypatch.setattr("workers.engine_loading._built", lambda *arguments: pytest.fail("it exports a network"))
    with pytest.raises(WeightsError, match=r"put yolo11n-seg\.pt there"):
        load_engine(WorkerSettings(engine="openvino", masks="yolo11n-seg"), tmp_path)


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Simulates which packages are installed and what the hardware offers."""

    def pretend(*, installed: set[str], cuda: bool = False, bf16: bool = False) -> None:
        monkeypatch.setattr("workers.engines.spec.find_spec", lambda name: name if name in installed else None)
        monkeypatch.setattr("workers.engines.built_in._has_nvidia_device", lambda: cuda)
        monkeypatch.setattr("workers.engines.torch.cuda_available", lambda: cuda)
        monkeypatch.setattr("workers.engines.torch.cuda_has_bf16", lambda: bf16)
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
def test_auto_chooses_the_fastest_engine_that_is_available(
    machine: Any, installed: set[str], cuda: bool, bf16: bool, expected: tuple[str, str, str]
) -> None:
    machine(installed=installed, cuda=cuda, bf16=bf16)
    choice = choose_engine(WorkerSettings())
    assert (choice.name, choice.precision, choice.device) == expected
    assert choice.reason


def test_engine_and_precision_of_the_settings_are_chosen(machine: Any) -> None:
    machine(installed=ALL, bf16=True)
    choice = choose_engine(WorkerSettings(engine="openvino", precision="fp32"))
    assert choice == EngineChoice("openvino", "fp32", "cpu", "the settings ask for it")


def test_int8_chooses_openvino_even_beside_a_gpu(machine: Any) -> None:
    machine(installed=ALL, cuda=True)
    choice = choose_engine(WorkerSettings(precision="int8"))
    assert (choice.name, choice.precision, choice.device) == ("openvino", "int8", "cpu")


def test_bf16_is_chosen_only_on_a_gpu_that_has_it(machine: Any) -> None:
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
        ({"engine": "torch", "masks": "yolo11n-seg"}, "torch computes no masks: set worker.engine to openvino or onnx"),
        ({"engine": "openvino", "batch": 8}, "leave batch out"),
    ],
)
def test_settings_that_the_machine_cannot_fulfil_are_refused_with_a_reason(
    machine: Any, settings: dict[str, Any], words: str
) -> None:
    machine(installed=ALL)
    with pytest.raises(EngineError, match=words):
        choose_engine(WorkerSettings(**settings))


def test_engine_that_is_not_installed_is_refused_with_its_package(machine: Any) -> None:
    machine(installed={"torch"})
    with pytest.raises(EngineError, match="needs the package onnxruntime"):
        choose_engine(WorkerSettings(engine="onnx"))


def test_every_engine_that_the_settings_offer_is_in_the_table() -> None:
    assert set(get_args(EngineName)) <= {"auto", *BUILT_IN}
    assert list(known_engines())[: len(BUILT_IN)] == list(BUILT_IN)


def test_an_unknown_engine_is_refused_with_a_list_of_the_known_ones() -> None:
    with pytest.raises(EngineError, match=r"no engine 'tensorrt': set worker.engine to auto, onnx, openvino, torch"):
        choose_engine(WorkerSettings(engine="tensorrt"))


def test_an_engine_of_another_package_that_fails_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(device: str) -> tuple[str, ...]:
        raise RuntimeError("the licence\nhas expired")

    empty: Any = lambda request: object()  # noqa: E731
    licensed = EngineSpec(name="licensed", module="json", build=empty, precisions=fail)
    hollow = EngineSpec(name="hollow", module="json", build=empty, precisions=lambda device: ("fp32",))
    added = {**BUILT_IN, "licensed": licensed, "hollow": hollow}
    monkeypatch.setattr("workers.engine_loading.known_engines", lambda: added)
    with pytest.raises(EngineError, match="licensed does not work here: RuntimeError: the licence has expired"):
        choose_engine(WorkerSettings(engine="licensed"))
    monkeypatch.setattr("workers.engine_loading._weights", lambda *arguments: None)
    with pytest.raises(EngineError, match="hollow builds an engine without name, precision, device"):
        load_engine(WorkerSettings(engine="hollow"), tmp_path)


@pytest.mark.parametrize("name", ["opnvino", "Torch", "onyx", "outo", "", "two words", "a/b", "-x"])
def test_the_settings_refuse_mistyped_engines(name: str) -> None:
    with pytest.raises(ValidationError):
        WorkerSettings(engine=name)


@pytest.mark.parametrize("name", ["tensorrt", "onnx-gpu", "acme.npu", "torch2"])
def test_the_settings_leave_engines_of_other_packages_to_the_worker(name: str) -> None:
    assert WorkerSettings(engine=name).engine == name


def test_importing_the_worker_imports_no_engine() -> None:
    heavy = {"torch", "openvino", "onnxruntime", "ultralytics"}
    code = f"import sys, workers.engine_loading, workers.inference.estimator; print({heavy} & {{*sys.modules}})"
    root = Path(__file__).resolve().parents[3]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_quota_of_a_container_bounds_the_threads(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    quota = tmp_path / "cpu.max"
    monkeypatch.setattr("posebus.machine.cpus._CGROUP_QUOTA", quota)
    cores = available_cpus()
    quota.write_text("100000 100000\n")
    assert available_cpus() == 1
    quota.write_text("max 100000\n")
    assert available_cpus() == cores
