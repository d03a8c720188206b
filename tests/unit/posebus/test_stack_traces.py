"""Stack traces of processes that hang are written before they are killed."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from posebus.machine.stack_traces import END_SIGNAL
from posebus.runtime.processes import ChildProcesses, ChildSpec
from posebus.runtime.watchdog import Watchdog

HANGING_IN_C = """
import ctypes, os, pathlib, sys
from posebus.runtime.liveness import give_life_signs
from posebus.machine.stack_traces import enable_stack_traces

def hang_with_the_global_lock():
    pathlib.Path(sys.argv[1]).touch()
    ctypes.PyDLL(None).sleep(60)

enable_stack_traces()
give_life_signs(os.environ, lambda now_s: True)
hang_with_the_global_lock()
"""
IGNORING_SIGTERM = """
import pathlib, signal, sys, time
from posebus.machine.stack_traces import enable_stack_traces

def wait_for_ever():
    pathlib.Path(sys.argv[1]).touch()
    time.sleep(60)

enable_stack_traces()
signal.signal(signal.SIGTERM, signal.SIG_IGN)
wait_for_ever()
"""
LATE_STAGE = """
import os, signal, sys, time
from posebus.runtime.stage import StopFlag

def drain_for_ever():
    time.sleep(60)

StopFlag(limit_s=0.1).install()
os.kill(os.getpid(), signal.SIGTERM)
drain_for_ever()
"""
WAIT_S = 60.0


def child(code: str, *arguments: str) -> ChildSpec:
    return ChildSpec("stage", [sys.executable, "-c", code, *arguments], writes_stack_traces=True)


def until(condition: Callable[[], bool]) -> None:
    end_s = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < end_s, "it did not happen"
        time.sleep(0.02)


def test_a_child_that_hangs_in_c_with_the_global_lock_writes_its_stacks_and_ends(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    hanging = tmp_path / "hanging"
    watchdog = Watchdog(tmp_path, stalled_after_s=10.0)
    with ChildProcesses() as processes:
        processes.start(watchdog.watched(child(HANGING_IN_C, str(hanging))))
        process = processes.children["stage"].process
        until(hanging.exists)
        watchdog.check(processes.children, 0.0)
        assert watchdog.check(processes.children, 100.0) == ["stage"]
        assert process.wait(WAIT_S) == -END_SIGNAL
    assert "in hang_with_the_global_lock" in capfd.readouterr().err


def test_a_stopped_child_that_cannot_write_its_stacks_is_killed_a_moment_later(tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    watchdog = Watchdog(tmp_path, stalled_after_s=10.0)
    with ChildProcesses() as processes:
        processes.start(watchdog.watched(child(IGNORING_SIGTERM, str(ready))))
        process = processes.children["stage"].process
        until(ready.exists)
        process.send_signal(signal.SIGSTOP)
        watchdog.check(processes.children, 0.0)
        assert watchdog.check(processes.children, 100.0) == ["stage"]
        assert watchdog.check(processes.children, 100.1) == []
        assert process.poll() is None
        assert watchdog.check(processes.children, 101.0) == []
        assert process.wait(WAIT_S) == -signal.SIGKILL


def test_a_child_that_does_not_stop_in_time_writes_its_stacks(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    ready = tmp_path / "ready"
    with ChildProcesses() as processes:
        processes.start(child(IGNORING_SIGTERM, str(ready)))
        process = processes.children["stage"].process
        until(ready.exists)
        processes.stop(timeout_s=0.2)
    assert process.returncode == -END_SIGNAL
    assert "in wait_for_ever" in capfd.readouterr().err


def test_a_stage_that_does_not_drain_in_time_writes_its_stacks_and_ends() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LATE_STAGE], capture_output=True, text=True, check=False, timeout=WAIT_S
    )
    assert done.returncode == 0
    assert "posebus: not finished within 0.1 s" in done.stderr
    assert "in drain_for_ever" in done.stderr


def test_a_process_that_ends_itself_because_it_hangs_writes_its_stacks() -> None:
    code = "from posebus.machine.stack_traces import *\ndef hung(): exit_with_stack_traces(70)\nhung()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=WAIT_S)
    assert done.returncode == 70
    assert "in hung" in done.stderr


STANDS_STILL = """
import itertools, time
from posebus.machine import stack_traces
from posebus.runtime.stage import StopFlag, run_stage

class Beats:
    def due(self, now_s): return True
    def beat(self, now_s, report): pass
    def leave(self): pass

class Stage:
    steps = itertools.count()
    def report(self): return None
    def step(self, now_s):
        number = next(self.steps)
        if number == 2:
            stuck_here()
        return number < 3
    def close(self): pass

def stuck_here():
    time.sleep(1.0)

stack_traces.STANDSTILL_S = 0.25
run_stage(Stage(), Beats(), StopFlag())
time.sleep(0.5)
"""


def test_a_stage_that_stands_still_writes_its_stacks_once_and_goes_on_without_any_supervisor() -> None:
    command = [sys.executable, "-c", STANDS_STILL]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=WAIT_S)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("most recent call first") == 1
    assert "in stuck_here" in done.stderr
