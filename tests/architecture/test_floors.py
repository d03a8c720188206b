"""Every import goes downward, lazy ones and those for type checking alone included."""

from __future__ import annotations

from pathlib import Path

import pytest
from architecture.floors import FLOORS, PACKAGE_FLOORS
from architecture.tree import PACKAGES, ROOT, imports, modules, parse

MAX_MODULES = 14
TOP = {"__init__", "__main__"}


def height(name: str, floors: tuple[frozenset[str], ...]) -> int:
    """The floor on which `name` stands, from 0."""
    (found,) = [index for index, floor in enumerate(floors) if name in floor]
    return found


def unit_of(parts: tuple[str, ...]) -> str:
    """The unit of a module given by its dotted name's parts; `__init__` for the package itself."""
    return parts[1] if len(parts) > 1 else "__init__"


def own_imports(path: Path) -> set[tuple[str, ...]]:
    """Imports of our own packages in a file, as the parts of their dotted names."""
    parts = {tuple(name.split(".")) for name in imports(path, parse(path))}
    return {name for name in parts if name[0] in PACKAGES}


@pytest.mark.parametrize("package", PACKAGES)
def test_every_unit_has_its_floor(package: str) -> None:
    found = {unit_of(path.relative_to(ROOT).with_suffix("").parts) for path in modules(package)} - TOP
    listed = [unit for floor in FLOORS[package] for unit in floor]
    assert sorted(found) == sorted(listed)


@pytest.mark.parametrize("package", PACKAGES)
def test_units_import_only_lower_floors_of_their_package(package: str) -> None:
    floors = FLOORS[package]
    wrong = []
    for path in modules(package):
        unit = unit_of(path.relative_to(ROOT).with_suffix("").parts)
        if unit in TOP:
            continue
        for name in own_imports(path):
            if name[0] != package or name[1] == unit:
                continue
            if height(name[1], floors) >= height(unit, floors):
                wrong.append(f"{path.relative_to(ROOT)} imports {'.'.join(name)}")
    assert not wrong


@pytest.mark.parametrize("package", PACKAGES)
def test_packages_import_only_lower_packages(package: str) -> None:
    wrong = [
        f"{path.relative_to(ROOT)} imports {'.'.join(name)}"
        for path in modules(package)
        for name in own_imports(path)
        if name[0] != package and height(name[0], PACKAGE_FLOORS) >= height(package, PACKAGE_FLOORS)
    ]
    assert not wrong


def folders() -> list[Path]:
    """All folders with modules, of the packages and the benchmarks."""
    tops = [ROOT / name for name in (*PACKAGES, "benchmarks")]
    return sorted({path.parent for top in tops for path in top.rglob("*.py")})


@pytest.mark.parametrize("folder", folders(), ids=lambda folder: str(folder.relative_to(ROOT)))
def test_a_folder_holds_at_most_14_modules(folder: Path) -> None:
    assert len([path for path in folder.glob("*.py") if path.stem not in TOP]) <= MAX_MODULES


@pytest.mark.parametrize("folder", folders(), ids=lambda folder: str(folder.relative_to(ROOT)))
def test_a_folder_says_what_it_is_for(folder: Path) -> None:
    text = (folder / "__init__.py").read_text(encoding="utf-8")
    assert text.startswith('"""'), f"{folder}/__init__.py begins with no docstring"
