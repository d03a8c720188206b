"""The content of the wheel, and that no other distribution has packages of our names."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
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
    """Every importable folder of the packages, as a dotted name."""
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


WRONG_USE = """\
import posebus
from ingest.sources import SourceSpec
from posebus.sinks import SinkSpec
from recordings.inputs import camera_settings
from tracking import PoseTracker
from workers.engines.spec import EngineSpec

posebus.subscribe(cameras=5)  # wrong
PoseTracker().update(7)  # wrong
SourceSpec(kind=1)  # wrong
EngineSpec(name=1)  # wrong
SinkSpec(name="mine", open=3)  # wrong
camera_settings(7)  # wrong
for message in posebus.subscribe():
    message.body.upper()  # wrong
"""
"""A checker that sees no types of a package finds nothing wrong in its line."""


def test_installed_package_has_types_and_all_examples_pass_a_strict_checker(wheel: Path, tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv"], check=True)
    (site,) = (tmp_path / "venv").glob("lib/python*/site-packages")
    zipfile.ZipFile(wheel).extractall(site)
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    programs = tmp_path / "programs"
    shutil.copytree(ROOT / "examples", programs, ignore=shutil.ignore_patterns("__pycache__", "plugin"))
    shutil.copytree(ROOT / "examples" / "plugin" / "posebus_example", programs / "posebus_example")
    (programs / "wrong_use.py").write_text(WRONG_USE)
    names = sorted(entry.name for entry in programs.iterdir() if entry.suffix != ".yaml")
    assert {"alarm.py", "count_people.py", "track_own_detections.py", "posebus_example", "wrong_use.py"} <= set(names)
    checker = [sys.executable, "-m", "mypy", "--strict", "--config-file=", f"--cache-dir={os.devnull}"]
    interpreter = ["--python-executable", str(tmp_path / "venv" / "bin" / "python")]
    done = subprocess.run([*checker, *interpreter, *names], cwd=programs, capture_output=True, text=True, check=False)
    found = {tuple(line.split(":")[:2]) for line in done.stdout.splitlines() if ": error:" in line}
    wrong = {number for number, line in enumerate(WRONG_USE.splitlines(), start=1) if line.endswith("# wrong")}
    assert found == {("wrong_use.py", str(number)) for number in wrong}, done.stdout + done.stderr
