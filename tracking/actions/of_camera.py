"""The actions of a camera whose setting may change while it runs; wrong ones are off, and say why."""

from __future__ import annotations

from typing import Any

from posebus.errors import ConfigError
from posebus.messages import TrackFrame
from tracking.actions.of_tracks import Actions
from tracking.actions.table import open_classifier

OFF = "off"


class CameraActions:
    """Adds actions to the frames of a camera by its setting."""

    def __init__(self, setting: str = OFF) -> None:
        self._setting = OFF
        self._actions: Actions | None = None
        self.problems: dict[str, str] = {}
        """Why the camera has no actions although it is set so, by the name of the setting; empty if all is well."""
        self.set(setting)

    def set(self, setting: str) -> None:
        """Use this setting from the next frame on."""
        if setting == self._setting:
            return
        self._setting, self._actions, self.problems = setting, None, {}
        if setting == OFF:
            return
        try:
            self._actions = Actions(open_classifier(setting), setting)
        except ConfigError as error:
            self.problems = {"actions": str(error)}

    def update(self, frame: TrackFrame) -> TrackFrame:
        """Return `frame` with the actions of its tracks; coordinates are square pixels."""
        return frame if self._actions is None else self._actions.update(frame)

    def state_dict(self) -> dict[str, Any] | None:
        """State for a tracker's snapshot; None without a classifier."""
        return None if self._actions is None else self._actions.state_dict()

    def load_state(self, state: dict[str, Any] | None) -> None:
        """Restore `state_dict()`. Raises KeyError, TypeError or ValueError for an invalid state."""
        if self._actions is not None and state is not None:
            self._actions.load_state(state)
