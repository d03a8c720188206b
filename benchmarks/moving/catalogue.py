"""All scenes, in the order of the tables."""

from __future__ import annotations

from collections.abc import Iterable

from benchmarks.moving.groups import cameras, crowds, doubles, postures, rates, runners, sizes
from benchmarks.moving.take import Scene

SCENES: tuple[Scene, ...] = (
    *cameras.SCENES,
    *runners.SCENES,
    *postures.SCENES,
    *doubles.SCENES,
    *sizes.SCENES,
    *rates.SCENES,
    *crowds.SCENES,
)

GROUPS: tuple[str, ...] = tuple(dict.fromkeys(scene.group for scene in SCENES))


def chosen_scenes(wanted: Iterable[str]) -> list[Scene]:
    """The scenes of the named groups, and those whose name contains `GROUP:TEXT`'s text. Raises SystemExit for
    a group or a text that fits none."""
    found: list[Scene] = []
    for want in wanted:
        group, _, text = want.partition(":")
        fitting = [scene for scene in SCENES if scene.group == group and text in scene.name]
        if not fitting:
            raise SystemExit(f"no scene fits {want!r}: groups are {', '.join(GROUPS)}, and GROUP:TEXT chooses by name")
        found += [scene for scene in fitting if scene not in found]
    return found
