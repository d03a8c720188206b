"""The tracker's whole memory, and its plain form that survives a crash of the process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from posebus.contract.appearance import SIZE as APPEARANCE_SIZE
from posebus.errors import MalformedMessage
from tracking.identities.track import COLUMNS, INTEGER_COLUMNS, Tracks
from tracking.motion.kalman import PLANES

SNAPSHOT_VERSION = 3
_BEFORE = 2
"""Of releases in which every frame was inferred; it lacks two columns, and can do without them."""


@dataclass(frozen=True, slots=True)
class Instant:
    """Which frame, and when it was captured."""

    epoch: int
    seq: int
    captured_at_ns: int

    def is_stale(self, last: Instant, tolerance_s: float) -> bool:
        """Whether this frame is a duplicate of `last`, older, or of a moment that has already been told."""
        if (self.epoch, self.seq) <= (last.epoch, last.seq):
            return True
        back_ns = last.captured_at_ns - self.captured_at_ns
        return self.epoch == last.epoch and 0 <= back_ns <= tolerance_s * 1e9


@dataclass(frozen=True, slots=True)
class TrackerState:
    """The live tracks after the frame `last` (None: before the first), and the id of the next new one."""

    tracks: Tracks
    next_id: int
    last: Instant | None


def to_dict(state: TrackerState) -> dict[str, Any]:
    """JSON scalars, lists and C-contiguous numpy arrays (int64 or float64)."""
    last = state.last
    return {
        "version": SNAPSHOT_VERSION,
        "next_id": state.next_id,
        "last": None if last is None else [last.epoch, last.seq, last.captured_at_ns],
        **{name: np.array(getattr(state.tracks, name), order="C") for name in COLUMNS},
    }


def from_dict(plain: dict[str, Any]) -> TrackerState:
    """The inverse of `to_dict`; raises MalformedMessage for anything else."""
    if plain.get("version") not in (SNAPSHOT_VERSION, _BEFORE):
        raise MalformedMessage(
            f"the tracker's snapshot has version {plain.get('version')!r}, this program reads {SNAPSHOT_VERSION}: "
            "delete the snapshot to start with new identities"
        )
    try:
        if plain["version"] == _BEFORE:
            plain = {**plain, "unseen_from_ns": plain["seen_ns"], "surprise": np.ones(len(plain["ids"]))}
        columns = {name: _column(name, plain[name]) for name in COLUMNS}
        for name, shape in _shapes(len(columns["ids"]), columns["joints"]).items():
            if columns[name].shape != shape:
                raise ValueError(f"its column {name} has shape {columns[name].shape}")
        last = None if plain["last"] is None else Instant(*(int(part) for part in plain["last"]))
        return TrackerState(tracks=Tracks(**columns), next_id=int(plain["next_id"]), last=last)
    except (KeyError, TypeError, ValueError) as error:
        raise MalformedMessage(
            f"the tracker's snapshot is incomplete ({error}): delete the snapshot to start with new identities"
        ) from error


def _column(name: str, values: Any) -> np.ndarray[Any, Any]:
    return np.array(values, np.int64 if name in INTEGER_COLUMNS else np.float64, order="C")


def _shapes(count: int, joints: np.ndarray[Any, Any]) -> dict[str, tuple[int, ...]]:
    """The shape of every column of `count` tracks; how many joints there are only the snapshot knows."""
    return {
        **dict.fromkeys(COLUMNS, (count,)),
        "beliefs": (PLANES, count, 4),
        "joints": (count, joints.shape[1] if joints.ndim == 3 else 0, 3),
        "appearance": (count, APPEARANCE_SIZE),
    }
