"""Trackers over a take: ours with and without the camera's motion, and those of other projects."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from benchmarks.common.frames import BgrImage
from benchmarks.common.mot import Rows
from benchmarks.moving.camera import told
from benchmarks.moving.pictures import pictures
from benchmarks.moving.take import Take
from benchmarks.tracking.peers import TRACKERS, Contender, chosen
from benchmarks.tracking.scores import rows_of
from posebus.messages import PoseFrame, Renaming, TrackFrame

OURS = "posebus"
TOLD = "posebus+motion"
"""Ours, given the true motion of the camera in each frame."""
CORRECTED = "posebus+corrected"
"""Ours, with later corrections of the numbers (`TrackFrame.renamed`) applied to the frames that they are about."""

OWN: dict[str, Callable[[Take], Sequence[PoseFrame]]] = {
    OURS: lambda take: take.film.frames,
    CORRECTED: lambda take: take.film.frames,
    TOLD: lambda take: take.film.frames if take.path is None else told(take.film.frames, take.path),
}
"""The frames that each way to run our tracker gets."""


def contenders(wanted: Iterable[str]) -> list[str]:
    """The names of trackers and families of trackers; "posebus" is all of OWN. Raises SystemExit for an unknown one."""
    names: list[str] = []
    for want in wanted:
        names += OWN if want == OURS else [want] if want in OWN else chosen([want])
    return list(dict.fromkeys(names))


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
    runs = {name: _run(name, take) for name in names if name != TOLD or take.path is not None}
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
    """Change the numbers in the rows before the frame at `place` as the renamings that it announces say."""
    for before, frame in enumerate(frames[:place]):
        if frame.epoch != frames[place].epoch:
            continue
        new = {each.from_id: each.to_id for each in renamed if frame.seq >= each.since_seq}
        if new:
            rows[before + 1] = [(new.get(number, number), *box) for number, *box in rows[before + 1]]


def _run(name: str, take: Take) -> _Run:
    spec = TRACKERS[OURS if name in OWN else name]
    # No other tracker knows epochs; one of them counts frames by their numbers.
    frames = (
        OWN[name](take)
        if name in OWN
        else [replace(frame, epoch=1, seq=place) for place, frame in enumerate(take.film.frames)]
    )
    return _Run(spec.make(take.fps), frames, spec.needs_pictures)
