"""The loop that every process of a deployment runs: `while not stopping: stage.step(now_s)`.

A stage defines one step. Signals, heartbeats, pauses during an outage and an orderly end are handled here.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from types import FrameType
from typing import Protocol

from posebus.bus.registry import Registry, process_id
from posebus.errors import BrokerUnavailable, RetryableError
from posebus.logs.set_up import name_process
from posebus.machine.stack_traces import (
    STDERR,
    end_watch_for_standstill,
    exit_with_stack_traces,
    write_stack_traces_at_standstill,
)
from posebus.runtime.health import HealthFile
from posebus.runtime.outage import Outage
from posebus.telemetry.build import build_metrics
from posebus.telemetry.process_report import ProcessReport
from posebus.telemetry.report_json import report_to_json

HEARTBEAT_S = 1.0
PARENT_ENV = "POSEBUS_PARENT_PID"
"""A supervisor sets it for its children: a child whose parent has gone stops, so that no process is left running."""

log = logging.getLogger("posebus")


class Stage(Protocol):
    """One process's work."""

    @property
    def role(self) -> str:
        """`ingest`, `worker`, `tracker`, or that of another process."""

    def step(self, now_s: float) -> bool:
        """Do a little work, in well under a second; returns False once all work is done.

        `now_s` is monotonic. It may raise RetryableError: the loop waits and calls again.
        """

    def report(self) -> ProcessReport:
        """What this process reports about itself, for `posebus top` and others."""

    def drain(self) -> None:
        """Finish the work in flight and take no more. Called once, after a stop signal, with limited time."""

    def close(self) -> None:
        """Free all resources. Called last, also after an error."""


class StopFlag:
    """Set by SIGTERM, by SIGINT, and when the parent process has gone.

    With `limit_s` the process ends so long after the first signal, even if it waits for something, or at a second
    signal. That suits a stage: other processes take over its unfinished work, as if it had been killed.
    """

    def __init__(self, limit_s: float | None = None) -> None:
        self.is_set = False
        self._limit_s = limit_s
        self._starting = False
        self._parent_pid = int(os.environ.get(PARENT_ENV, "0"))

    def install(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)

    def check(self) -> bool:
        if self._parent_pid and os.getppid() != self._parent_pid:
            self.is_set = True
        return self.is_set

    @contextmanager
    def starting(self) -> Iterator[None]:
        """Inside, a signal ends the process at once, because no work has started that would have to be finished."""
        self._starting = True
        before, sys.unraisablehook = sys.unraisablehook, _quiet_about_exit
        try:
            if self.is_set:
                raise SystemExit(0)
            yield
        finally:
            self._starting = False
            sys.unraisablehook = before

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        again, self.is_set = self.is_set, True
        if self._starting:
            raise SystemExit(0)
        if self._limit_s is None:
            return
        if again:
            _exit_now("stopping at once after a second signal")
        # A thread, since the main one may be waiting for a broker that never answers.
        timer = threading.Timer(self._limit_s, _exit_late, [self._limit_s])
        timer.daemon = True
        timer.start()


def _quiet_about_exit(unraisable: sys.UnraisableHookArgs) -> None:
    """Report what Python could not raise, but for the exit of a signal that came while a library called Python.

    The library then goes on, and the stage ends before its first step.
    """
    if not isinstance(unraisable.exc_value, SystemExit):
        sys.__unraisablehook__(unraisable)


def stop_limit_s(stop_timeout_s: float) -> float:
    """How long a stage may drain, so that it ends before its supervisor kills it."""
    return max(0.5 * stop_timeout_s, stop_timeout_s - 1.0)


def _exit_now(why: str) -> None:
    _write_line(why)
    os._exit(0)


def _exit_late(limit_s: float) -> None:
    _write_line(f"not finished within {limit_s:g} s; stopping, other processes take over the rest. It was here:")
    exit_with_stack_traces(0)


def _write_line(text: str) -> None:
    # Not print: a signal handler may have interrupted the very thread that is printing.
    os.write(STDERR, f"posebus: {text}\n".encode())


class Heartbeat:
    """Reports a process to the registry once a second, and to `posebus health` on its own machine."""

    def __init__(self, registry: Registry, role: str) -> None:
        self._registry = registry
        self._role = role
        self._process = process_id(role)
        name_process(role, self._process)
        self._health = HealthFile(role)
        self._build = build_metrics(time.time())
        self._last_s = -1e9

    def beat(self, now_s: float, report: ProcessReport) -> None:
        """Write `report` to the registry now; `due` says when the next one is due."""
        report = replace(report, metrics={**report.metrics, **self._build})
        self._registry.report(self._process, self._role, report_to_json(report))
        # After the broker has taken the report: a process that cannot reach it does not do its work.
        self.beat_here(now_s, report)

    def beat_here(self, now_s: float, report: ProcessReport) -> None:
        """Tell only `posebus health`, without the registry."""
        if report.ready:
            self._health.beat(now_s)
        self._last_s = now_s

    def due(self, now_s: float) -> bool:
        return now_s - self._last_s >= HEARTBEAT_S

    def leave(self) -> None:
        """Delete the report, and the file for `posebus health`, which counts no process that has ended anyway."""
        self._health.remove()
        self._registry.retire(self._process)


def run_stage(stage: Stage, heartbeat: Heartbeat, stop: StopFlag, outage: Outage | None = None) -> None:
    """Run `stage` until its work is done or `stop` is set. A FatalError passes through after the stage is closed."""
    outage = outage or Outage()
    reachable = True
    try:
        while not stop.check():
            now_s = time.monotonic()
            try:
                if heartbeat.due(now_s):
                    write_stack_traces_at_standstill()
                    heartbeat.beat(now_s, stage.report())
                if not stage.step(now_s):
                    break
            except RetryableError as error:
                _pause(outage.failed(error, time.monotonic()), stop)
            else:
                outage.worked(time.monotonic())
        if stop.is_set:
            reachable = _drain(stage)
    finally:
        end_watch_for_standstill()
        stage.close()
        # With a broker that never answers, a second wait would exceed the time that the supervisor gives.
        if reachable:
            _retire(heartbeat)


def _drain(stage: Stage) -> bool:
    try:
        stage.drain()
    except RetryableError as error:
        # Nothing is lost: entries that were not committed are still pending in the broker, and others reclaim them.
        log.warning("%s; other processes take over the unfinished work", error)
        return False
    return True


def _retire(heartbeat: Heartbeat) -> None:
    try:
        heartbeat.leave()
    except BrokerUnavailable as error:
        log.info("this process is still in the registry for some seconds: %s", error)


def _pause(pause_s: float, stop: StopFlag) -> None:
    end_s = time.monotonic() + pause_s
    while not stop.check() and (left_s := end_s - time.monotonic()) > 0:
        time.sleep(min(0.05, left_s))
