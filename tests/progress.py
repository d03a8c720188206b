"""Says which test failed as soon as it has, because a run that is ended from outside prints no summary."""

from __future__ import annotations

import signal
import subprocess
import time
from typing import Any

import pytest

END_S = 10.0
"""A process of tests whose pipes are closed has ended, or does so in a moment."""


class FailuresAtOnce:
    """A plug-in of pytest that prints one line for each failed test, with the time since the start of the run.

    It also prints how a process of pytest-xdist ended.
    """

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._started_s = time.monotonic()

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            why = report.longreprtext.strip().rpartition("\n")[2]
            self._say(f"failed after {self._elapsed()}: {report.nodeid} ({report.when}): {why}")

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any, error: object) -> None:
        if error:
            self._say(f"process {node.gateway.id} {_how_it_ended(node.gateway._io.popen)} after {self._elapsed()}")

    def _elapsed(self) -> str:
        minutes, seconds = divmod(int(time.monotonic() - self._started_s), 60)
        return f"{minutes}:{seconds:02d}"

    def _say(self, line: str) -> None:
        reporter = self._config.pluginmanager.get_plugin("terminalreporter")
        if reporter is not None:
            reporter.ensure_newline()
            reporter.write_line(line)


def _how_it_ended(process: subprocess.Popen[bytes]) -> str:
    try:
        code = process.wait(timeout=END_S)
    except subprocess.TimeoutExpired:
        return "closed its connection, but still runs,"
    return f"ended by {signal.Signals(-code).name}" if code < 0 else f"ended by exit code {code}"
