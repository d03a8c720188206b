"""Specs that other packages add by entry points: found by name, loaded when read, and broken ones do not hurt."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from posebus.errors import ConfigError
from posebus.installed.plugins import clashes, load_plugins

GROUP = "posebus.test_specs"


@dataclass(frozen=True)
class ExampleSpec:
    name: str


BUILT_IN = {"own": ExampleSpec("own")}

MODULE = """
from unit_test_specs import make_spec
SPEC = make_spec("ready")
def factory():
    return make_spec("made")
NOT_A_SPEC = 7
"""

ENTRY_POINTS = """
[posebus.test_specs]
ready = example_plugins:SPEC
made = example_plugins:factory
number = example_plugins:NOT_A_SPEC
missing = no_such_module_anywhere:SPEC
raising = raising_plugin:SPEC
own = example_plugins:SPEC
"""


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder on sys.path that looks like an installed package of plug-ins."""
    info = tmp_path / "example_plugins-1.5.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: example-plugins\nVersion: 1.5\n")
    (info / "entry_points.txt").write_text(ENTRY_POINTS)
    (tmp_path / "example_plugins.py").write_text(MODULE)
    (tmp_path / "raising_plugin.py").write_text("raise RuntimeError('the licence has expired')\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    specs = type("specs", (), {"make_spec": staticmethod(ExampleSpec)})
    monkeypatch.setitem(__import__("sys").modules, "unit_test_specs", specs)
    return tmp_path


def test_without_plugins_the_built_in_specs_are_all_there_is() -> None:
    assert dict(load_plugins(GROUP, BUILT_IN, ExampleSpec)) == BUILT_IN


@pytest.mark.usefixtures("installed")
def test_plugins_follow_the_built_in_specs_by_name_and_are_listed_without_being_loaded() -> None:
    specs = load_plugins(GROUP, BUILT_IN, ExampleSpec)

    assert list(specs) == ["own", "made", "missing", "number", "raising", "ready"]
    assert len(specs) == 6
    assert "missing" in specs
    assert "other" not in specs


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize("name", ["ready", "made"])
def test_a_plugin_is_a_spec_or_a_function_that_returns_one(name: str) -> None:
    specs = load_plugins(GROUP, BUILT_IN, ExampleSpec)

    assert specs[name] == ExampleSpec(name)
    assert specs[name] is specs[name]


@pytest.mark.usefixtures("installed")
def test_a_plugin_cannot_replace_a_built_in_spec() -> None:
    assert load_plugins(GROUP, BUILT_IN, ExampleSpec)["own"] is BUILT_IN["own"]


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("missing", "No module named 'no_such_module_anywhere'"),
        ("raising", "RuntimeError: the licence has expired"),
        ("number", "is of type int, which is no ExampleSpec"),
    ],
)
def test_reading_a_broken_plugin_names_it_its_package_and_the_reason(name: str, reason: str) -> None:
    specs = load_plugins(GROUP, BUILT_IN, ExampleSpec)

    with pytest.raises(ConfigError) as raised:
        specs[name]

    assert f"the plug-in {name} = " in str(raised.value)
    assert "of the package example-plugins 1.5" in str(raised.value)
    assert reason in str(raised.value)
    assert specs["own"] is BUILT_IN["own"]


def test_an_unknown_name_is_a_missing_key() -> None:
    with pytest.raises(KeyError):
        load_plugins(GROUP, BUILT_IN, ExampleSpec)["other"]


@pytest.mark.usefixtures("installed")
def test_a_taken_name_is_left_out_with_a_sentence_that_names_its_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    other = tmp_path / "other"
    info = other / "another_package-3.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: another-package\nVersion: 3.0\n")
    (info / "entry_points.txt").write_text("[posebus.test_specs]\nready = other_plugins:SPEC\n")
    monkeypatch.syspath_prepend(str(other))

    specs = load_plugins(GROUP, BUILT_IN, ExampleSpec)

    mine, other_ones = clashes(GROUP, BUILT_IN)
    assert mine == (
        "the plug-in own = example_plugins:SPEC (posebus.test_specs) of the package example-plugins 1.5 is left out: "
        "its name is that of posebus itself"
    )
    assert other_ones == (
        "the plug-in ready = example_plugins:SPEC (posebus.test_specs) of the package example-plugins 1.5 is left out: "
        "its name is that of the plug-in ready = other_plugins:SPEC (posebus.test_specs) of the package "
        "another-package 3.0"
    )
    assert [record.getMessage() for record in caplog.records] == [mine, other_ones]
    assert specs["made"] == ExampleSpec("made"), "everything else goes on"


@pytest.mark.usefixtures("installed")
def test_a_spec_of_another_name_than_its_entry_point_is_refused(tmp_path: Path) -> None:
    (tmp_path / "example_plugins-1.5.dist-info" / "entry_points.txt").write_text(
        "[posebus.test_specs]\nrenamed = example_plugins:SPEC\n"
    )
    with pytest.raises(ConfigError, match=r"example-plugins 1\.5 has another name in its ExampleSpec: ready"):
        load_plugins(GROUP, BUILT_IN, ExampleSpec)["renamed"]
