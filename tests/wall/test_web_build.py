"""The built pages in wall/static are those of the sources in wall/web, which pass their own checks and tests."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.wall.front_web import web_folder

STATIC = ROOT / "wall" / "static"
MOST_BYTES = 300_000
LIMIT_S = 300


@pytest.fixture(scope="module")
def web(run_folder: Path) -> Path:
    return web_folder(run_folder)


def npm(web: Path, *arguments: str) -> None:
    command = ["npm", "run", "-s", *arguments]
    done = subprocess.run(command, cwd=web, capture_output=True, text=True, check=False, timeout=LIMIT_S)
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]


def test_the_built_pages_are_those_of_the_sources(web: Path, tmp_path: Path) -> None:
    npm(web, "build", "--", str(tmp_path))
    for built in sorted(tmp_path.rglob("*")):
        if built.is_file():
            kept = STATIC / built.relative_to(tmp_path)
            same = kept.is_file() and kept.read_bytes() == built.read_bytes()
            assert same, f"{kept.relative_to(ROOT)} is not built from the sources: run 'npm run build' in wall/web"


def test_the_sources_have_no_errors_of_types(web: Path) -> None:
    npm(web, "check")


def test_the_tests_of_the_pages_pass(web: Path) -> None:
    npm(web, "test")


def test_the_wall_weighs_less_than_it_may() -> None:
    weight = sum((STATIC / name).stat().st_size for name in ("index.html", "style.css", "wall.js", "icon.svg"))
    assert weight < MOST_BYTES


def test_no_page_has_scripts_or_styles_of_its_own() -> None:
    for page in STATIC.glob("*.html"):
        text = page.read_text()
        assert not re.search(r"<style|style=|\son\w+=", text)
        assert text.count("<script") == text.count('<script type="module" src="/static/')
