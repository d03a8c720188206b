"""Rates of inferred frames that are too low for identities, and the sentences about them for users, in one place."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from posebus.config.problems import FieldPath
    from posebus.config.settings import Settings

WALKING_FPS = 1.0
"""Least rate, in inferred frames a second, at which people who walk can be followed. In a second they walk about 0.8
times their height, and the nearest person is mostly farther away; in longer, another person there is as probable."""

LONGEST_INTERVAL_S = 15.0
"""Longest interval between two inferred frames, in seconds, at which people who stay can be followed. After a longer
one, a person who stayed cannot be distinguished from one who came."""


def low_rate_advice(interval_s: float, remedy: str) -> str | None:
    """Return what an interval between inferred frames means for identities, and the remedy; None if it is short enough.

    remedy: what to do so that at least WALKING_FPS frames a second are inferred.
    """
    if interval_s * WALKING_FPS <= 1.0:
        return None
    who = "all people" if interval_s > LONGEST_INTERVAL_S else "people who walk"
    return f"frames are inferred every {interval_s:.3g} s: {who} get a new number each time; {remedy}"


def at_least(field: str) -> str:
    """Return the remedy for a rate that the settings limit in this field."""
    return f"raise {field} to at least {WALKING_FPS:.3g}"


def low_rates(settings: Settings) -> Iterator[tuple[FieldPath, str]]:
    """Yield the fields that allow too few inferred frames for following people, with the advice: often a slip."""
    rate = settings.worker.infer_fps
    if isinstance(rate, float | int) and (advice := low_rate_advice(1.0 / rate, at_least("infer_fps"))):
        yield ("worker", "infer_fps"), advice
    for name, camera in settings.cameras.items():
        for field in ("max_fps", "infer_fps"):
            rate = getattr(camera, field)
            if isinstance(rate, float | int) and (advice := low_rate_advice(1.0 / rate, at_least(field))):
                yield ("cameras", name, field), advice
