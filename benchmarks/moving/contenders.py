"""Trackers over a take: ours with and without the camera's motion, and those of other projects."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace

from benchmarks.common.frames import BgrImage
from benchmarks.common.mot import Rows
from benchmarks.moving.camera import told
from benchmarks.moving.pictures import pictures
from benchmarks.moving.take import Take
from benchmarks.tracking.peers import TRACKERS, chosen
from benchmarks.tracking.scores import rows_of
from posebus.messages import PoseFrame

OURS = "posebus"
TOLD = "posebus+motion"
"""Ours, given the true motion of the camera in each frame."""


def contenders(wanted: list[str]) -> list[str]:
    """The names of trackers and families of trackers. Raises SystemExit for an unknown one.

    Scenes have no colour histograms, so "posebus" is one tracker here, with and without the camera's motion.
    """
    names: list[str] = []
    for want in wanted:
        names += [OURS, TOLD] if want == OURS else [want] if want == TOLD else chosen([want])
    return list(dict.fromkeys(names))


def followed(name: str, take: Take) -> Rows | None:
    """The rows of one tracker by number of the frame from 1; None where it has nothing to do with the scene, or fails.

    An error of one peer must not cost the results of the others.
    """
    if name == TOLD and take.path is None:
        return None
    try:
        return _followed(name, take)
    except Exception as error:
        if name.startswith(OURS):
            raise
        print(f"{name} fails and is left out: {type(error).__name__}: {error}", file=sys.stderr)
        return None


def _followed(name: str, take: Take) -> Rows:
    spec = TRACKERS[OURS if name == TOLD else name]
    contender = spec.make(take.fps)
    views = pictures(take) if spec.needs_pictures else None
    rows: Rows = {}
    for number, frame in enumerate(_frames(name, take), 1):
        picture: BgrImage | None = None if views is None else next(views)
        rows[number] = rows_of(contender.people(contender.update(*contender.prepare(frame, picture))))
    return rows


def _frames(name: str, take: Take) -> Iterator[PoseFrame]:
    if name == TOLD and take.path is not None:
        yield from told(take.film.frames, take.path)
    elif name.startswith(OURS):
        yield from take.film.frames
    else:
        # No other tracker knows epochs; one of them counts frames by their numbers.
        yield from (replace(frame, seq=place) for place, frame in enumerate(take.film.frames))
