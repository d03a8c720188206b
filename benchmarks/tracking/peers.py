"""The compared trackers behind one interface, in which only a tracker's own update call is timed."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.common.frames import BgrImage
from posebus.messages import PoseFrame, TrackFrame, TrackState
from posebus.subscribing.renaming import with_final_ids

People = list[tuple[int, npt.NDArray[np.float32]]]
"""Rows of an identity and its box (4,), left, top, right, bottom in pixels."""


@dataclass(frozen=True, slots=True)
class Contender:
    """One tracker at the start of a clip.

    prepare: turns a frame and its picture into the arguments of update. update: the tracker's own call, the only one
    that is timed. people: converts update's result. corrected: the results of all frames, after all corrections.
    """

    prepare: Callable[[PoseFrame, BgrImage | None], tuple[Any, ...]]
    update: Callable[..., Any]
    people: Callable[[Any], People]
    corrected: Callable[[list[Any]], list[Any]] | None = None


@dataclass(frozen=True, slots=True)
class TrackerSpec:
    """How a tracker is made for a clip of `fps` frames a second, and what it uses besides boxes and scores."""

    make: Callable[[float], Contender]
    needs_pictures: bool = False
    uses_keypoints: bool = False


def posebus(*, colours: bool = True, corrected: bool = False) -> Callable[[float], Contender]:
    """Our tracker with default settings; its confirmed tracks are scored, by the numbers that it gave them at once or
    after its corrections."""

    def make(fps: float) -> Contender:
        from tracking import PoseTracker

        return Contender(
            prepare=lambda frame, picture: (frame if colours else replace(frame, appearance=None),),
            update=PoseTracker().update,
            people=confirmed,
            corrected=with_final_ids if corrected else None,
        )

    return make


def confirmed(found: TrackFrame) -> People:
    """The confirmed tracks of our tracker's result."""
    return [(track.id, track.box_xyxy_px) for track in found.tracks if track.state == TrackState.CONFIRMED]


def ultralytics(name: str) -> Callable[[float], Contender]:
    """One of ultralytics' trackers with the settings that ultralytics ships (without ReID); none takes the frame
    rate."""

    def make(fps: float) -> Contender:
        from ultralytics.engine.results import Boxes
        from ultralytics.trackers.track import TRACKER_MAP
        from ultralytics.utils import ROOT, YAML

        tracker = TRACKER_MAP[name](args=SimpleNamespace(**YAML.load(ROOT / "cfg" / "trackers" / f"{name}.yaml")))

        def prepare(frame: PoseFrame, picture: BgrImage | None) -> tuple[Any, ...]:
            return Boxes(_rows(frame), (frame.size_px[1], frame.size_px[0])), picture

        return Contender(prepare, tracker.update, lambda rows: [(int(row[4]), row[:4]) for row in rows])

    return make


def roboflow(name: str, *, needs_pictures: bool = False) -> Callable[[float], Contender]:
    """One of roboflow's `trackers` with default settings; it takes the clip's rate and each frame's time."""

    def make(fps: float) -> Contender:
        import supervision
        import trackers

        tracker = getattr(trackers, name)(frame_rate=fps)

        def prepare(frame: PoseFrame, picture: BgrImage | None) -> tuple[Any, ...]:
            detections = supervision.Detections(
                xyxy=frame.boxes_xyxy_px, confidence=frame.scores, class_id=np.zeros(len(frame.scores), int)
            )
            return detections, picture if needs_pictures else None, frame.captured_at_ns / 1e9

        def people(found: Any) -> People:
            ids = [] if found.tracker_id is None else found.tracker_id
            return [(int(number), box) for number, box in zip(ids, found.xyxy, strict=False) if number >= 0]

        return Contender(prepare, tracker.update, people)

    return make


def boxmot(name: str, *, takes_rate: bool = False, timed: bool = False) -> Callable[[float], Contender]:
    """One of boxmot's trackers with the defaults of its class; `timed` makes it use the frames' times.

    That setting is off by default, so the tracker is compared with and without it.
    """

    def make(fps: float) -> Contender:
        import boxmot

        tracker_class = getattr(boxmot, name)  # the import configures the log, so its level is set afterwards
        logging.getLogger("boxmot").setLevel(logging.ERROR)
        tracker = tracker_class(**({"frame_rate": fps} if takes_rate else {}), variable_dt=timed)

        def prepare(frame: PoseFrame, picture: BgrImage | None) -> tuple[Any, ...]:
            return _rows(frame), picture, frame.captured_at_ns / 1e9 if timed else None

        def update(rows: Any, picture: BgrImage | None, time_s: float | None) -> Any:
            return tracker.update(rows, picture, timestamp_s=time_s)

        return Contender(prepare, update, lambda rows: [(int(row[4]), row[:4]) for row in rows])

    return make


