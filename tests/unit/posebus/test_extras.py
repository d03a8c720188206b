"""Packages that are not installed: one sentence that names the extra, from every command, process and import."""

from __future__ import annotations

import subprocess
import sys

import pytest

from posebus.extras import missing_package
from tests.conftest import ROOT

HIDE = "import sys; sys.modules.update(dict.fromkeys({hidden!r}.split())); "


def without(hidden: str, code: str) -> subprocess.CompletedProcess[str]:
    """Run `code` where these modules cannot be imported."""
    script = HIDE.format(hidden=hidden) + code
    return subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)


def command(line: str) -> str:
    return f"sys.argv[1:] = {line!r}.split(); from posebus_cli import main; main()"


@pytest.mark.parametrize(
    ("hidden", "line", "extra"),
    [
        ("av", "image nothing.jpg", "ingest"),
        ("cv2", "run nothing.mp4 --out nowhere", "ingest"),
        ("numba", "track --redis redis://127.0.0.1:1", "tracking"),
        ("simplejpeg", "work --redis redis://127.0.0.1:1", "worker"),
    ],
)
def test_a_command_names_the_extra_that_it_lacks(hidden: str, line: str, extra: str) -> None:
    done = without(hidden, command(line))
    advice = f"run `pip install '.[{extra}]'` in the checkout of posebus"
    sentence = f"posebus: the package {hidden} is not installed here: {advice}\n"
    assert (done.returncode, done.stderr.splitlines(keepends=True)[-1]) == (1, sentence)


def test_the_import_of_the_tracker_names_its_extra() -> None:
    done = without("scipy", "from tracking import PoseTracker")
    last = done.stderr.splitlines()[-1]
    advice = "run `pip install '.[tracking]'` in the checkout of posebus"
    assert last == f"ImportError: the package scipy is not installed here: {advice}"


def test_a_package_that_does_not_load_is_told_apart_and_other_errors_are_left_alone() -> None:
    broken = ImportError("libGL.so.1: cannot open\nshared object file", name="cv2")
    assert missing_package(broken) == (
        "the package cv2 is installed but does not load (libGL.so.1: cannot open shared object file): "
        "run `posebus doctor`"
    )
    assert missing_package(ModuleNotFoundError("No module named 'mine'", name="mine")) is None
    assert missing_package(ValueError()) is None
