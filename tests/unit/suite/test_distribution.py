"""A run of the suite ends, with every other test run, when a test takes its process with it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from tests.conftest import ROOT

CRASHES = "import os\ndef test_before(): pass\ndef test_ends_its_process(): os._exit(1)\ndef test_after(): pass\n"
PASSES = "def test_one(): pass\n"
CONFTEST = """
from tests.distribution import SchedulingThatEnds
from tests.progress import FailuresAtOnce

def pytest_xdist_make_scheduler(config, log):
    return SchedulingThatEnds(config, log)

def pytest_configure(config):
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(FailuresAtOnce(config))
"""


def test_a_test_that_ends_its_process_fails_and_all_others_run(tmp_path: Path) -> None:
    for number in range(12):
        (tmp_path / f"test_{number:02d}.py").write_text(CRASHES if number in (3, 10) else PASSES)
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "pytest.ini").write_text(f"[pytest]\npythonpath = {ROOT}\n")
    command = [sys.executable, "-m", "pytest", "-n", "2", "--dist", "loadfile", "--rootdir", str(tmp_path), "."]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120)
    assert re.search(r"2 failed, 14 passed", done.stdout), done.stdout + done.stderr
    assert len(re.findall(r"process gw\d ended by exit code 1 after 0:\d\d", done.stdout)) == 2, done.stdout
    for file in ("test_03", "test_10"):
        line = rf"failed after 0:\d\d: {file}\.py::test_ends_its_process .*: worker 'gw\d' crashed while running"
        assert re.search(line, done.stdout), done.stdout
