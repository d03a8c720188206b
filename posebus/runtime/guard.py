"""Something to be done when this process is gone, however it went."""

from __future__ import annotations

import subprocess


def run_after_exit(script: str) -> subprocess.Popen[bytes]:
    """A shell that runs `script` once this process has ended without having killed it first."""
    # The shell reads from a pipe that nobody writes to: its end comes when we, who hold the other end, are gone.
    return subprocess.Popen(["/bin/sh", "-c", f"read -r _; {script}"], start_new_session=True, stdin=subprocess.PIPE)


def dismiss(guard: subprocess.Popen[bytes]) -> None:
    """Nothing is left to be done."""
    guard.kill()
    guard.communicate()
