"""How a process follows its settings: it polls them in its loop, reloads them at SIGHUP, and logs what came of it."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable
from typing import Protocol

from posebus.reloading.followed import FollowedSettings, Update
from posebus.reloading.hangup import on_hangup
from posebus.reloading.sentences import fixed_lines, log_lines
from posebus.runtime.stage import PARENT_ENV, StopFlag
from posebus.runtime.stage_main import set_up_logging

log = logging.getLogger("posebus")


class Control(Protocol):
    """Lets commands of this machine ask a running process, and change its settings through `Follower.followed`."""

    def poll(self, now_s: float) -> None:
        """Answer what has been asked since the last call."""

    def updated(self, update: Update) -> None:
        """The settings were read again; called for every update, before it is applied, also if nothing changes."""


class Follower:
    """The settings of this process while it runs. Its loop calls `poll` several times a second."""

    def __init__(self, followed: FollowedSettings, stop: StopFlag) -> None:
        """From now on SIGHUP reloads; it sets `stop` if the terminal of this process was closed."""
        self.followed = followed
        self.control: Control | None = None
        """Polled with the settings, and informed of what came of them."""
        self._stop = stop
        on_hangup(followed.request_reload, self._end)

    def poll(self, now_s: float) -> Update | None:
        """Return the update that the process has to apply, if there is one; what it cannot apply is logged."""
        if self.control is not None:
            self.control.poll(now_s)
        update = self.followed.poll(now_s)
        if update is None:
            return None
        if self.control is not None:
            self.control.updated(update)
        if update.problem is not None:
            for line in update.problem.splitlines():
                log.error("the configuration is not used, and nothing changes: %s", line.strip())
            return None
        for line in fixed_lines(update.fixed):
            log.warning("%s", line)
        found = update.difference
        if not found:
            if not update.fixed:
                log.info("the configuration was read again; nothing changes")
            return None
        # Also because the log hides what is secret in the addresses of cameras.
        set_up_logging(update.settings)
        self.announce(log, log_lines(found))
        return update

    def announce(self, logger: logging.Logger, lines: Iterable[str]) -> None:
        """Log the lines about changes; a child of `posebus up` leaves that to its parent, which logs the same."""
        level = logging.DEBUG if PARENT_ENV in os.environ else logging.INFO
        for line in lines:
            logger.log(level, "%s", line)

    def _end(self) -> None:
        self._stop.is_set = True
