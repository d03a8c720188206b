"""Tracking: restores the order of frames, links poses into identities, publishes tracks and their events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tracking.tracker import PoseTracker

__all__ = ["PoseTracker"]


def __getattr__(name: str) -> Any:
    # Loaded when it is first asked for: `python -m tracking` must set the folder of compiled kernels before.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from posebus.installed.extras import missing_package

    try:
        from tracking.tracker import PoseTracker
    except ImportError as error:
        sentence = missing_package(error)
        if sentence is None:
            raise
        raise ImportError(sentence, name=error.name) from error

    return PoseTracker
