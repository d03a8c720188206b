"""The candidate swaps of one camera: pairs of tracks that may have been exchanged, and the appearance of each before
and after."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from posebus.arrays import BoolArray, Float64Array, IndexArray, Int64Array
from posebus.contract.appearance import SIZE as APPEARANCE_SIZE

TOGETHER = -1
"""In place of the time of the parting: the two have not parted yet."""


class Witnesses(NamedTuple):
    """The evidence on the W tracks of candidate swaps, in any order; each frame works on a copy of the table that it
    may write to.

    ids: (W,) int64.
    since_ns: (W,) int64, capture time of the frame in which the track became part of a candidate swap.
    apart_ns, apart_seq: (W,) int64, capture time and number of the first frame after the parting, or TOGETHER.
    seen_s: (W,) seconds with colours since the parting, weighted by the visible share of the body.
    known_s: (W,) age of the track in seconds at `since_ns`; where it is 0, `before` has no meaning.
    before: (W, 64) colours of the track at `since_ns`.
    after: (W, 64) mean colours since the parting.
    """

    ids: Int64Array
    since_ns: Int64Array
    apart_ns: Int64Array
    apart_seq: Int64Array
    seen_s: Float64Array
    known_s: Float64Array
    before: Float64Array
    after: Float64Array

    def copy(self) -> Witnesses:
        """The same rows, with copies of the columns that a frame may write to."""
        return Witnesses(
            self.ids,
            self.since_ns,
            self.apart_ns.copy(),
            self.apart_seq.copy(),
            self.seen_s.copy(),
            self.known_s,
            self.before,
            self.after.copy(),
        )

    def select(self, rows: BoolArray | IndexArray) -> Witnesses:
        """Copies of the rows of a mask (W,) or at the indices."""
        return Witnesses._make(column[rows] for column in self)

    def joined(self, others: Witnesses) -> Witnesses:
        """These rows, then `others`."""
        return Witnesses._make(np.concatenate(columns) for columns in zip(self, others, strict=True))


def new_witnesses(ids: Int64Array, now_ns: int, known_s: Float64Array, before: Float64Array) -> Witnesses:
    """Rows of tracks (W,) that become part of a candidate swap now; `known_s` and `before` are the columns."""
    count = len(ids)
    return Witnesses(
        ids=ids,
        since_ns=np.full(count, now_ns, np.int64),
        apart_ns=np.full(count, TOGETHER, np.int64),
        apart_seq=np.full(count, TOGETHER, np.int64),
        seen_s=np.zeros(count),
        known_s=known_s,
        before=before,
        after=np.zeros((count, APPEARANCE_SIZE)),
    )


@dataclass(frozen=True, slots=True)
class Doubts:
    """The candidate swaps: pairs (Q, 2) of ids, the smaller first, and the evidence on their tracks."""

    witnesses: Witnesses
    pairs: Int64Array

    def __len__(self) -> int:
        return len(self.pairs)


def no_doubts() -> Doubts:
    """No candidate swaps."""
    empty = np.zeros((0, APPEARANCE_SIZE))
    return Doubts(new_witnesses(np.zeros(0, np.int64), 0, np.zeros(0), empty), np.zeros((0, 2), np.int64))


def to_dict(doubts: Doubts) -> dict[str, Any]:
    """C-contiguous arrays for a snapshot."""
    columns = {name: np.array(column, order="C") for name, column in doubts.witnesses._asdict().items()}
    return {"pairs": np.array(doubts.pairs, order="C"), **columns}


def from_dict(plain: dict[str, Any]) -> Doubts:
    """The inverse of `to_dict`; raises KeyError, TypeError or ValueError for anything else."""
    empty = no_doubts()
    columns = {
        name: np.array(plain[name], column.dtype, order="C") for name, column in empty.witnesses._asdict().items()
    }
    pairs = np.array(plain["pairs"], np.int64, order="C")
    for name, column in columns.items():
        if column.shape != (len(columns["ids"]), *getattr(empty.witnesses, name).shape[1:]):
            raise ValueError(f"its doubts' column {name} has shape {column.shape}")
    if pairs.ndim != 2 or pairs.shape[1] != 2 or not np.isin(pairs, columns["ids"]).all():
        raise ValueError(f"its doubts have pairs of shape {pairs.shape}, or of tracks that are not in doubt")
    return Doubts(Witnesses(**columns), pairs)
