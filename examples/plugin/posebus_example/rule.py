"""The rule `crossing`: an event when a person crosses a vertical line of the picture."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from posebus import Message, TrackFrame, TrackState
from posebus.errors import ConfigError
from posebus.sinks import NewEvent, RuleSpec


class Crossing:
    """Remembers on which side of the line each person was. After a restart it begins without that memory."""

    def __init__(self, line_x: float) -> None:
        self._line_x = line_x
        self._side: dict[tuple[str, int, int], bool] = {}

    def events(self, message: Message) -> Iterator[NewEvent]:
        """Yield an event for each person who is on the other side than in the frame before."""
        frame = message.body
        if not isinstance(frame, TrackFrame):
            return
        for track in frame.tracks:
            person = (frame.camera, frame.epoch, track.id)
            if track.state == TrackState.ENDED:
                self._side.pop(person, None)
                continue
            middle_x = float(track.box_xyxy_px[0] + track.box_xyxy_px[2]) / 2 / frame.size_px[0]
            right = middle_x > self._line_x
            if self._side.setdefault(person, right) != right:
                self._side[person] = right
                direction = "right" if right else "left"
                yield NewEvent("com.example.crossing", {"track_id": track.id, "direction": direction})


def open_crossing(options: Mapping[str, Any]) -> Crossing:
    """Open the rule with the `options:` of its settings."""
    line_x = options.get("line_x", 0.5)
    if not isinstance(line_x, int | float) or not 0 < line_x < 1:
        raise ConfigError("the option line_x of the rule crossing is a share of the picture's width, between 0 and 1")
    return Crossing(float(line_x))


SPEC = RuleSpec("crossing", open_crossing)
