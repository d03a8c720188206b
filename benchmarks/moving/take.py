"""One scene of the benchmark, and one take of it: the film that a seed gives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.moving.camera import CameraPath
from benchmarks.moving.film import Film


@dataclass(frozen=True, slots=True)
class Take:
    """What trackers are given, and how they are judged.

    path: where the moving camera looks, None for a still one. fps: the frame rate that is given to trackers that count
    frames. focus:
    people whose identities decide whether a take is perfect; None for all. wardrobe: chooses their clothes.
    """

    film: Film
    fps: float
    path: CameraPath | None = None
    focus: frozenset[int] | None = None
    wardrobe: int = 0


@dataclass(frozen=True, slots=True)
class Scene:
    """A named scene of a group; `make` gives the take of a seed. It is run with `weight` times the usual seeds."""

    group: str
    name: str
    make: Callable[[int], Take]
    weight: int = 1
