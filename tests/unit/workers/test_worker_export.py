"""The cached export is made once, appears complete, and only for models of the task. A fake replaces the child."""

from __future__ import annotations

import hashlib
import threading
from pathlib import Path

import pytest

import workers.weights.export as module
from posebus.errors import EngineError, WeightsError
from workers.detections import Head
from workers.weights.export import export_onnx, exported_path, head_from_metadata
from workers.weights.ultralytics_process import CHILD, run_child
from workers.weights.weights import Weights

METADATA = {"task": "pose", "names": "{0: 'person'}", "kpt_shape": "[17, 3]", "stride": "32", "end2end": "False"}


@pytest.fixture
def weights(tmp_path: Path) -> Weights:
    path = tmp_path / "mine.pt"
    path.write_bytes(b"pickle")
    return Weights(path=path, sha256=hashlib.sha256(b"pickle").hexdigest(), name="mine")


@pytest.fixture
def exports(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Return the list of folders in which the fake child has exported."""
    folders: list[Path] = []

    def fake(arguments: list[str], folder: Path, *, online: bool, timeout_s: float) -> None:
        assert arguments[0] == "export"
        assert not online
        folders.append(folder)
        Path(arguments[1]).with_suffix(".onnx").write_bytes(b"network")

    monkeypatch.setattr(module, "run_child", fake)
    return folders


def test_one_export_serves_all_and_leaves_no_other_files(weights: Weights, exports: list[Path], tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    threads = [threading.Thread(target=export_onnx, args=(weights, cache)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    target = export_onnx(weights, cache)
    assert target.read_bytes() == b"network"
    assert len(exports) == 1
    assert {path.suffix for path in target.parent.iterdir()} == {".onnx", ".lock"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cache", "mine.pt"]


def test_what_ships_with_an_image_is_copied_instead_of_exported(
    weights: Weights, exports: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SHIPPED", tmp_path / "shipped")
    shipped = exported_path(weights, tmp_path / "shipped")
    shipped.parent.mkdir(parents=True)
    shipped.write_bytes(b"shipped network")
    target = export_onnx(weights, tmp_path / "cache")
    assert (target.parent.parent, target.read_bytes()) == (tmp_path / "cache", b"shipped network")
    assert not exports
    other = Weights(path=weights.path, sha256=weights.sha256, name="another")
    assert export_onnx(other, tmp_path / "cache").read_bytes() == b"network"


def test_other_weights_of_the_same_name_get_their_own_file(weights: Weights, tmp_path: Path) -> None:
    other = Weights(path=weights.path, sha256="0" * 64, name=weights.name)
    assert exported_path(weights, tmp_path) != exported_path(other, tmp_path)


def test_weights_that_change_while_being_read_are_not_loaded(
    weights: Weights, exports: list[Path], tmp_path: Path
) -> None:
    weights.path.write_bytes(b"something else")
    with pytest.raises(WeightsError, match="changed while it was being read"):
        export_onnx(weights, tmp_path / "cache")
    assert not exports


def test_cache_that_cannot_be_written_is_reported_with_a_remedy(weights: Weights, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where the folder should be")
    with pytest.raises(EngineError, match=r"cannot be stored in .*cache_dir"):
        export_onnx(weights, tmp_path / "cache")


@pytest.mark.parametrize(
    ("changes", "head"),
    [
        ({}, Head(1, 17, 3, False, 32)),
        ({"end2end": "True", "stride": "64"}, Head(1, 17, 3, True, 64)),
        ({"names": "{0: 'cat', 1: 'dog'}", "kpt_shape": "(5, 2)"}, Head(2, 5, 2, False, 32)),
    ],
)
def test_head_is_read_from_the_metadata(changes: dict[str, str], head: Head) -> None:
    assert head_from_metadata(METADATA | changes, "model.onnx") == head


def test_model_of_another_task_is_refused() -> None:
    with pytest.raises(WeightsError, match="a model for segment, not for poses"):
        head_from_metadata({"task": "segment"}, "model.onnx")


SEGMENTS = {"task": "segment", "stride": "32", "names": "{0: 'person', 1: 'dog'}"}


@pytest.mark.parametrize(
    ("changes", "head"),
    [
        ({}, Head(2, 0, 3, False, 32, 0)),
        ({"names": "{0: 'dog', 1: 'person'}", "end2end": "True"}, Head(2, 0, 3, True, 32, 1)),
        ({"names": "{0: 'pedestrian'}"}, Head(1, 0, 3, False, 32, 0)),
    ],
)
def test_head_of_a_segmentation_network_has_the_class_of_people(changes: dict[str, str], head: Head) -> None:
    assert head_from_metadata(SEGMENTS | changes, "model.onnx", "segment") == head


def test_segmentation_network_without_a_class_of_people_is_refused() -> None:
    with pytest.raises(WeightsError, match="does not outline people: choose weights that have a class 'person'"):
        head_from_metadata(SEGMENTS | {"names": "{0: 'cat', 1: 'dog'}"}, "model.onnx", "segment")
    with pytest.raises(WeightsError, match="a model for pose, not for masks: choose weights whose name ends in -seg"):
        head_from_metadata(METADATA, "model.onnx", "segment")


@pytest.mark.parametrize("broken", [{"kpt_shape": "17"}, {"names": "person("}, {"stride": "wide"}])
def test_damaged_metadata_is_reported(broken: dict[str, str]) -> None:
    with pytest.raises(EngineError, match="has no ultralytics metadata"):
        head_from_metadata(METADATA | broken, "model.onnx")


def test_child_cannot_import_this_project_by_accident() -> None:
    source = CHILD.read_text()
    assert "workers" not in source
    assert "posebus" not in source


@pytest.mark.parametrize(
    ("status", "error", "words"),
    [(3, WeightsError, "^last words$"), (1, EngineError, "could not export mine.pt: last words")],
)
def test_last_line_of_the_child_becomes_the_error(
    status: int, error: type[Exception], words: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    child = tmp_path / "child.py"
    child.write_text(
        f"import sys; print('first', file=sys.stderr); sys.exit(print('last words', file=sys.stderr) or {status})"
    )
    monkeypatch.setattr("workers.weights.ultralytics_process.CHILD", child)
    with pytest.raises(error, match=words):
        run_child(["export", "mine.pt"], tmp_path, online=False, timeout_s=30)


def test_child_that_hangs_is_stopped(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    child = tmp_path / "child.py"
    child.write_text("import time; time.sleep(60)")
    monkeypatch.setattr("workers.weights.ultralytics_process.CHILD", child)
    with pytest.raises(EngineError, match=r"did not export mine\.pt within"):
        run_child(["export", "mine.pt"], tmp_path, online=False, timeout_s=0.2)


def test_child_stays_in_its_folder_and_off_the_network(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    child = tmp_path / "child.py"
    child.write_text(
        "import os, pathlib; pathlib.Path('seen').write_text("
        "' '.join(os.environ.get(k, '-') for k in ('YOLO_CONFIG_DIR', 'YOLO_AUTOINSTALL', 'YOLO_OFFLINE')))"
    )
    monkeypatch.setattr("workers.weights.ultralytics_process.CHILD", child)
    monkeypatch.delenv("YOLO_OFFLINE", raising=False)
    for online, word in ((False, "true"), (True, "-")):
        run_child(["export", "mine.pt"], tmp_path, online=online, timeout_s=30)
        assert (tmp_path / "seen").read_text() == f"{tmp_path} false {word}"
