"""Says which test failed as soon as it has, because a run that is ended from outside prints no summary."""

from __future__ import annotations

import time

import pytest


class FailuresAtOnce:
    """A plug-in of pytest that prints one line for each failed test, with the time since the start of the run."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._started_s = time.monotonic()

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        reporter = self._config.pluginmanager.get_plugin("terminalreporter")
        if not report.failed or reporter is None:
            return
        minutes, seconds = divmod(int(time.monotonic() - self._started_s), 60)
        why = report.longreprtext.strip().rpartition("\n")[2]
        reporter.ensure_newline()
        reporter.write_line(f"failed after {minutes}:{seconds:02d}: {report.nodeid} ({report.when}): {why}")
