"""The trackers that are compared, all behind one call: a frame's people in, rows of (id, box) out."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import numpy.typing as npt

from posebus.messages import PoseFrame, TrackState

Picture = npt.NDArray[np.uint8]
Rows = list[tuple[int, npt.NDArray[np.float32]]]
Step = Callable[[PoseFrame, Picture], Rows]

LOOKS_AT_PICTURES = frozenset({"botsort"})
"""Peers that estimate the camera's motion from the picture; the others are given a black one."""


def posebus() -> Step:
    """Ours, default settings; confirmed tracks, as `posebus run` writes them."""
    from tracking import PoseTracker

    tracker = PoseTracker()

    def step(frame: PoseFrame, picture: Picture) -> Rows:
        tracks = tracker.update(frame).tracks
        return [(track.id, track.box_xyxy_px) for track in tracks if track.state == TrackState.CONFIRMED]

    return step


def ultralytics(name: str) -> Step:
    """One of ultralytics' trackers with its own default settings."""
    from ultralytics.engine.results import Boxes
    from ultralytics.trackers.track import TRACKER_MAP
    from ultralytics.utils import ROOT, YAML

    tracker = TRACKER_MAP[name](args=SimpleNamespace(**YAML.load(ROOT / "cfg" / "trackers" / f"{name}.yaml")))

    def step(frame: PoseFrame, picture: Picture) -> Rows:
        kind = np.zeros_like(frame.scores)
        people = np.column_stack([frame.boxes_xyxy_px, frame.scores, kind]).astype(np.float32)
        rows = tracker.update(Boxes(people, picture.shape[:2]), picture)
        return [(int(row[4]), np.asarray(row[:4], np.float32)) for row in rows]

    return step


TRACKERS: dict[str, Callable[[], Step]] = {
    "posebus": posebus,
    "bytetrack": lambda: ultralytics("bytetrack"),
    "ocsort": lambda: ultralytics("ocsort"),
    "fasttrack": lambda: ultralytics("fasttrack"),
    "botsort": lambda: ultralytics("botsort"),
}
