"""The loop of `posebus top`: it reads the deployment in the background, so that keys work during an outage."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from posebus.config.settings import RetentionSettings
from posebus.errors import BrokerUnavailable
from posebus.telemetry.overview import DeploymentState, overview
from posebus_cli.observe.screen.keys import Key, scrolled
from posebus_cli.observe.screen.terminal import full_screen
from posebus_cli.observe.screen.top_view import TopView

if TYPE_CHECKING:
    from rich.console import Console

REFRESH_S = 1.0
KEYS_S = 0.1
"""How long a key is waited for, between two looks at the size of the terminal."""
HISTORY = 4
"""Rates are computed over this many snapshots, from the first to the last."""
FRAME_ROWS = 8
"""Rows around the tables: a page is what is left."""


class LiveView:
    """The state of the screen: the last snapshots of the deployment, trouble with the broker, and the scroll position.

    `take` and `press` return nothing; `view` is what they lead to.
    """

    def __init__(self, before: DeploymentState, where: str, retention: RetentionSettings) -> None:
        self._history = [before]
        self._where = where
        self._retention = retention
        self._trouble: str | None = None
        self._position = 0

    def take(self, news: DeploymentState | Exception) -> None:
        """Take a snapshot, or the error of reading it; raises every error but BrokerUnavailable."""
        if isinstance(news, BrokerUnavailable):
            self._trouble = f"{news}; trying again"
        elif isinstance(news, Exception):
            raise news
        else:
            self._trouble = None
            self._history = [*self._history, news][-HISTORY:]

    def press(self, key: Key, width: int, height: int) -> None:
        """Scroll, on a terminal of so many columns and rows."""
        last = self.view().hidden(width, height)
        self._position = scrolled(self._position, key, max(1, height - FRAME_ROWS), last)

    def view(self) -> TopView:
        """Return what is shown now; rates are not, while the broker cannot be reached."""
        first = self._history[-1 if self._trouble else 0]
        shown = overview(first, self._history[-1], self._retention)
        return TopView(shown, self._where, trouble=self._trouble, position=self._position, with_keys=True)


def show_until_quit(read: Callable[[], DeploymentState], view: LiveView, console: Console) -> None:
    """Show `view` until the key q, or until a signal ends the process."""
    from rich.live import Live

    news: queue.SimpleQueue[DeploymentState | Exception] = queue.SimpleQueue()
    threading.Thread(target=_keep_reading, args=(read, news), name="read deployment", daemon=True).start()
    live = Live(view.view(), console=console, screen=True, auto_refresh=False)
    size = console.size
    with full_screen(live) as keyboard:
        while True:
            keys = keyboard.wait(KEYS_S)
            if Key.QUIT in keys:
                return
            for key in keys:
                view.press(key, console.width, console.height)
            fresh = not news.empty()
            while not news.empty():
                view.take(news.get())
            before, size = size, console.size
            if keyboard.stop_if_suspended(live) or keys or fresh or size != before:
                live.update(view.view(), refresh=True)


def _keep_reading(read: Callable[[], DeploymentState], news: queue.SimpleQueue[DeploymentState | Exception]) -> None:
    while True:
        time.sleep(REFRESH_S)
        try:
            news.put(read())
        except Exception as error:  # noqa: BLE001 - the main thread raises it, where the terminal is restored
            news.put(error)
