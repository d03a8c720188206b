"""What the container at an address says about the stream: whether it ends, and whether it is a video at all."""

from __future__ import annotations

from typing import Any

BURSTY_FORMATS = frozenset({"hls", "dash"})
SESSION_FORMATS = BURSTY_FORMATS | {"rtsp", "sdp"}
"""Formats that are no file: their length in bytes says nothing."""
PICTURE_FORMATS = frozenset({"image2", "gif", "mjpeg"})


def is_finite(container: Any) -> bool:
    """Whether the video ends by itself: its length in bytes is known, or the length in time of a playlist or session.

    The header of a live stream may well name a duration: that of its first fragment, or a meaningless one.
    """
    name = container.format.name
    if name == "mpjpeg":
        return False  # pictures in parts of a multipart answer, for which some cameras announce a length all the same
    if name in SESSION_FORMATS:
        return container.duration is not None
    return bool(container.size > 0)


def may_be_picture(container: Any) -> bool:
    """Whether this may be a single picture (JPEG, PNG, WebP, AVIF, …) rather than a video."""
    name = container.format.name
    return name.endswith("_pipe") or name in PICTURE_FORMATS or (name.startswith("mov") and container.duration is None)
