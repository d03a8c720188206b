"""The states of a deployment's cameras, as ingest processes report them, and whether they are up to date. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from posebus.config.redaction import redact_url
from posebus.config.settings import CameraSettings, Settings
from posebus.control.messages import STARTING, RunningCamera
from posebus.telemetry.camera_state import SWITCHED_OFF, CameraState
from posebus.telemetry.reports import Reports, capture_of


class CameraStates:
    """Remembers which processes read a camera before its settings changed: their reports are about the old ones."""

    def __init__(self) -> None:
        self._outdated: dict[str, set[str]] = {}  # by camera: ids of processes

    def changed(self, cameras: Iterable[str], reports: Reports) -> None:
        """The settings of these cameras are others from now on, and a new process will read each."""
        for camera in cameras:
            self._outdated[camera] = {process for process, report in reports.items() if camera in report.captures}

    def statuses(self, settings: Settings, stopped: Mapping[str, str], reports: Reports) -> tuple[RunningCamera, ...]:
        """All cameras of `settings`; `stopped` says why some of them are not read now, `reports` are of this host."""
        return tuple(
            self._status(name, camera, stopped.get(name), reports) for name, camera in settings.cameras.items()
        )

    def leaving(self, settings: Settings, reports: Reports) -> tuple[str, ...]:
        """Cameras that were changed or removed, are in `settings` no more, and are still being read."""
        left = [name for name in self._outdated if name not in settings.cameras and self._readers(name, reports)]
        return tuple(sorted(left))

    def _status(self, name: str, camera: CameraSettings, stopped: str | None, reports: Reports) -> RunningCamera:
        source, max_fps = redact_url(camera.source), camera.max_fps
        if stopped is not None:
            state, reason = (CameraState.PAUSED, None) if camera.paused else (CameraState.OFF, stopped)
            is_settled = not self._readers(name, reports)
            return RunningCamera(name, source, state, reason, max_fps=max_fps, is_settled=is_settled)
        outdated = self._outdated.get(name, set())
        current = {process: report for process, report in reports.items() if process not in outdated}
        if not self._readers(name, current):
            return RunningCamera(name, source, STARTING, max_fps=max_fps, is_settled=False)
        capture = capture_of(current, name)
        return RunningCamera(name, source, capture.state, capture.trouble, max_fps=max_fps, fps=capture.fps)

    def _readers(self, camera: str, reports: Reports) -> set[str]:
        # A camera that is off is reported, too, by the process that keeps it off.
        captures = {process: report.captures.get(camera) for process, report in reports.items()}
        return {process for process, one in captures.items() if one is not None and one.state not in SWITCHED_OFF}
