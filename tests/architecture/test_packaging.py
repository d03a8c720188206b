"""The content of the wheel, and that no other distribution has packages of our names."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
import zipfile
from importlib import metadata
from pathlib import Path

import pytest
from architecture.tree import PACKAGES, ROOT

from posebus.json_schemas import render
from posebus_cli.doctor import check_packages
from posebus_cli.doctor.findings import FINE

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LISTED = PROJECT["tool"]["setuptools"]["packages"]


def folders_with_modules() -> list[str]:
    """Every importable folder of the six packages, as a dotted name."""
    folders = {path.parent for package in PACKAGES for path in (ROOT / package).rglob("*.py")}
    return sorted(".".join(folder.relative_to(ROOT).parts) for folder in folders)


def test_every_package_of_the_tree_is_listed() -> None:
    assert sorted(LISTED) == folders_with_modules()
    missing = [name for name in LISTED if not (ROOT / name.replace(".", "/") / "__init__.py").is_file()]
    assert not missing


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel of a copy of the tree, because a build writes into the tree."""
    if tuple(int(part) for part in metadata.version("setuptools").split(".")[:1]) < (77,):
        pytest.fail("building the wheel needs setuptools 77 or newer: pip install -e '.[dev]'")
    source, out = tmp_path_factory.mktemp("source") / "posebus", tmp_path_factory.mktemp("wheel")
    unwanted = shutil.ignore_patterns("__pycache__", "*.egg-info", ".*")
    for entry in ROOT.iterdir():
        if entry.name in (*PACKAGES, "tests"):
            shutil.copytree(entry, source / entry.name, ignore=unwanted)
        elif entry.is_file() and not entry.name.startswith("."):
            source.mkdir(exist_ok=True)
            shutil.copy(entry, source)
    code = f"from setuptools.build_meta import build_wheel; build_wheel({os.fspath(out)!r})"
    done = subprocess.run([sys.executable, "-c", code], cwd=source, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (built,) = out.glob("*.whl")
    return built


def test_wheel_contains_exactly_the_listed_packages(wheel: Path) -> None:
    files = [Path(name) for name in zipfile.ZipFile(wheel).namelist()]
    packages = {".".join(file.parts[:-1]) for file in files if file.suffix == ".py"}
    assert packages == set(LISTED)
    assert not [file for file in files if file.parts[0] == "tests"]


def test_wheel_contains_the_schemas_and_the_markers_of_types(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {f"posebus/schemas/{name}" for name in render()} <= names
    assert {f"{package}/py.typed" for package in PACKAGES} <= names


def test_no_other_distribution_owns_one_of_our_names() -> None:
    finding = check_packages.names()
    assert finding.status == FINE, finding.text


def test_base_requires_nothing_heavy() -> None:
    names = {requirement.split(">")[0] for requirement in PROJECT["project"]["dependencies"]}
    assert names == {"redis", "pydantic", "numpy"}
