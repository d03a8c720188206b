"""Draws videos one after the other in a process beside this one, of the lowest priority; what is left, here."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType

from posebus.config.redaction import redact_url
from posebus.contract.foreign_json import load_object
from posebus.runtime.failures import in_one_sentence
from posebus.runtime.python_child import python_command, python_environment
from recordings.drawing.making import PeopleRows, make_pictures
from recordings.drawing.task import DrawingTask
from recordings.progress import Progress

OnFailure = Callable[[str, str], None]
"""Called with the name of a recording whose pictures could not be made, and one sentence why."""
OnPeople = Callable[[str, PeopleRows], None]
"""Called with the name of a recording and its table of people, once that has their snapshots."""


class _Stopped(Exception):
    """The queue was left early."""


class _Stoppable:
    """Progress of a video that is drawn in this process; ends the drawing once `stopped` returns True."""

    def __init__(self, progress: Progress, stopped: Callable[[], bool]) -> None:
        self.status, self.finish = progress.status, progress.finish
        self._update, self._stopped = progress.update, stopped

    def update(self, name: str, done: int, total: int | None, fps: float) -> None:
        if self._stopped():
            raise _Stopped
        self._update(name, done, total, fps)


class DrawingQueue:
    """Videos that wait and those that are drawn now. Use it in a `with`: leaving it early stops them.

    While other work goes on, one is drawn at a time, in a process of its own. Memory is that of two videos at most.
    """

    def __init__(self, progress: Progress, on_failure: OnFailure, on_people: OnPeople | None = None) -> None:
        """Both are called from other threads, but never twice at the same moment."""
        self._progress = progress
        self._on_failure = on_failure
        self._on_people = on_people
        self._lock = threading.Lock()
        self._threads, self._here = ThreadPoolExecutor(1), ThreadPoolExecutor(1)
        self._processes: set[subprocess.Popen[str]] = set()
        self._tasks: list[tuple[DrawingTask, Future[None]]] = []
        self._stopped = False

    @property
    def pids(self) -> list[int]:
        """The processes that draw now."""
        with self._lock:
            return [process.pid for process in self._processes]

    def add(self, task: DrawingTask) -> None:
        """Draw this video when those before it are drawn."""
        self._tasks.append((task, self._threads.submit(self._draw, task)))

    def finish(self) -> None:
        """Wait until all are drawn: those that wait in this process, which has nothing else to do now.

        So a few short videos at the end cost no start of a process each.
        """
        # In a thread: an interrupt, which only the main thread gets, must not meet the video library at work.
        here = [self._here.submit(self._draw_here, task) for task, drawn in self._tasks if drawn.cancel()]
        for drawn in [*here, *(drawn for _, drawn in self._tasks if not drawn.cancelled())]:
            drawn.result()

    def __enter__(self) -> DrawingQueue:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._lock:
            self._stopped = True
            for process in self._processes:
                process.kill()
        self._threads.shutdown(cancel_futures=True)
        self._here.shutdown(cancel_futures=True)

    def _draw(self, task: DrawingTask) -> None:
        process = self._start()
        if process is None:
            return
        try:
            problem = self._follow(process, task)
        finally:
            process.kill()
            process.communicate()
            with self._lock:
                self._processes.discard(process)
                stopped = self._stopped
            self._progress.finish(_label(task))
        if problem is not None and not stopped:
            self._fail(task, problem)

    def _draw_here(self, task: DrawingTask) -> None:
        try:
            people = make_pictures(task, _Stoppable(self._progress, lambda: self._stopped))
        except _Stopped:
            return
        except Exception as error:  # noqa: BLE001 - the other videos are drawn all the same
            self._fail(task, in_one_sentence(error, about=redact_url(task.source.source)))
        else:
            self._tell_people(task, people)

    def _tell_people(self, task: DrawingTask, people: PeopleRows | None) -> None:
        if people is not None and self._on_people is not None:
            with self._lock:
                self._on_people(task.name, people)

    def _fail(self, task: DrawingTask, problem: str) -> None:
        with self._lock:
            self._on_failure(task.name, problem)

    def _start(self) -> subprocess.Popen[str] | None:
        with self._lock:
            if self._stopped:
                return None
            # A session of its own: Ctrl-C reaches this process alone, which then stops it.
            process = subprocess.Popen(
                python_command("-m", "recordings.drawing"),
                env={**os.environ, **python_environment()},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                start_new_session=True,
            )
            self._processes.add(process)
            return process

    def _follow(self, process: subprocess.Popen[str], task: DrawingTask) -> str | None:
        """Show the progress of the process; returns what went wrong."""
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(task.to_json() + "\n")
            process.stdin.flush()
        except BrokenPipeError:
            return _died(task)
        for line in process.stdout:
            told = load_object(line, "what the process that draws says")
            if "error" in told:
                return str(told["error"])
            if "done" in told:
                self._tell_people(task, told["people"])
                return None
            self._progress.update(_label(task), told["frames"], told["total"], told["fps"])
        return _died(task)


def _label(task: DrawingTask) -> str:
    return f"{task.name} (video)"


def _died(task: DrawingTask) -> str:
    source = redact_url(task.source.source)
    return f"the process that drew the video of {source} ended early; was the machine out of memory?"
