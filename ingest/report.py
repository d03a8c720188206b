"""What an ingest process tells of its camera, for `posebus top`. No address: it may hold a password."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any

from ingest.publishing.publisher import Publisher

RATE_FRAMES = 50
STALE_S = 2.0


class FrameRate:
    """Frames per second over the last of them."""

    def __init__(self) -> None:
        self._sent_at_s: deque[float] = deque(maxlen=RATE_FRAMES)

    def add(self, now_s: float) -> None:
        """A frame was sent (monotonic)."""
        self._sent_at_s.append(now_s)

    def fps(self, now_s: float) -> float:
        """0 where the last frame is older than two seconds."""
        times = self._sent_at_s
        if len(times) < 2 or now_s - times[-1] > STALE_S or times[-1] <= times[0]:
            return 0.0
        return round((len(times) - 1) / (times[-1] - times[0]), 1)


def camera_report(
    publisher: Publisher,
    state: str,
    trouble: str | None,
    fps: float,
    frames_expected: int | None,
    dropped: Mapping[str, int],
) -> dict[str, Any]:
    """JSON values; `dropped` by reason."""
    return {
        "state": state,
        "trouble": trouble,
        "epoch": publisher.epoch,
        "frames": publisher.published,
        "frames_expected": frames_expected,
        "fps": fps,
        "dropped": dict(dropped),
        "backlog_frames": publisher.backlog.frames,
        "backlog_bytes": publisher.backlog.frames_bytes,
        "backlog_limit_bytes": publisher.budget_bytes,
    }
