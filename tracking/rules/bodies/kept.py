"""What the rules of a camera remember in common of each person, by track id.

Most of it are numbers that change with each frame. While the same people are followed they are rows of an array, since
lists of each person in each frame would cost more than the arithmetic with them; they are brought into the memory when
somebody reads it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from posebus.arrays import BoolArray, Float64Array
from tracking.compiled import compiled
from tracking.rules.bodies.descent import STATE
from tracking.rules.bodies.pace import PACE

BODY_KEY, PACE_KEY = "body", "pace"
"""Of the row of STATE columns (see `descent`), and of that of PACE columns (see `pace`)."""


@compiled
def keep_rounded(kept: Float64Array, state: Float64Array, fresh: BoolArray, scale: float) -> None:
    """Copy the rows of the people who were seen (N,) from `state` to `kept` (N, C), in whole numbers of 1 / scale."""
    for row in range(len(state)):
        if fresh[row]:
            for column in range(state.shape[1]):
                kept[row, column] = np.rint(state[row, column] * scale) / scale


Memories = dict[int, dict[str, Any]]


class KeptRows:
    """Rows of numbers of the people in the newest frames; -1 in all columns where nothing is known of one."""

    def __init__(self, memory: Memories, key: str, columns: int) -> None:
        self._memory, self._key, self._columns = memory, key, columns
        self._ids: list[int] = []
        self._rows = np.zeros((0, columns))
        self._unknown: list[int] = []
        self._changed = False

    def of(self, ids: list[int]) -> tuple[Float64Array, list[int]]:
        """The rows (N, columns) of these people, which may be changed, and which of them were not known before."""
        if ids is not self._ids and ids != self._ids:
            self._take(ids)
        return self._rows, self._unknown

    def changed(self, fresh: BoolArray) -> None:
        """Note that rows were changed in a frame: those of the people (N,) who were seen in it."""
        self._changed = True
        if not self._unknown:
            return
        for row in self._unknown:
            if fresh[row]:
                self._memory.setdefault(self._ids[row], {})[self._key] = self._rows[row].tolist()
        self._unknown = [row for row in self._unknown if not fresh[row]]

    def write_back(self) -> None:
        """Bring the memory up to date."""
        if self._changed:
            self._changed = False
            unknown = set(self._unknown)
            for row, (track_id, values) in enumerate(zip(self._ids, self._rows.tolist(), strict=True)):
                if row not in unknown:
                    self._memory[track_id][self._key] = values

    def reset(self) -> None:
        """Read everything from the memory again, which is up to date."""
        self._ids, self._rows, self._unknown, self._changed = [], self._rows[:0], [], False

    def forget(self, track_ids: Iterable[int]) -> None:
        """Drop the rows of these people, because the memory is about to drop them."""
        if not set(self._ids).isdisjoint(track_ids):
            self.write_back()
            self.reset()

    def _take(self, ids: list[int]) -> None:
        unknown, staying = set(self._unknown), set(ids)
        old = {track_id: row for row, track_id in enumerate(self._ids) if row not in unknown}
        if self._changed:
            for track_id in old.keys() - staying:
                self._memory[track_id][self._key] = self._rows[old[track_id]].tolist()
        rows, self._unknown = np.full((len(ids), self._columns), -1.0), []
        for row, track_id in enumerate(ids):
            if track_id in old:
                rows[row] = self._rows[old[track_id]]
                continue
            known = self._memory.get(track_id, {}).get(self._key)
            if known is not None and len(known) == self._columns:
                rows[row] = known
            else:
                self._unknown.append(row)
        self._ids, self._rows = ids, rows


class Kept:
    """The memory of all people of a camera that several of its rules use."""

    def __init__(self) -> None:
        self._memory: Memories = {}
        self.others = self._memory
        """The same memory as `by_id`, in which only the rows of bodies and paces may be older."""
        self.bodies = KeptRows(self._memory, BODY_KEY, STATE)
        self.paces = KeptRows(self._memory, PACE_KEY, PACE)

    @property
    def by_id(self) -> Memories:
        """By track id, everything that is remembered of a person, such as the standing height, up to date."""
        self.bodies.write_back()
        self.paces.write_back()
        return self._memory

    def replace(self, memory: Mapping[int, Mapping[str, Any]]) -> None:
        """Remember this, and nothing else."""
        found = {track_id: dict(one) for track_id, one in memory.items()}
        self._memory.clear()
        self._memory.update(found)
        self.bodies.reset()
        self.paces.reset()

    def forget(self, track_ids: Sequence[int]) -> None:
        """Delete what is remembered of these people."""
        self.bodies.forget(track_ids)
        self.paces.forget(track_ids)
        for track_id in track_ids:
            self._memory.pop(track_id, None)
