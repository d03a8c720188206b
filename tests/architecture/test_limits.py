"""docs/limits.md agrees with the code: each bound has the stated value, and every stream is listed."""

from __future__ import annotations

import importlib
import re
from typing import Any

from posebus.config.cameras.evidence import SnapshotSettings
from posebus.config.settings import CameraSettings, RetentionSettings, TrackerSettings, WorkerSettings
from posebus.topology import KEYS
from tests.conftest import ROOT

SECTIONS = {
    "camera": CameraSettings,
    "retention": RetentionSettings,
    "worker": WorkerSettings,
    "tracker": TrackerSettings,
    "evidence": SnapshotSettings,
}


def table() -> str:
    text = (ROOT / "docs" / "limits.md").read_text()
    found = re.search(r"<!-- limits: .*? -->\n(?P<table>.*?)\n<!-- end of limits -->", text, flags=re.DOTALL)
    assert found
    return found["table"]


def value_of(name: str) -> Any:
    """The default of a setting, or a constant of a module (or of a class in one)."""
    first, _, rest = name.partition(".")
    if first in SECTIONS and rest in SECTIONS[first].model_fields:
        return SECTIONS[first].model_fields[rest].default
    parts = name.split(".")
    for depth in range(len(parts) - 1, 0, -1):
        try:
            found: Any = importlib.import_module(".".join(parts[:depth]))
        except ModuleNotFoundError:
            continue
        for part in parts[depth:]:
            found = getattr(found, part)
        return found
    raise AssertionError(f"there is no {name}")


def test_every_bound_has_the_value_that_is_documented() -> None:
    named = re.findall(r"`([\w.]+)` = ([\d.]+)", table())
    assert len(named) > 15
    for name, value in named:
        assert value_of(name) == float(value), name


def test_every_setting_of_retention_is_documented() -> None:
    for name in RetentionSettings.model_fields:
        assert f"`retention.{name}` = " in table()


def test_every_stream_is_documented() -> None:
    for key in KEYS:
        if key.holds.startswith("stream"):
            assert f"stream `{key.kind}`" in table()
