"""A configuration file of its own for each test of the wall's editing part, and the wall that changes it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from posebus.control.folder import FOLDER_ENV
from tests.unit.wall.editing_page import FILE, page


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in [name for name in os.environ if name.startswith("POSEBUS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv(FOLDER_ENV, str(tmp_path / "sockets"))
    path = tmp_path / "posebus.yaml"
    path.write_text(FILE)
    return path


@pytest.fixture
def client(file: Path) -> Iterator[TestClient]:
    with page(file) as opened:
        yield opened