def norfair(fps: float) -> Contender:
    """Norfair as its demos configure it for boxes: IoU, threshold 0.7.

    It has no threshold of scores, so detections from 0.25 on are given. Skipped frames are counted by its `period`.
    """
    from norfair import Detection, Tracker

    tracker = Tracker(distance_function="iou", distance_threshold=0.7)
    last = -1

    def prepare(frame: PoseFrame, picture: BgrImage | None) -> tuple[Any, ...]:
        nonlocal last
        period, last = frame.seq - last, frame.seq
        kept = frame.scores >= 0.25
        corners = frame.boxes_xyxy_px[kept].reshape(-1, 2, 2)
        scores = np.repeat(frame.scores[kept, None], 2, axis=1)
        return [Detection(points, scores=one) for points, one in zip(corners, scores, strict=True)], period

    def people(found: Any) -> People:
        return [(track.id, np.asarray(track.estimate, np.float32).ravel()) for track in found]

    return Contender(prepare, tracker.update, people)


def _rows(frame: PoseFrame) -> npt.NDArray[np.float32]:
    """(N, 6): box, score, class 0."""
    return np.column_stack([frame.boxes_xyxy_px, frame.scores, np.zeros_like(frame.scores)]).astype(np.float32)


TRACKERS: dict[str, TrackerSpec] = {
    "posebus": TrackerSpec(posebus(), uses_keypoints=True),
    "posebus+corrected": TrackerSpec(posebus(corrected=True), uses_keypoints=True),
    "posebus-no-colours": TrackerSpec(posebus(colours=False), uses_keypoints=True),
    "ultralytics-bytetrack": TrackerSpec(ultralytics("bytetrack")),
    "ultralytics-botsort": TrackerSpec(ultralytics("botsort"), needs_pictures=True),
    "ultralytics-fasttrack": TrackerSpec(ultralytics("fasttrack")),
    "ultralytics-tracktrack": TrackerSpec(ultralytics("tracktrack"), needs_pictures=True),
    "ultralytics-ocsort": TrackerSpec(ultralytics("ocsort")),
    "ultralytics-deepocsort": TrackerSpec(ultralytics("deepocsort")),
    "roboflow-sort": TrackerSpec(roboflow("SORTTracker")),
    "roboflow-bytetrack": TrackerSpec(roboflow("ByteTrackTracker")),
    "roboflow-ocsort": TrackerSpec(roboflow("OCSORTTracker")),
    "roboflow-cbiou": TrackerSpec(roboflow("CBIoUTracker")),
    "roboflow-botsort": TrackerSpec(roboflow("BoTSORTTracker", needs_pictures=True), needs_pictures=True),
    "roboflow-mcbyte": TrackerSpec(roboflow("McByteTracker", needs_pictures=True), needs_pictures=True),
    "boxmot-bytetrack": TrackerSpec(boxmot("ByteTrack", takes_rate=True)),
    "boxmot-bytetrack+times": TrackerSpec(boxmot("ByteTrack", takes_rate=True, timed=True)),
    "boxmot-ocsort": TrackerSpec(boxmot("OcSort")),
    "boxmot-ocsort+times": TrackerSpec(boxmot("OcSort", timed=True)),
    "boxmot-sfsort": TrackerSpec(boxmot("SFSORT"), needs_pictures=True),
    "boxmot-boosttrack": TrackerSpec(boxmot("BoostTrack"), needs_pictures=True),
    "norfair": TrackerSpec(norfair),
}
"""Trackers by family and algorithm; "posebus" gets boxes, keypoints and colour histograms, as workers publish them.
"posebus+corrected" is judged by final numbers, as `run` writes them, the others by those of the moment."""

MISSING = {
    "ultralytics": "pip install -c constraints.txt -e '.[bench]'",
    "roboflow": "pip install -c constraints.txt -e '.[bench]'",
    "boxmot": "make bench-peers",
    "norfair": "make bench-peers",
}
"""The command that installs each family."""


def chosen(wanted: Iterable[str]) -> list[str]:
    """The names in TRACKERS of names and families; "ultralytics" is all of that family. Raises SystemExit for an
    unknown name."""
    names: list[str] = []
    for want in wanted:
        found = [name for name in TRACKERS if name == want or name.startswith((f"{want}-", f"{want}+"))]
        if not found:
            raise SystemExit(f"no tracker is called {want!r}: choose from {', '.join(TRACKERS)}")
        names += [name for name in found if name not in names]
    return names


def installed(names: Iterable[str]) -> tuple[list[str], list[str]]:
    """Those of `names` that can be made here, and a sentence for each family that cannot."""
    present, sentences = [], []
    for name in names:
        family = name.partition("-")[0]
        try:
            TRACKERS[name].make(25.0)
        except ImportError as error:
            sentences.append(f"{family} is left out: {error}; {MISSING.get(family, 'make install')} installs it.")
        except Exception as error:  # noqa: BLE001 a release may not fit the other packages
            sentences.append(f"{name} is left out because it cannot be made here: {type(error).__name__}: {error}")
        else:
            present.append(name)
    return present, list(dict.fromkeys(sentences))
