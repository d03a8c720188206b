"""Trackers over a take: ours with and without the camera's motion, and those of other projects."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from benchmarks.common.frames import BgrImage
from benchmarks.common.mot import Rows
from benchmarks.moving.camera import with_true_motion
from benchmarks.moving.estimates import Estimates, available
from benchmarks.moving.pictures import pictures
from benchmarks.moving.take import Take
from benchmarks.tracking.peers import TRACKERS, Contender, chosen, installed
from benchmarks.tracking.scores import rows_of
from posebus.messages import PoseFrame, Renaming, TrackFrame

OURS = "posebus"
CORRECTED = "posebus+corrected"
"""Ours, with corrections of the numbers (`TrackFrame.renamed`) applied to the earlier frames."""
TRUE_MOTION = "posebus+motion"
"""Ours, given the true motion of the camera in each frame."""
PICTURES = "posebus+pictures"
"""Ours, given the motion that ingest estimates from the pictures."""

OWN = (OURS, CORRECTED, TRUE_MOTION, PICTURES)
MOVING_ONLY = (TRUE_MOTION, PICTURES)
"""Those that only run in scenes with a moving camera."""


def contenders(wanted: Iterable[str]) -> list[str]:
    """The names of trackers and families of trackers; "posebus" is all of OWN. Raises SystemExit for an unknown one."""
    names: list[str] = []
    for want in wanted:
        names += OWN if want == OURS else [want] if want in OWN else chosen([want])
    return list(dict.fromkeys(names))


def ready(names: Iterable[str]) -> tuple[list[str], list[str]]:
    """Those of `names` that can be made here, and a sentence for each family that cannot."""
    wanted = list(names)
    present, sentences = installed(name for name in wanted if name not in OWN)
    if PICTURES in wanted and not available():
        sentences.append(f"{PICTURES} is left out: this version does not estimate the camera's motion.")
        wanted.remove(PICTURES)
    return [name for name in wanted if name in OWN or name in present], sentences


@dataclass(slots=True)
class _Run:
    """A tracker on its way through the frames, and its rows so far."""

    contender: Contender
    frames: Sequence[PoseFrame]
    needs_picture: bool
    rows: Rows = field(default_factory=dict)

    def step(self, place: int, picture: BgrImage | None) -> Any:
        """Track the frame at that place, and return the tracker's own answer."""
        arguments = self.contender.prepare(self.frames[place], picture if self.needs_picture else None)
        answer = self.contender.update(*arguments)
        self.rows[place + 1] = rows_of(self.contender.people(answer))
        return answer


def followed(names: Iterable[str], take: Take) -> dict[str, Rows]:
    """The rows of each tracker by number of the frame from 1, without those of trackers that fail.

    All go through the frames together, so that each picture is made once. An error of one peer must not cost the
    results of the others.
    """
    runs = {name: _run(name, take) for name in names if name not in MOVING_ONLY or take.path is not None}
    views = pictures(take) if any(run.needs_picture for run in runs.values()) else None
    for place in range(len(take.film.frames)):
        picture = None if views is None else next(views)
        for name, run in list(runs.items()):
            try:
                answer = run.step(place, picture)
            except Exception as error:
                if name in OWN:
                    raise
                print(f"{name} fails and is left out: {type(error).__name__}: {error}", file=sys.stderr)
                del runs[name]
                continue
            if name == CORRECTED and isinstance(answer, TrackFrame):
                correct(run.rows, run.frames, place, answer.renamed)
    return {name: run.rows for name, run in runs.items()}


def correct(rows: Rows, frames: Sequence[PoseFrame], place: int, renamed: Sequence[Renaming]) -> None:
    """Apply the renamings of the frame at `place` to the rows of the frames before it."""
    for before, frame in enumerate(frames[:place]):
        if frame.epoch != frames[place].epoch:
            continue
        new = {each.from_id: each.to_id for each in renamed if frame.seq >= each.since_seq}
        if new:
            rows[before + 1] = [(new.get(number, number), *box) for number, *box in rows[before + 1]]


def _run(name: str, take: Take) -> _Run:
    frames: Sequence[PoseFrame] = take.film.frames
    if name in OWN:
        ours = TRACKERS[OURS].make(take.fps)
        if name == PICTURES:
            return _Run(replace(ours, prepare=_estimating()), frames, needs_picture=True)
        if name == TRUE_MOTION and take.path is not None:
            frames = with_true_motion(frames, take.path)
        return _Run(ours, frames, needs_picture=False)
    spec = TRACKERS[name]
    # No other tracker knows epochs; one of them counts frames by their numbers.
    counted = [replace(frame, epoch=1, seq=place) for place, frame in enumerate(frames)]
    return _Run(spec.make(take.fps), counted, spec.needs_pictures)


def _estimating() -> Callable[[PoseFrame, BgrImage | None], tuple[Any, ...]]:
    estimates = Estimates()

    def prepare(frame: PoseFrame, picture: BgrImage | None) -> tuple[Any, ...]:
        assert picture is not None
        return (replace(frame, camera_motion=estimates.motion(frame, picture)),)

    return prepare
