"""A step that a thread of its own repeats, and whose errors the main loop handles."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


class Background:
    """Repeats `step(now_s)` (monotonic) until stopped. After an error it pauses until the owner has called `check`."""

    def __init__(self, step: Callable[[float], None], name: str) -> None:
        self._step = step
        self._stopping = threading.Event()
        self._raised = threading.Event()
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def check(self) -> None:
        """Start the thread if it does not run yet; raise the error of its last step, which is then repeated.

        The caller that catches the error decides how long to wait before the next call, or whether to end: see
        `posebus.runtime.stage.run_stage`.
        """
        if not self._thread.is_alive() and not self._stopping.is_set():
            self._thread.start()
            return
        if self._error is not None:
            error, self._error = self._error, None
            self._raised.set()
            raise error

    def stop(self, timeout_s: float) -> bool:
        """Let the current step finish and start no other one; False if that took longer than `timeout_s`."""
        self._stopping.set()
        self._raised.set()
        if self._thread.is_alive():
            self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._step(time.monotonic())
            except Exception as error:  # noqa: BLE001 - raised again in the owner's thread
                self._raised.clear()
                self._error = error
                # Checked after the clear: otherwise a stop that came just before it would leave this thread waiting
                # for ever.
                if not self._stopping.is_set():
                    self._raised.wait()
