"""Times of frames in seconds from the start of their recording. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

LONGEST_RECORDING_NS = 366 * 24 * 3600 * 10**9
"""Capture times of a recording count from its start, or from 1970 if its settings give its date. None lasts longer."""


class TimeOrigin:
    """When each recording, or each run of a camera, began."""

    def __init__(self) -> None:
        self._origins_ns: dict[tuple[str, int], int] = {}

    def time_s(self, message: Mapping[str, Any]) -> float:
        """Return the time of a frame (the JSON object of a message of `tracks`) in seconds, to the microsecond.

        It counts from the start of the recording; of a camera, and of a recording with a date, from the first frame of
        the same epoch that was given here.
        """
        captured_at_ns: int = message["captured_at_ns"]
        key = (message["camera"], message["epoch"])
        origin_ns = self._origins_ns.get(key)
        if origin_ns is None:
            from_start = message["clock"] == "file" and 0 <= captured_at_ns < LONGEST_RECORDING_NS
            origin_ns = self._origins_ns[key] = 0 if from_start else captured_at_ns
        return round((captured_at_ns - origin_ns) / 1e9, 6)
