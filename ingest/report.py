"""The rate of a camera's frames, and the part of the process report that is about the camera."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

from ingest.publishing.publisher import Publisher
from posebus.telemetry.process_report import CaptureReport, GateReport, MotionReport

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
    backlog_s: float,
    dropped: Mapping[str, int],
    gate: GateReport | None = None,
    motion: MotionReport | None = None,
) -> CaptureReport:
    """The report of the camera of `publisher`; `backlog_s` is its `backlog_s`, and `dropped` is by reason."""
    return CaptureReport(
        state=state,
        trouble=trouble,
        frames=publisher.published,
        fps=fps,
        dropped=dict(dropped),
        backlog_s=round(backlog_s, 3),
        backlog_frames=publisher.backlog.frames,
        backlog_bytes=publisher.backlog.frames_bytes,
        backlog_limit_bytes=publisher.budget_bytes,
        gate=gate,
        motion=motion,
    )
