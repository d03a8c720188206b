"""A thread that reads the broker while a page is open, and goes on by itself after an outage."""

from __future__ import annotations

import logging
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable

from posebus.errors import PoseBusError

RETRY_S = 0.5
BROKEN_S = 2.0

Trouble = Callable[[str, str | None], None]
"""Takes the name of a reader and why it cannot read, None once it can; called in the reader's thread."""

log = logging.getLogger("posebus.wall")


class BrokerReader(ABC):
    """Calls `step` again and again in a thread while it is awake, and `rest` when it is not."""

    def __init__(self, name: str, trouble: Trouble) -> None:
        self._name = name
        self._trouble = trouble
        self._is_troubled = False
        self._stopping = threading.Event()
        self._awake = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"wall-{name}", daemon=True)

    @abstractmethod
    def step(self) -> None:
        """Read once, and wait for half a second at most. Raises the broker's errors."""

    @abstractmethod
    def rest(self) -> None:
        """Close the connection. `step` opens another one."""

    def start(self) -> None:
        """Start the thread, which sleeps."""
        self._thread.start()

    def wake(self, *, awake: bool) -> None:
        """Read from now on, or let the broker alone."""
        if awake:
            self._awake.set()
        else:
            self._awake.clear()

    def stop(self) -> None:
        """End the thread; blocks until its step is done."""
        self._stopping.set()
        self._awake.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._stopping.is_set():
            if not self._awake.is_set():
                self.rest()
                self._tell(None)
                self._awake.wait()
                continue
            try:
                self.step()
                self._tell(None)
            except PoseBusError as error:
                self._tell(str(error))
                self.rest()
                self._stopping.wait(RETRY_S)
            except Exception:
                log.exception("the reader of %s failed; it begins anew", self._name)
                self.rest()
                self._stopping.wait(BROKEN_S)
        self.rest()

    def _tell(self, sentence: str | None) -> None:
        if sentence is not None or self._is_troubled:
            self._trouble(self._name, sentence)
        self._is_troubled = sentence is not None
