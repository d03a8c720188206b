"""The states of a camera that its ingest process reports; `posebus top` and the metrics read them."""

from __future__ import annotations

from enum import StrEnum

NO_INGEST = "no ingest"
"""Where no process reports the camera."""


class CameraState(StrEnum):
    """The state of the connection to a camera or recording."""

    CONNECTING = "connecting"  # no picture has come yet
    ONLINE = "online"  # pictures come
    OFFLINE = "offline"  # the connection failed or is silent; it is tried again
    STANDBY = "standby"  # another ingest process captures this camera
    ENDED = "ended"  # the recording was published to its end
    PAUSED = "paused"  # it is not read, by its setting `paused`
    OFF = "off"  # it is not read now, by its schedule
    GIVEN_UP = "given up"  # its source can never be used; it is read again when its settings change


SWITCHED_OFF = frozenset({CameraState.PAUSED, CameraState.OFF})
"""States of cameras that have no process, on purpose."""
