"""Child processes: start them, restart those that crash, stop them in order, and clean up after a killed parent."""

from __future__ import annotations

import contextlib
import logging
import os
import random
import signal
import subprocess
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from posebus.backoff import Backoff
from posebus.logs.about import about
from posebus.machine.spare_process import SpareProcess
from posebus.machine.stack_traces import DUMP_TIME_S, end_with_stack_traces
from posebus.runtime.stage import PARENT_ENV

EXIT_DONE = 0
EXIT_FATAL = 1
"""A child that ends with one of these is finished; any other exit code is a crash, and the child is restarted."""
EXIT_AGAIN = 75
"""The exit code of a stage that could not start because the broker was unavailable (EX_TEMPFAIL of sysexits.h)."""
RUN_ENV = "POSEBUS_RUN"
"""Identifies one start of a deployment in all its processes; processes that are restarted keep it."""
CAMERA_STATES_ENV = "POSEBUS_CAMERA_STATES"
"""Set if a parent shows the states of the cameras by their events: their ingest then logs errors only."""
EXIT_STUCK = 70
"""The exit code of a worker that has to be restarted: a frame hangs in it, or its engine is broken (EX_SOFTWARE)."""

STABLE_AFTER_S = 60.0
"""A child that ran for so long is restarted after the shortest pause again."""

SPARE = ["--spare"]
"""The arguments of a module that loads itself and waits; see `posebus.machine.spare_process`."""
SPARE_AFTER_S = 2.0

log = logging.getLogger("posebus")


@dataclass(frozen=True, slots=True)
class ChildSpec:
    """One process to keep running: `argv` as for exec, and `env`, added to the environment of the parent.

    `writes_stack_traces`: it calls `enable_stack_traces`, so it is asked for its stacks before it is killed. `urgent`:
    a spare process may become this child, see `ChildProcesses.keep_spare`. `camera`: the one that it is for, None for
    processes of all cameras.
    """

    name: str
    argv: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)
    writes_stack_traces: bool = False
    urgent: bool = False
    camera: str | None = None


@dataclass
class Child:
    """A child that is running, has finished, or waits to be restarted.

    kill_at_s: when it is killed if it has not ended by itself (monotonic). asked_for_stacks: it was asked to write its
    stack traces.
    """

    spec: ChildSpec
    process: subprocess.Popen[bytes]
    started_at_s: float
    backoff: Backoff
    restarts: int = 0
    restart_at_s: float | None = None
    kill_at_s: float | None = None
    asked_for_stacks: bool = False

    @property
    def exit_code(self) -> int | None:
        return self.process.poll()

    @property
    def has_finished(self) -> bool:
        """Whether it has ended for good: its work is done, or it cannot work."""
        return self.exit_code in (EXIT_DONE, EXIT_FATAL)


