"""The tracker's state after a frame, and its plain form that survives a crash of the process."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np

from posebus.contract.appearance import SIZE as APPEARANCE_SIZE
from posebus.errors import MalformedMessage
from tracking.motion.camera_memory import CameraMemory, camera_from_dict, camera_to_dict
from tracking.motion.intervals import KEPT, NO_INTERVALS, Intervals
from tracking.motion.kalman import PLANES
from tracking.second_thoughts import doubts
from tracking.tracks import COLUMNS, INTEGER_COLUMNS, Tracks

SNAPSHOT_VERSION = 3
_PREVIOUS_VERSION = 2
"""Of releases in which every frame was inferred. It lacks two columns, which can be derived."""

_STORED_NAMES = {
    "filter_states": "beliefs",
    "last_seen_ns": "seen_ns",
    "unseen_since_ns": "unseen_from_ns",
    "body_px": "size_px",
    "nis": "surprise",
}
"""Names in the snapshot of the columns that have another one in memory; trackers of two releases read each other's."""

STORED_COLUMNS = {name: _STORED_NAMES.get(name, name) for name in COLUMNS}
"""The name in the snapshot of each column of `Tracks`."""


class FrameTime(NamedTuple):
    """Which frame, and when it was captured."""

    epoch: int
    seq: int
    captured_at_ns: int

    def is_stale(self, last: FrameTime, tolerance_s: float) -> bool:
        """Whether this frame is a duplicate of `last`, an older one, or of a time that was reported already."""
        if (self.epoch, self.seq) <= (last.epoch, last.seq):
            return True
        back_ns = last.captured_at_ns - self.captured_at_ns
        return self.epoch == last.epoch and 0 <= back_ns <= tolerance_s * 1e9

    def seconds_until(self, later: FrameTime) -> float | None:
        """Seconds until a later frame; None if it is of another epoch, or its clock was set back."""
        elapsed_ns = later.captured_at_ns - self.captured_at_ns
        return elapsed_ns / 1e9 if later.epoch == self.epoch and elapsed_ns > 0 else None


class WatchedPair(NamedTuple):
    """Two tracks that are detected as one body: their ids; time, epoch and seq of the first such frame; the number of
    frames since then in which both were detected, and of those in which they were one body."""

    young_id: int
    old_id: int
    since_ns: int
    epoch: int
    since_seq: int
    frames: int
    as_one: int


Aliases = tuple[tuple[int, int], ...]
"""Live tracks that may be one person, because they were never detected in one frame: pairs of an id and the number of
its person; oldest first."""


@dataclass(frozen=True, slots=True)
class TrackerState:
    """The live tracks after the frame `last` (None: before the first), and the id of the next new one.

    intervals: between the frames. camera: where it looked. watched: pairs of tracks that may be one person's doubles.
    aliases: tracks that may be one person. doubts: tracks that may have been confused.
    """

    tracks: Tracks
    next_id: int
    last: FrameTime | None
    intervals: Intervals = NO_INTERVALS
    camera: CameraMemory = field(default_factory=CameraMemory)
    watched: tuple[WatchedPair, ...] = ()
    aliases: Aliases = ()
    doubts: doubts.Doubts = field(default_factory=doubts.no_doubts)

    def intervals_after(self, frame: FrameTime) -> Intervals:
        """The intervals after a frame newer than `last`."""
        last = self.last
        if last is not None and frame.captured_at_ns <= last.captured_at_ns:
            return NO_INTERVALS  # the camera's time went back
        if last is not None and frame.epoch == last.epoch:
            return self.intervals.followed_by(frame.captured_at_ns - last.captured_at_ns)
        return self.intervals

    def without(self, ids: frozenset[int]) -> TrackerState:
        """The same without the watched pairs and aliases of the given tracks, which now have other bodies."""
        watched = tuple(pair for pair in self.watched if ids.isdisjoint((pair.young_id, pair.old_id)))
        return replace(self, watched=watched, aliases=tuple(one for one in self.aliases if one[0] not in ids))


def to_dict(state: TrackerState) -> dict[str, Any]:
    """JSON scalars, lists and C-contiguous numpy arrays (int64 or float64)."""
    last = state.last
    return {
        "version": SNAPSHOT_VERSION,
        "next_id": state.next_id,
        "last": None if last is None else [last.epoch, last.seq, last.captured_at_ns],
        "camera": camera_to_dict(state.camera),
        "intervals_ns": list(state.intervals.recent_ns),
        "watched": [list(pair) for pair in state.watched],
        "aliases": [list(pair) for pair in state.aliases],
        "doubts": doubts.to_dict(state.doubts) if len(state.doubts) else None,
        **{stored: np.array(getattr(state.tracks, name), order="C") for name, stored in STORED_COLUMNS.items()},
    }


def from_dict(plain: dict[str, Any]) -> TrackerState:
    """The inverse of `to_dict`; raises MalformedMessage for anything else."""
    if plain.get("version") not in (SNAPSHOT_VERSION, _PREVIOUS_VERSION):
        raise MalformedMessage(
            f"the tracker's snapshot has version {plain.get('version')!r}, this program reads {SNAPSHOT_VERSION}: "
            "delete the snapshot to start with new identities"
        )
    try:
        if plain["version"] == _PREVIOUS_VERSION:
            plain = {**plain, "unseen_from_ns": plain["seen_ns"], "surprise": np.ones(len(plain["ids"]))}
        columns = {name: _column(name, plain[stored]) for name, stored in STORED_COLUMNS.items()}
        for name, shape in _shapes(len(columns["ids"]), columns["joints"]).items():
            if columns[name].shape != shape:
                raise ValueError(f"its column {STORED_COLUMNS[name]} has shape {columns[name].shape}")
        last = plain["last"]
        if last is not None:
            epoch, seq, captured_at_ns = last
            last = FrameTime(epoch=int(epoch), seq=int(seq), captured_at_ns=int(captured_at_ns))
        # Missing in snapshots of earlier releases.
        kept = plain.get("doubts")
        return TrackerState(
            tracks=Tracks(**columns),
            next_id=int(plain["next_id"]),
            last=last,
            intervals=Intervals(tuple(int(one_ns) for one_ns in plain.get("intervals_ns", ()))[-KEPT:]),
            camera=camera_from_dict(plain["camera"]) if "camera" in plain else CameraMemory(),
            watched=tuple(_watched_pair(values) for values in plain.get("watched", ())),
            aliases=tuple((int(number), int(person)) for number, person in plain.get("aliases", ())),
            doubts=doubts.no_doubts() if kept is None else doubts.from_dict(kept),
        )
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise MalformedMessage(
            f"the tracker's snapshot is incomplete ({error}): delete the snapshot to start with new identities"
        ) from error


def _watched_pair(values: Any) -> WatchedPair:
    young_id, old_id, since_ns, epoch, since_seq, frames, as_one = (int(value) for value in values)
    return WatchedPair(young_id, old_id, since_ns, epoch, since_seq, frames, as_one)


def _column(name: str, values: Any) -> np.ndarray[Any, Any]:
    return np.array(values, np.int64 if name in INTEGER_COLUMNS else np.float64, order="C")


def _shapes(count: int, joints: np.ndarray[Any, Any]) -> dict[str, tuple[int, ...]]:
    """The shape of every column of `count` tracks; only the snapshot knows the number of joints."""
    return {
        **dict.fromkeys(COLUMNS, (count,)),
        "filter_states": (PLANES, count, 4),
        "joints": (count, joints.shape[1] if joints.ndim == 3 else 0, 3),
        "appearance": (count, APPEARANCE_SIZE),
    }
