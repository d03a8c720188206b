"""The interface of rules, and the spec by which one enters the table.

A package of its own adds a kind of rule by a line of its pyproject.toml::

    [project.entry-points."posebus.rules"]
    doorway = "mypackage.doorway:SPEC"

A camera then has it under `rules:` with `kind: doorway`. See examples/plugin for a package.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

import numpy as np

from posebus.arrays import Float64Array
from posebus.config.cameras.polygon import in_fractions
from posebus.errors import ConfigError
from tracking.rules.scene import Scene
from tracking.rules.shapes import ShapeTable


class Phase(StrEnum):
    """Where in a happening a step is."""

    START = "start"
    UPDATE = "update"
    END = "end"
    ONCE = "once"  # begins and ends in the same moment


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a happening; it becomes an event.

    type: of the event. Those of posebus are without their `posebus.`; other packages write all of it in reverse-DNS
        form. phase: START begins a happening, UPDATE and END belong to the one that began with the same track and key
        and was not ended; without one they are left out. track_id: the person, None for a happening of the whole rule.
    key: distinguishes happenings of one track at the same time. data: JSON values that the event has beside those of
        all rules. confidence: 0 to 1; None stands for the score of the track.
    end_type: with START, the type of the event with which the happening ends if its track ends before the rule ends it.
    """

    type: str
    phase: Phase
    track_id: int | None
    key: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)
    confidence: float | None = None
    end_type: str | None = None


@dataclass(slots=True)
class Memory:
    """The only state of a rule, of JSON values; it is part of the tracker's snapshot and outlives its process.

    whole: of the rule. tracks: by track id. An entry moves with its person when the number of a track is corrected,
    and is deleted after the frame in which its track has ended.
    """

    whole: dict[str, Any] = field(default_factory=dict)
    tracks: dict[int, dict[str, Any]] = field(default_factory=dict)


class Rule(Protocol):
    """Decides from one frame after the other what happens. All state is in `memory`."""

    def update(self, scene: Scene, memory: Memory) -> Iterable[Step]:
        """Return the steps that this frame adds.

        Frames come in the order of their capture; times between them vary, and some frames are missing. The same
        frames have to give the same steps. After an exception the rule is off until its settings change.
        """


@dataclass(frozen=True, slots=True)
class Place:
    """Where a rule is: `size_px` is (width, height) of the camera's picture, in which its points are.

    shapes: zones and lines of all rules of the camera. A rule that adds its own finds where people are beside it in
    `Scene.located`.
    """

    camera: str
    rule: str
    size_px: tuple[int, int]
    shapes: ShapeTable = field(default_factory=ShapeTable, compare=False)

    def in_pixels(self, points: Sequence[tuple[float, float]]) -> Float64Array:
        """Return points (P, 2) in pixels, also where they are parts of the picture: all coordinates are from 0 to 1.

        Raises ConfigError for a point outside the picture.
        """
        given = np.array(points, np.float64)
        size = np.array(self.size_px, np.float64)
        found = given * size if in_fractions(points) else given
        outside = (found < 0.0) | (found > size)
        if outside.any():
            x, y = given[outside.any(axis=1)][0]
            raise ConfigError(
                f"its point [{x:g}, {y:g}] is outside the picture, which has {self.size_px[0]} x {self.size_px[1]} "
                "pixels: draw it on a picture of this camera"
            )
        return found


@dataclass(frozen=True, slots=True)
class RuleSpec:
    """A kind of rule. `open` gets the settings of one rule; those of other packages have their fields in `model_extra`.

    `open` raises ConfigError with a sentence for settings that are wrong.
    """

    kind: str
    open: Callable[[Any, Place], Rule]


__all__ = ["Memory", "Phase", "Place", "Rule", "RuleSpec", "Step"]
