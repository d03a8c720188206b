"""The way in which tests wait for an event."""

from __future__ import annotations

import time
from collections.abc import Callable

TIMEOUT_S = 300.0
"""Far above the duration of anything that tests wait for: on a busy machine, slow and stuck must be distinguishable."""
POLL_S = 0.02


def wait_until(
    condition: Callable[[], object],
    what: str | Callable[[], str],
    timeout_s: float = TIMEOUT_S,
    *,
    meanwhile: Callable[[], object] | None = None,
    poll_s: float = POLL_S,
) -> None:
    """Check `condition` again and again until it holds; after `timeout_s` fail with `what` the test waited for.

    `what` may be a function, for a message that needs the state at that time. `meanwhile` is called after each attempt,
    for what must be driven by the test itself, such as the steps of a stage.
    """
    end_s = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() >= end_s:
            raise AssertionError(f"not within {timeout_s:g} s: {what if isinstance(what, str) else what()}")
        if meanwhile is not None:
            meanwhile()
        time.sleep(poll_s)
