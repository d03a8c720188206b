"""Progress where there is no terminal, and signals."""

from __future__ import annotations

import io
import signal
import subprocess
import sys

import pytest

from recordings import progress
from tests.conftest import ROOT


def test_lines_come_every_three_seconds_and_short_work_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    now_s = 0.0
    monkeypatch.setattr(progress.time, "monotonic", lambda: now_s)
    stream = io.StringIO()
    lines = progress.Lines(stream)
    for now_s in (0.0, 1.0, 2.9, 3.0, 3.1, 6.5):  # the clock above reads it
        lines.update("clip", int(now_s * 10), 100, 10.0)
    lines.update("other", 1, None, 1.0)
    lines.finish("clip")
    assert stream.getvalue().splitlines() == ["clip: 30/100 frames, 10.0 fps", "clip: 65/100 frames, 10.0 fps"]


def test_repeated_status_is_printed_once() -> None:
    stream = io.StringIO()
    lines = progress.Lines(stream)
    for text in ("loading", "loading", "starting"):
        lines.status(text)
    assert stream.getvalue().splitlines() == ["loading", "starting"]


def test_nothing_is_printed_beside_json(capsys: pytest.CaptureFixture[str]) -> None:
    with progress.progress_for(as_json=True) as silent:
        silent.status("loading")
        silent.update("clip", 1, 2, 3.0)
        silent.finish("clip")
    assert capsys.readouterr() == ("", "")


WORK = """
import signal, sys
from recordings.interrupts import interruptible

number = signal.Signals(int(sys.argv[1]))
signal.signal(signal.SIGINT, signal.default_int_handler)
before = signal.getsignal(number)
steps = []
try:
    with interruptible():
        try:
            signal.raise_signal(number)
            steps.append("went on")
        finally:
            signal.raise_signal(number)
            steps.append("cleared up")
except KeyboardInterrupt:
    steps.append("interrupted")
print(*steps, signal.getsignal(number) is before, sep=", ")
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_first_signal_interrupts_and_later_ones_are_ignored_during_cleanup(number: signal.Signals) -> None:
    # In a process of its own: libraries that other tests have loaded may not bear a signal in the middle.
    command = [sys.executable, "-c", WORK, str(int(number))]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert (done.stdout, done.stderr) == ("cleared up, interrupted, True\n", "")


STEP = """
import signal, sys
from recordings.interrupts import interruptible, uninterrupted

number = signal.Signals(int(sys.argv[1]))
steps = []
try:
    with interruptible():
        try:
            with uninterrupted():
                signal.raise_signal(number)
                steps.append("finished the step")
                if sys.argv[2:]:
                    raise ValueError
            steps.append("went on")
        finally:
            steps.append("cleared up")
except KeyboardInterrupt:
    steps.append("interrupted")
print(*steps, sep=", ")
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("fails", [[], ["fails"]])
def test_signal_inside_a_step_interrupts_at_its_end(number: signal.Signals, fails: list[str]) -> None:
    command = [sys.executable, "-c", STEP, str(int(number)), *fails]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert (done.stdout, done.stderr) == ("finished the step, cleared up, interrupted\n", "")