class ChildProcesses:
    """All children of one supervisor. Single-threaded: call `restart_crashed` several times a second."""

    def __init__(self, restart_min_s: float = 0.5, restart_max_s: float = 15.0) -> None:
        self._restart_min_s = restart_min_s
        self._restart_max_s = restart_max_s
        self._rng = random.Random()
        self._run = os.environ.get(RUN_ENV) or uuid.uuid4().hex
        self.children: dict[str, Child] = {}
        self._leaving: list[Child] = []
        self._spare: SpareProcess | None = None
        self._spare_argv: list[str] = []
        self._started_at_s = -1e9

    def start(self, spec: ChildSpec) -> None:
        """Start one child, in a session of its own, so that Ctrl-C reaches only the supervisor."""
        backoff = Backoff(self._restart_min_s, self._restart_max_s, self._rng)
        process = self._take_spare(spec) or _spawn(spec, self._run)
        self.children[spec.name] = Child(spec, process, time.monotonic(), backoff)
        self._started_at_s = time.monotonic()

    def keep_spare(self, spec: ChildSpec, now_s: float) -> None:
        """Keep one process of `spec` that has loaded its module and waits for the arguments of the next urgent child.

        Its `argv` is that of children up to the name of the module, and then SPARE. It starts when no child has been
        started for a while, so that it takes no time from them.
        """
        if self._spare is None and now_s - self._started_at_s >= SPARE_AFTER_S:
            self._spare = SpareProcess(spec.argv, _environment(spec, self._run))
            self._spare_argv = list(spec.argv[: -len(SPARE)])

    def _take_spare(self, spec: ChildSpec) -> subprocess.Popen[bytes] | None:
        if not spec.urgent or self._spare is None or list(spec.argv[: len(self._spare_argv)]) != self._spare_argv:
            return None
        spare, self._spare = self._spare, None
        return spare.use(spec.argv[len(self._spare_argv) :], spec.env)

    def restart_crashed(self, now_s: float) -> list[Child]:
        """Restart crashed children when their pause is over; returns the children that have finished."""
        ended = []
        for child in self.children.values():
            code = child.exit_code
            if code is None:
                continue
            if code in (EXIT_DONE, EXIT_FATAL):
                ended.append(child)
            elif child.restart_at_s is None:
                if now_s - child.started_at_s > STABLE_AFTER_S:
                    child.restarts = 0
                    child.backoff.reset()
                pause_s = child.backoff.next_s()
                child.restart_at_s = now_s + pause_s
                how = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
                log.warning(
                    "%s %s; starting it again in %.1f s", child.spec.name, how, pause_s, extra=about(child.spec.camera)
                )
            elif now_s >= child.restart_at_s:
                child.process = _spawn(child.spec, self._run)
                child.started_at_s, child.restart_at_s = now_s, None
                child.restarts += 1
        return ended

    @property
    def leaving(self) -> list[str]:
        """The names of the children that were dismissed and have not ended yet."""
        return [child.spec.name for child in self._leaving]

    def dismiss(self, name: str, timeout_s: float, now_s: float) -> None:
        """Let one child end without waiting for it: SIGTERM now, and SIGKILL by `tend_leaving` after `timeout_s`."""
        child = self.children.pop(name)
        child.kill_at_s = now_s + timeout_s
        _signal(child, signal.SIGTERM)
        self._leaving.append(child)

    def tend_leaving(self, now_s: float) -> list[Child]:
        """Return the dismissed children that have ended, once each; kill those that are late."""
        ended = [child for child in self._leaving if child.exit_code is not None]
        self._leaving = [child for child in self._leaving if child.exit_code is None]
        for child in self._leaving:
            assert child.kill_at_s is not None
            if now_s < child.kill_at_s:
                continue
            if child.spec.writes_stack_traces and not child.asked_for_stacks:
                log.warning("%s did not end in time; it is killed", child.spec.name, extra=about(child.spec.camera))
                end_with_stack_traces(child.process)
                child.asked_for_stacks, child.kill_at_s = True, now_s + DUMP_TIME_S
            else:
                _signal(child, signal.SIGKILL)
        return ended

    def stop(self, names: Sequence[str] | None = None, timeout_s: float = 10.0) -> None:
        """SIGTERM, wait up to `timeout_s` for all of them together, then SIGKILL.

        A child that did not end in time first writes its stack traces, if it can. Without `names`, those that were
        dismissed are waited for, too.
        """
        chosen = [child for name, child in self.children.items() if names is None or name in names]
        if names is None:
            chosen, self._leaving = [*chosen, *self._leaving], []
            if self._spare is not None:
                self._spare.stop()
                self._spare = None
        for child in chosen:
            _signal(child, signal.SIGTERM)
        late = _still_running(chosen, timeout_s)
        for child in late:
            log.warning(
                "%s did not end within %g s; it is killed", child.spec.name, timeout_s, extra=about(child.spec.camera)
            )
            if child.spec.writes_stack_traces:
                end_with_stack_traces(child.process)
        _still_running([child for child in late if child.spec.writes_stack_traces], DUMP_TIME_S)
        for child in late:
            _signal(child, signal.SIGKILL)
            child.process.wait()
        for child in chosen:
            if self.children.get(child.spec.name) is child:
                del self.children[child.spec.name]

    def __enter__(self) -> ChildProcesses:
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()


def _still_running(children: Sequence[Child], timeout_s: float) -> list[Child]:
    """Wait up to `timeout_s` for all of `children` together; returns those that have not ended."""
    end_s = time.monotonic() + timeout_s
    for child in children:
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.process.wait(max(0.0, end_s - time.monotonic()))
    return [child for child in children if child.exit_code is None]


def _spawn(spec: ChildSpec, run: str) -> subprocess.Popen[bytes]:
    environment = _environment(spec, run)
    return subprocess.Popen(list(spec.argv), env=environment, start_new_session=True, stdin=subprocess.DEVNULL)


def _environment(spec: ChildSpec, run: str) -> dict[str, str]:
    return {**os.environ, **spec.env, PARENT_ENV: str(os.getpid()), RUN_ENV: run}


def _signal(child: Child, number: signal.Signals) -> None:
    if child.exit_code is None:
        child.process.send_signal(number)


def run_after_exit(script: str) -> subprocess.Popen[bytes]:
    """A shell that runs `script` when this process has ended, in whichever way, unless `cancel` came first."""
    # The shell reads from a pipe into which nothing is written: the pipe ends when this process ends.
    return subprocess.Popen(["/bin/sh", "-c", f"read -r _; {script}"], start_new_session=True, stdin=subprocess.PIPE)


def cancel(shell: subprocess.Popen[bytes]) -> None:
    """End a shell of `run_after_exit` without running its script."""
    shell.kill()
    shell.communicate()
