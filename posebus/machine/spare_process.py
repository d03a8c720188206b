"""A process that has loaded its libraries before its work is known, which then begins at once.

Loading takes most of a second, and several on a machine that is busy.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence


class SpareProcess:
    """A process that waits for its arguments in `wait_for_arguments`; it ends by itself if this process does."""

    def __init__(self, argv: Sequence[str], environment: Mapping[str, str]) -> None:
        """Start it, with this whole environment, in a session of its own."""
        self._process = subprocess.Popen(
            list(argv), env=dict(environment), start_new_session=True, stdin=subprocess.PIPE
        )

    def use(self, arguments: Sequence[str], variables: Mapping[str, str]) -> subprocess.Popen[bytes] | None:
        """Let it go on by these arguments and further variables of the environment; None if it has ended."""
        assert self._process.stdin is not None
        try:
            with self._process.stdin as order:
                words = [str(len(arguments)), *arguments, *(f"{name}={value}" for name, value in variables.items())]
                order.write(b"\0".join(map(os.fsencode, words)))
        except OSError:
            pass
        else:
            if self._process.poll() is None:
                return self._process
        self.stop()
        return None

    def stop(self) -> None:
        """End it without any work."""
        self._process.kill()
        self._process.communicate()


def wait_for_arguments() -> list[str]:
    """Return the arguments of this process, and add the variables to its environment, once its parent gives them.

    Ends the process if the parent ends first.
    """
    number, *words = map(os.fsdecode, sys.stdin.buffer.read().split(b"\0"))
    if not number:
        sys.exit(0)
    arguments, variables = words[: int(number)], words[int(number) :]
    for variable in variables:
        name, _, value = variable.partition("=")
        os.environ[name] = value
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    return arguments
