"""A step that is repeated in a thread of its own, whose errors are the main loop's to deal with."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


class Background:
    """Repeats `step(now_s)` (monotonic) until stopped. An error pauses it until the owner has seen it in `check`."""

    def __init__(self, step: Callable[[float], None], name: str) -> None:
        self._step = step
        self._stopping = threading.Event()
        self._seen = threading.Event()
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def check(self) -> None:
        """Start the thread if it has not begun; raise what its step raised, after which it tries again.

        How long to wait before that, or whether to end, is decided by who catches it: see
        `posebus.runtime.stage.run_stage`.
        """
        if not self._thread.is_alive() and not self._stopping.is_set():
            self._thread.start()
            return
        if self._error is not None:
            error, self._error = self._error, None
            self._seen.set()
            raise error

    def stop(self, timeout_s: float) -> bool:
        """Let the step under way finish and begin no other; False if that took longer than `timeout_s`."""
        self._stopping.set()
        self._seen.set()
        if self._thread.is_alive():
            self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._step(time.monotonic())
            except Exception as error:  # noqa: BLE001 - raised again in the owner's thread
                self._seen.clear()
                self._error = error
                # Looked at after clearing: else a stop that came just before it would be waited for without end.
                if not self._stopping.is_set():
                    self._seen.wait()
