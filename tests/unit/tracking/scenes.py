"""Synthetic people who walk: frames for the tracker with known truth."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from posebus.contract import appearance
from posebus.contract.snapshot import pack_state, unpack_state
from posebus.messages import PoseFrame, TrackFrame
from tracking import PoseTracker

SIZE_PX = (1280, 720)
SECOND_NS = 1_000_000_000

STANDING = np.array(
    [
        *[(0.5, 0.08), (0.53, 0.06), (0.47, 0.06), (0.57, 0.07), (0.43, 0.07)],
        *[(0.7, 0.2), (0.3, 0.2), (0.8, 0.35), (0.2, 0.35), (0.8, 0.48), (0.2, 0.48)],
        *[(0.62, 0.52), (0.38, 0.52), (0.62, 0.74), (0.38, 0.74), (0.62, 0.95), (0.38, 0.95)],
    ]
)
"""Joints of a standing person in the box, (17, 2), as shares of its width and height."""


def person(x: float, y: float, height: float = 200.0) -> np.ndarray:
    """A box (4,) around the centre x, y."""
    width = 0.4 * height
    return np.array([x - width / 2, y - height / 2, x + width / 2, y + height / 2], np.float32)


def pose_frame(
    boxes: Sequence[np.ndarray] | np.ndarray,
    seq: int,
    time_s: float,
    *,
    scores: Sequence[float] | None = None,
    keypoints: bool = True,
    epoch: int = 1,
) -> PoseFrame:
    """A frame with a standing person in every box, all joints visible."""
    array = np.asarray(boxes, np.float32).reshape(-1, 4)
    sides = array[:, 2:] - array[:, :2]
    joints = np.concatenate(
        [array[:, None, :2] + STANDING * sides[:, None], np.full((len(array), 17, 1), 0.9)], axis=2
    ).astype(np.float32)
    return PoseFrame(
        camera="yard",
        epoch=epoch,
        seq=seq,
        captured_at_ns=round(time_s * SECOND_NS),
        size_px=SIZE_PX,
        boxes_xyxy_px=array,
        scores=np.full(len(array), 0.9, np.float32) if scores is None else np.array(scores, np.float32),
        keypoints_px=joints if keypoints else None,
    )


def dressed(frame: PoseFrame, colours: Sequence[int], *, seen: float = 1.0) -> PoseFrame:
    """The frame with each person dressed from head to foot in one of the colours 0 to 4, which share no bin."""
    features = np.zeros((len(colours), len(appearance.PARTS), appearance.FEATURES), np.float32)
    for row, colour in enumerate(colours):
        features[row, :, colour :: appearance.BINS] = np.sqrt(1 / appearance.CHANNELS)
    weights = np.full(features.shape[:2], seen, np.float32)
    return replace(frame, appearance=appearance.joined(features, weights))


def colour_row(*bins: int, seen: tuple[float, ...] = (1.0, 1.0, 1.0, 1.0)) -> np.ndarray:
    """(1, SIZE): each part has one colour, the given bin of every channel; parts with weight 0 are empty."""
    features = np.zeros((1, len(appearance.PARTS), appearance.FEATURES), np.float32)
    for part, (place, weight) in enumerate(zip(bins, seen, strict=True)):
        if weight:
            features[0, part, place :: appearance.BINS] = np.sqrt(1 / appearance.CHANNELS)
    return appearance.joined(features, np.array([seen], np.float32))


RED, BLUE = 1, 4
FPS = 25
MEET_S = 3.0
"""Of `turned_round`."""


def turned_round(
    colours: Sequence[int] = (RED, BLUE), *, seen_from_s: float = 4.0, seconds: float = 6.0, epoch: int = 1
) -> list[PoseFrame]:
    """Two people walk towards each other, turn round where they meet, and walk back: the filter expects them to pass.

    The first one of each frame began on the left. From 0.8 s before they meet until `seen_from_s` no colours are seen.
    """
    frames = []
    for seq in range(round(seconds * FPS)):
        time_s = seq / FPS
        left = 640 - 100 * abs(time_s - MEET_S)
        boxes = [person(left, 300), person(1280 - left, 300)]
        if abs(time_s - MEET_S) < 0.35:
            boxes = [person(640, 300)]
        seen = not MEET_S - 0.8 < time_s < seen_from_s
        frame = pose_frame(boxes, seq, time_s, epoch=epoch)
        frames.append(dressed(frame, colours[: len(boxes)], seen=float(seen)))
    return frames


def walk(
    times_s: Iterable[float], lanes: int = 3, speed_px_s: float = 120.0, *, keypoints: bool = True
) -> list[PoseFrame]:
    """People on parallel lanes, 200 px high and 230 px apart, all walking to the right."""
    return [
        pose_frame(
            [person(150 + speed_px_s * t + 8 * lane, 120 + 230 * lane) for lane in range(lanes)],
            seq,
            t,
            keypoints=keypoints,
        )
        for seq, t in enumerate(times_s)
    ]


def crowd(rng: np.random.Generator, people: int, frames: int, *, missing: float = 0.1) -> list[PoseFrame]:
    """People who walk in random directions, some undetected in each frame, with noisy boxes and random scores."""
    centres = rng.uniform((50, 50), (1230, 670), (people, 2))
    heights = rng.uniform(60, 120, people)
    speeds = rng.normal(0, 40, (people, 2))
    result = []
    for seq in range(frames):
        time_s = seq / 20
        seen = np.flatnonzero(rng.random(people) >= missing)
        boxes = [person(*(centres[i] + speeds[i] * time_s + rng.normal(0, 1, 2)), heights[i]) for i in seen]
        scores = rng.uniform(0.2, 0.95, len(seen))
        result.append(pose_frame(boxes, seq, time_s, scores=list(scores)))
    return result


def run(frames: Iterable[PoseFrame], tracker: PoseTracker | None = None) -> list[TrackFrame]:
    """The results of a tracker, by default a new one, for the frames."""
    tracker = tracker or PoseTracker()
    return [tracker.update(frame) for frame in frames]


def run_with_handovers(frames: Iterable[PoseFrame]) -> list[TrackFrame]:
    """The results for the frames, where each frame has a new tracker that continues from the last one's snapshot."""
    tracker, results = PoseTracker(), []
    for frame in frames:
        successor = PoseTracker()
        successor.load_state(unpack_state(pack_state(tracker.state_dict())))
        tracker = successor
        results.append(tracker.update(frame))
    return results


def in_state(frame: TrackFrame, state: str) -> list[int]:
    """Ids of the tracks in that state."""
    return [track.id for track in frame.tracks if track.state == state]


def plain(frame: TrackFrame) -> tuple[object, ...]:
    """The frame with arrays as bytes, so that two frames can be compared bit for bit."""
    return (
        (frame.camera, frame.epoch, frame.seq, frame.captured_at_ns, frame.size_px),
        tuple(
            (
                track.id,
                track.state,
                track.score,
                track.age_s,
                track.box_xyxy_px.tobytes(),
                None if track.keypoints_px is None else track.keypoints_px.tobytes(),
                track.velocity_px_s.tobytes(),
                None if track.keypoint_visibility is None else track.keypoint_visibility.tobytes(),
                (track.pose_index, track.coasted),
            )
            for track in frame.tracks
        ),
    )
