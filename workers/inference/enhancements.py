"""Which cameras' frames were enhanced before inference, for the process report."""

from __future__ import annotations

from typing import Any

from posebus.bus.frame_consumer import CAMERAS_KNOWN

CAMERAS_REPORTED = 30


class EnhancementLog:
    """The last enhanced frame of each camera. Decoding threads record, the reporting thread reads."""

    def __init__(self) -> None:
        self._latest: dict[str, tuple[int, str]] = {}

    def record(self, camera: str, captured_at_ns: int, reason: str) -> None:
        """Keep the camera's frame and why it was enhanced. With CAMERAS_KNOWN cameras the log starts anew."""
        if len(self._latest) >= CAMERAS_KNOWN:
            self._latest.clear()
        self._latest[camera] = (captured_at_ns, reason)

    def newest(self) -> dict[str, dict[str, Any]]:
        """Return, by camera, the CAMERAS_REPORTED frames that were captured last: `captured_at_ns` and `text`."""
        newest = sorted(self._latest.items(), key=lambda item: -item[1][0])[:CAMERAS_REPORTED]
        return {camera: {"captured_at_ns": at_ns, "text": reason} for camera, (at_ns, reason) in newest}
