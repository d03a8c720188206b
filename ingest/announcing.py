"""What ingest announces about a camera to the other processes: its record, parts of which may change while it runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ingest.sources import is_live, source_kind
from posebus.bus.registry import CameraRecord
from posebus.config.cameras.evidence import keeps_pictures
from posebus.config.loading import load_settings
from posebus.config.policies import DEFAULT, Policies
from posebus.config.rules.reading import rules_to_json
from posebus.config.settings import CameraSettings
from posebus.errors import ConfigError
from posebus.messages import Delivery

LOOK_EVERY_S = 0.5


def camera_record(camera: str, settings: CameraSettings, policies: Policies | None = None) -> CameraRecord:
    """Return the record of a camera. `policies`: what its tracker decides (None: nothing).

    Raises SourceRejected or ConfigError for a kind of source that does not exist.
    """
    delivery = Delivery.LIVE if is_live(settings) else Delivery.LOSSLESS
    record = CameraRecord(camera, delivery, source=source_kind(settings), policies=policies or DEFAULT)
    return replace(record, **live_fields(settings))


def live_fields(settings: CameraSettings) -> dict[str, Any]:
    """Return the fields of a camera's record that may change while its process runs."""
    return {
        "region": settings.region,
        "rules": rules_to_json(settings.rules),
        "ground": settings.ground,
        "evidence": keeps_pictures(settings, live=is_live(settings)),
        "privacy": settings.privacy,
        "actions": settings.actions,
    }


class RecordChanges:
    """Announces a camera's record anew when parts of it change in the settings: no picture is lost by that."""

    def __init__(
        self, config: Path, camera: str, settings: CameraSettings, announce: Callable[[Mapping[str, Any]], None]
    ) -> None:
        """`config` is the file of the camera's process; `settings` are those by which the camera was announced."""
        self._config = config
        self._camera = camera
        self._announced = live_fields(settings)
        self._announce = announce
        self.apply: Callable[[CameraSettings], None] = lambda settings: None
        """Called with the settings whenever the file has changed."""
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
        wanted = self._announced if camera is None else live_fields(camera)
        if wanted != self._announced:
            self._announce(wanted)
            self._announced = wanted
        if camera is not None:
            self.apply(camera)
        self._version = version


def _version(path: Path) -> tuple[int, int]:
    """Return what tells two versions of a file apart; its supervisor replaces the file as a whole."""
    try:
        found = path.stat()
    except OSError:
        return 0, 0
    return found.st_ino, found.st_mtime_ns
