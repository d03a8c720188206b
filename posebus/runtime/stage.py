"""The loop that every process of a deployment runs: `while not stopping: stage.step(now_s)`.

A stage only says what one step is. Signals, heartbeats, waiting out an outage and leaving in order are decided here.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, Protocol

from posebus.bus.registry import Registry, process_id
from posebus.errors import BrokerUnavailable, RetryableError
from posebus.runtime.outage import Outage

HEARTBEAT_S = 1.0
PARENT_ENV = "POSEBUS_PARENT_PID"
"""Set by a supervisor for its children: a child whose parent is gone stops, so that nothing is left running."""

log = logging.getLogger("posebus")


class Stage(Protocol):
    """One process's work."""

    @property
    def role(self) -> str:
        """`ingest`, `worker` or `tracker`."""

    def step(self, now_s: float) -> bool:
        """Do a little work, in well under a second; False when there is nothing more to do, ever.

        `now_s` is monotonic. May raise RetryableError: the loop waits and calls again.
        """

    def report(self) -> dict[str, Any]:
        """How this process does, as JSON values, for `posebus top`."""

    def drain(self) -> None:
        """Asked to stop: finish what was begun, take nothing new. Called once, within the supervisor's time limit."""

    def close(self) -> None:
        """Free everything; called last, also after an error."""


class StopFlag:
    """Set by SIGTERM, by SIGINT, and when the parent process is gone.

    With `limit_s` the process leaves that long after the first signal, whatever it waits for, or at a second signal. It
    is a stage's: what it did not finish is taken over as if it had been killed.
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
        """Inside, a signal ends the process at once: nothing was begun that would have to be finished."""
        self._starting = True
        try:
            if self.is_set:
                raise SystemExit(0)
            yield
        finally:
            self._starting = False

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        again, self.is_set = self.is_set, True
        if self._starting:
            raise SystemExit(0)
        if self._limit_s is None:
            return
        if again:
            _leave("told to stop again; leaving at once")
        # A thread, since the main one may be waiting for a broker that never answers.
        late = f"not through within {self._limit_s:g} s; leaving, what is unfinished will be taken over"
        timer = threading.Timer(self._limit_s, _leave, [late])
        timer.daemon = True
        timer.start()


def stop_limit_s(stop_timeout_s: float) -> float:
    """How long a stage may drain, so that it has left before its supervisor loses patience."""
    return max(0.5 * stop_timeout_s, stop_timeout_s - 1.0)


def _leave(why: str) -> None:
    # Not print: a handler may have interrupted the very thread that is printing.
    os.write(2, f"posebus: {why}\n".encode())
    os._exit(0)


class Heartbeat:
    """Reports a process to the registry once a second."""

    def __init__(self, registry: Registry, role: str) -> None:
        self._registry = registry
        self._role = role
        self._process = process_id(role)
        self._last_s = -1e9

    def beat(self, now_s: float, report: dict[str, Any]) -> None:
        """Report, unless it was done within the last second."""
        self._registry.report(self._process, self._role, report)
        self._last_s = now_s

    def due(self, now_s: float) -> bool:
        return now_s - self._last_s >= HEARTBEAT_S

    def leave(self) -> None:
        self._registry.retire(self._process)


def run_stage(stage: Stage, heartbeat: Heartbeat, stop: StopFlag, outage: Outage | None = None) -> None:
    """Run `stage` until it has nothing more to do or `stop` is set; errors not to be retried pass after clean-up."""
    outage = outage or Outage()
    reachable = True
    try:
        while not stop.check():
            now_s = time.monotonic()
            try:
                if heartbeat.due(now_s):
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
        stage.close()
        # A second wait for a broker that swallows everything would be one too many for whoever asked us to stop.
        if reachable:
            _retire(heartbeat)


def _drain(stage: Stage) -> bool:
    try:
        stage.drain()
    except RetryableError as error:
        # Nothing is lost by it: what was not committed or given back stands in the broker, for others to take over.
        log.warning("%s; leaving what was begun to others", error)
        return False
    return True


def _retire(heartbeat: Heartbeat) -> None:
    try:
        heartbeat.leave()
    except BrokerUnavailable as error:
        log.info("left without saying so: %s", error)


def _pause(pause_s: float, stop: StopFlag) -> None:
    end_s = time.monotonic() + pause_s
    while not stop.check() and (left_s := end_s - time.monotonic()) > 0:
        time.sleep(min(0.05, left_s))
