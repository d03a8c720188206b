"""What ingest announces about a camera to the other processes: its record, whose region may change while it runs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ingest.sources import is_live, source_kind
from posebus.bus.registry import CameraRecord
from posebus.config.cameras.region import Region
from posebus.config.loading import load_settings
from posebus.config.policies import DEFAULT, Policies
from posebus.config.settings import CameraSettings
from posebus.errors import ConfigError
from posebus.messages import Delivery

LOOK_EVERY_S = 0.5


def camera_record(camera: str, settings: CameraSettings, policies: Policies | None = None) -> CameraRecord:
    """Return the record of a camera. `policies`: what its tracker decides (None: nothing).

    Raises SourceRejected or ConfigError for a kind of source that does not exist.
    """
    delivery = Delivery.LIVE if is_live(settings) else Delivery.LOSSLESS
    return CameraRecord(
        camera, delivery, source=source_kind(settings), policies=policies or DEFAULT, region=settings.region
    )


class RegionChanges:
    """Announces the region of a camera anew when its settings change: no picture is lost by that."""

    def __init__(
        self, config: Path, camera: str, announced: Region | None, announce: Callable[[Region | None], None]
    ) -> None:
        """`config` is the settings file of the camera's process; `announced` is the region that was announced."""
        self._config = config
        self._camera = camera
        self._announced = announced
        self._announce = announce
        # The file may have changed since the process loaded its settings, so it is read once in any case.
        self._version: tuple[int, int] | None = None
        self._look_at_s = 0.0

    def poll(self, now_s: float) -> None:
        """Look at the file if that is due (monotonic). Raises what `announce` raises, and then tries it again."""
        if now_s < self._look_at_s:
            return
        self._look_at_s = now_s + LOOK_EVERY_S
        version = _version(self._config)
        if version == self._version:
            return
        try:
            camera = load_settings(self._config, {}, {}).cameras.get(self._camera)
        except ConfigError:
            return  # it is being written, or the camera was removed
        if camera is not None and camera.region != self._announced:
            self._announce(camera.region)
            self._announced = camera.region
        self._version = version


def _version(path: Path) -> tuple[int, int]:
    """Return what tells two versions of a file apart; its supervisor replaces the file as a whole."""
    try:
        found = path.stat()
    except OSError:
        return 0, 0
    return found.st_ino, found.st_mtime_ns
