"""SIGHUP reloads; if it comes with the loss of the terminal, it ends the process, unless that was started for it."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.polling import wait_until

PROGRAM = """
import signal, sys, time
from pathlib import Path
from posebus.reloading.hangup import on_hangup

log = Path(sys.argv[1])
def note(word):
    with log.open("a") as file:
        file.write(word)
def end():
    note("e")
    raise SystemExit
on_hangup(lambda: note("r"), end)
note("s")
while True:
    time.sleep(0.05)
"""


def test_without_a_terminal_each_signal_reloads(tmp_path: Path) -> None:
    log = tmp_path / "log"
    child = subprocess.Popen([sys.executable, "-c", PROGRAM, log], start_new_session=True)
    try:
        for seen in ("s", "sr", "srr"):
            wait_until(lambda seen=seen: log.exists() and log.read_text() == seen, seen)
            child.send_signal(signal.SIGHUP)
    finally:
        child.kill()
        child.wait()


@pytest.mark.parametrize("ignores", [False, True], ids=["in a terminal", "under nohup"])
def test_a_terminal_that_closes_ends_the_process_but_not_under_nohup(ignores: bool, tmp_path: Path) -> None:
    log = tmp_path / "log"
    pid, terminal = pty.fork()
    if pid == 0:  # the leader of a session with a terminal of its own
        # Not as this process has it: the tests themselves may run under nohup.
        signal.signal(signal.SIGHUP, signal.SIG_IGN if ignores else signal.SIG_DFL)
        os.execv(sys.executable, [sys.executable, "-c", PROGRAM, str(log)])
    try:
        wait_until(lambda: log.exists() and log.read_text() == "s", "the start")
        os.kill(pid, signal.SIGHUP)
        wait_until(lambda: log.read_text() == "sr", "a reload while the terminal is open")
        os.close(terminal)
        wait_until(lambda: log.read_text() == ("srr" if ignores else "sre"), "what the loss of the terminal does")
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
