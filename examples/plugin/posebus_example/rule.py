"""The rule `crossing`: an event when a person crosses a vertical line of the picture."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from posebus.errors import ConfigError
from tracking.rules import Memory, Phase, Place, RuleSpec, Scene, Step


class Crossing:
    """Remembers in `memory` on which side of the line each person was, so that a restart neither repeats nor misses."""

    def __init__(self, line_x_px: float) -> None:
        self._line_x_px = line_x_px

    def update(self, scene: Scene, memory: Memory) -> Iterator[Step]:
        """Yield a step for each person who is on the other side than in the frame before."""
        for track in scene.people:
            right = float(track.box_xyxy_px[0] + track.box_xyxy_px[2]) / 2 > self._line_x_px
            before = memory.tracks.setdefault(track.id, {"right": right})
            if before["right"] != right:
                before["right"] = right
                data = {"direction": "right" if right else "left"}
                yield Step("com.example.crossing", Phase.ONCE, track.id, data=data)


def open_crossing(settings: Any, place: Place) -> Crossing:
    """Open the rule with the fields of its settings."""
    fields = dict(settings.model_extra or {})
    line_x = fields.pop("line_x", 0.5)
    if fields:
        raise ConfigError(f"the field {min(fields)} is not known; the rule crossing has line_x alone")
    if not isinstance(line_x, int | float) or not 0 < line_x < 1:
        raise ConfigError("the field line_x is a share of the picture's width, between 0 and 1")
    return Crossing(float(line_x) * place.size_px[0])


SPEC = RuleSpec("crossing", open_crossing)
