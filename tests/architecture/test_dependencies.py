"""Each stage's extra in pyproject.toml names all that the stage imports, and does not rely on indirect requirements."""

from __future__ import annotations

import ast
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from architecture.tree import parse
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from posebus.installed.extras import EXTRAS
from tests.conftest import ROOT

CONFIGURATION = tomllib.loads((ROOT / "pyproject.toml").read_text())
PROJECT = CONFIGURATION["project"]
OWN = {package.partition(".")[0] for package in CONFIGURATION["tool"]["setuptools"]["packages"]}


def _imported(package: str) -> set[str]:
    """Top-level names that the files of `package` import from elsewhere, also inside functions."""
    names = set().union(*(_imported_by(path) for path in (ROOT / package).rglob("*.py")))
    return names - OWN - sys.stdlib_module_names


def _imported_by(path: Path) -> set[str]:
    """Top-level names that one file imports."""
    names: set[str] = set()
    for node in ast.walk(parse(path)):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names.add(node.module.partition(".")[0])
    return names


def _declared(extra: str) -> set[str]:
    """Distributions that posebus with `extra` requires, by their normalised names."""
    names = {canonicalize_name(Requirement(line).name) for line in PROJECT["dependencies"]}
    for requirement in map(Requirement, PROJECT["optional-dependencies"][extra]):
        if requirement.name == PROJECT["name"]:
            names = names.union(*map(_declared, requirement.extras))
        else:
            names.add(canonicalize_name(requirement.name))
    return names


@pytest.mark.parametrize(
    ("package", "extra"),
    [("ingest", "ingest"), ("workers", "int8"), ("tracking", "tracking"), ("recordings", "jobs,tables")],
)
def test_extras_name_what_their_stage_imports(package: str, extra: str) -> None:
    declared = set().union(*map(_declared, extra.split(",")))
    distributions = packages_distributions()
    for name in _imported(package):
        owners = {canonicalize_name(owner) for owner in distributions.get(name, [name])}
        assert owners & declared, f"{package} imports {name}, which the extra {extra} does not name"


def test_workers_run_without_the_requirements_of_building_engines() -> None:
    """Only `posebus engines build` may import the requirements of the extra int8."""
    added = {"nncf", "pycocotools"}
    assert added == _declared("int8") - _declared("cli") - _declared("worker") - _declared("ingest")
    importing = {path.name for path in (ROOT / "workers").rglob("*.py") if added & _imported_by(path)}
    assert importing == {"quantisation.py", "average_precision.py"}


@pytest.mark.parametrize("extra", ["stage", "ingest", "worker", "tracking"])
def test_stage_is_installed_without_the_command(extra: str) -> None:
    assert not {"typer", "rich"} & _declared(extra)
    assert {"typer", "rich"} <= _declared("cli")


def test_imports_are_found() -> None:
    assert {"cv2", "numpy"} <= _imported("ingest")
    assert "posebus" not in _imported("ingest")


def test_lock_pins_the_requirements_of_the_project() -> None:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pinned = (line.split("==") for line in lines if not line.startswith("#"))
    pins = {canonicalize_name(name): version for name, version in pinned}
    extras = PROJECT["optional-dependencies"].values()
    for line in [*PROJECT["dependencies"], *(line for extra in extras for line in extra)]:
        requirement = Requirement(line)
        if requirement.name != PROJECT["name"]:
            assert requirement.specifier.contains(pins[canonicalize_name(requirement.name)]), (
                f"{line} is not what is locked"
            )


def test_extras_that_errors_advise_bring_the_package() -> None:
    """An import that fails ends in `pip install '.[EXTRA]'`: for every module that an extra alone brings."""
    distributions = packages_distributions()
    for module, extras in EXTRAS.items():
        owners = {canonicalize_name(owner) for owner in distributions[module]}
        assert all(owners & set(map(canonicalize_name, _declared(extra))) for extra in extras), module
    base = {Requirement(line).name.lower() for line in PROJECT["dependencies"]}
    for package in ("posebus", "ingest", "workers", "tracking", "recordings", "posebus_cli"):
        for name in _imported(package) - set(EXTRAS):
            assert {owner.lower() for owner in distributions.get(name, [name])} & base, f"{package} imports {name}"
