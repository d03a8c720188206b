"""The loop of every process: it survives outages, stops on a signal, and always closes its stage."""

from __future__ import annotations

import ctypes
import logging
import random
import signal

import pytest

from posebus.backoff import Backoff
from posebus.errors import BrokerUnavailable, FatalError
from posebus.runtime.outage import Outage
from posebus.runtime.stage import PARENT_ENV, StopFlag, run_stage
from posebus.telemetry.process_report import ProcessReport, WorkerReport


class Beat:
    """Replaces the heartbeat and keeps the reports."""

    def __init__(self) -> None:
        self.reports: list[ProcessReport] = []
        self.left = False

    def due(self, now_s: float) -> bool:
        return not self.reports

    def beat(self, now_s: float, report: ProcessReport) -> None:
        self.reports.append(report)

    def leave(self) -> None:
        self.left = True


class Script:
    """A stage that follows a list: True or False to return, an error to raise."""

    role = "worker"

    def __init__(self, *lines: bool | Exception) -> None:
        self.lines = list(lines)
        self.drained = self.closed = 0

    def step(self, now_s: float) -> bool:
        line = self.lines.pop(0)
        if isinstance(line, Exception):
            raise line
        return line

    def report(self) -> ProcessReport:
        return ProcessReport("worker", worker=WorkerReport(frames=len(self.lines)))

    def drain(self) -> None:
        self.drained += 1

    def close(self) -> None:
        self.closed += 1


def run(stage: Script, stop: StopFlag | None = None) -> Beat:
    beat = Beat()
    run_stage(stage, beat, stop or StopFlag(), Outage(Backoff(0.001, 0.01, random.Random(1))))  # type: ignore[arg-type]
    return beat


def test_it_ends_when_all_work_is_done() -> None:
    stage = Script(True, True, False)
    beat = run(stage)
    assert (stage.lines, stage.drained, stage.closed, beat.left) == ([], 0, 1, True)
    assert [report.worker for report in beat.reports] == [WorkerReport(frames=3)]


def test_an_outage_is_waited_out_and_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    stage = Script(True, BrokerUnavailable("gone"), BrokerUnavailable("gone"), True, False)
    with caplog.at_level(logging.WARNING):
        run(stage)
    assert stage.closed == 1
    assert [record.message for record in caplog.records] == ["gone; trying again"]


def test_a_stop_ends_the_pause_of_an_outage() -> None:
    stop = StopFlag()

    class Stopped(Script):
        def step(self, now_s: float) -> bool:
            stop.is_set = True
            return super().step(now_s)

    stage = Stopped(BrokerUnavailable("gone"))
    # With a pause of hours this test would end by the suite's time limit.
    run_stage(stage, Beat(), stop, Outage(Backoff(1e5, 1e5, random.Random(1))))  # type: ignore[arg-type]
    assert stage.drained == stage.closed == 1


def test_a_drain_that_fails_leaves_the_work_to_others(caplog: pytest.LogCaptureFixture) -> None:
    class Undrained(Script):
        def drain(self) -> None:
            raise BrokerUnavailable("gone")

    stop = StopFlag()
    stop.is_set = True
    stage = Undrained()
    with caplog.at_level(logging.WARNING):
        beat = run(stage, stop)
    assert (stage.closed, beat.left) == (1, False)
    assert [record.message for record in caplog.records] == ["gone; other processes take over the unfinished work"]


def test_a_fatal_error_passes_through_after_the_stage_is_closed() -> None:
    stage = Script(True, FatalError("no engine"))
    with pytest.raises(FatalError, match="no engine"):
        run(stage)
    assert (stage.drained, stage.closed) == (0, 1)


def test_a_stop_drains_once() -> None:
    stop = StopFlag()
    stop.is_set = True
    stage = Script()
    run(stage, stop)
    assert (stage.drained, stage.closed) == (1, 1)


def test_a_child_stops_when_its_parent_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PARENT_ENV, "1234567")
    assert StopFlag().check()
    monkeypatch.delenv(PARENT_ENV)
    assert not StopFlag().check()


def test_signal_while_a_library_calls_python_is_no_traceback(capfd: pytest.CaptureFixture[str]) -> None:
    stop = StopFlag()

    @ctypes.CFUNCTYPE(None)
    def called_by_a_library() -> None:
        stop._on_signal(signal.SIGTERM, None)

    with stop.starting():
        called_by_a_library()
    assert stop.is_set
    assert capfd.readouterr().err == ""


def test_other_errors_that_cannot_be_raised_are_reported_while_starting(capfd: pytest.CaptureFixture[str]) -> None:
    @ctypes.CFUNCTYPE(None)
    def fails() -> None:
        raise ValueError("no good")

    with StopFlag().starting():
        fails()
    assert "ValueError: no good" in capfd.readouterr().err
