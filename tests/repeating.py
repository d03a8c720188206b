"""Something that goes on beside a test, such as a camera that sends."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def repeated(step: Callable[[], object], pause_s: float) -> Iterator[None]:
    """Call `step` in a thread, with this pause before each call, until the context ends."""
    ended = threading.Event()

    def repeat() -> None:
        while not ended.wait(pause_s):
            step()

    thread = threading.Thread(target=repeat)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
