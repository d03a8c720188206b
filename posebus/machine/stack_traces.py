"""Stack traces of a process that hangs, written to its standard error before it ends.

Python's faulthandler writes them from a signal handler in C, so that they also come from a process that hangs inside a
library and holds Python's global lock. They show files, lines and functions, never values.
"""

from __future__ import annotations

import contextlib
import faulthandler
import os
import signal
import subprocess

STDERR = 2
END_SIGNAL = signal.SIGUSR1
STANDSTILL_S = 60.0
"""No step of a stage takes as long; a supervisor on the same machine reacts sooner."""
DUMP_TIME_S = 0.5
"""Writing the stacks of a few dozen threads takes milliseconds; a busy machine may take longer."""


def enable_stack_traces() -> None:
    """Write the stacks of all threads on END_SIGNAL, then end; also when the process crashes (SIGSEGV and the like)."""
    faulthandler.enable(file=STDERR, all_threads=True)
    # `chain` calls the handler from before, which is the system's: it ends the process inside the signal handler. A
    # system call that the signal interrupts would otherwise return, and the process would go on for a moment.
    faulthandler.register(END_SIGNAL, file=STDERR, all_threads=True, chain=True)


def end_with_stack_traces(process: subprocess.Popen[bytes]) -> None:
    """Make a child write its stacks and end. One that is stopped (SIGSTOP) does neither and has to be killed."""
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(END_SIGNAL)


def write_stack_traces() -> None:
    """Write the stacks of all threads of this process now."""
    faulthandler.dump_traceback(file=STDERR, all_threads=True)


def write_stack_traces_at_standstill() -> None:
    """Write the stacks of all threads unless this is called again within STANDSTILL_S; the process goes on.

    A thread in C waits for that, so it also finds a process that holds Python's global lock. In a container nobody else
    watches the process: without this, a hang would leave nothing in its log.
    """
    faulthandler.dump_traceback_later(STANDSTILL_S, file=STDERR)


def end_watch_for_standstill() -> None:
    """Undo `write_stack_traces_at_standstill`."""
    faulthandler.cancel_dump_traceback_later()


def exit_with_stack_traces(exit_code: int) -> None:
    """Write the stacks of all threads and end this process at once, even if a thread hangs."""
    write_stack_traces()
    os._exit(exit_code)
