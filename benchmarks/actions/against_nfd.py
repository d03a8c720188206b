"""Fall or not: the built-in classifier beside nfd-fall.onnx, on data that neither was trained on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.actions.examples import LABELS
from benchmarks.actions.nfd import DESCENDING, FALLEN, HISTORY, STEP_S, Nfd
from benchmarks.actions.open_skeletons import SETTLED_S, scene_segments
from benchmarks.skeletons.kinds import FALLS, NOT_FALLS
from benchmarks.skeletons.scene import scene
from posebus.arrays import Float64Array
from posebus.messages import Track, TrackFrame, TrackState
from tracking.actions import base
from tracking.actions.builtin import BuiltIn, Network
from tracking.actions.of_tracks import Actions

HELD_S = 0.5
"""An answer counts for a whole scene if it lasts for this long."""

SIZE_PX = (640, 480)

SEEDS = range(20_000, 20_004)
THEIR_SEQUENCES = 400


class Score:
    """Counts of right and wrong answers."""

    def __init__(self) -> None:
        self.counts = np.zeros((2, 2), int)

    def add(self, truth: bool, found: bool) -> None:
        """Count one answer."""
        self.counts[int(truth), int(found)] += 1

    def __str__(self) -> str:
        (true_no, false_yes), (false_no, true_yes) = self.counts
        precision = true_yes / max(true_yes + false_yes, 1)
        recall = true_yes / max(true_yes + false_no, 1)
        f1 = 2 * precision * recall / max(precision + recall, 1e-9)
        return f"{precision:.3f} | {recall:.3f} | {f1:.3f} | {false_yes} of {true_no + false_yes}"


def falls_held(times_s: Sequence[float], falls: Sequence[bool]) -> bool:
    """Whether a fall is found for at least HELD_S without a break."""
    since: float | None = None
    for at_s, fall in zip(times_s, falls, strict=True):
        since = (at_s if since is None else since) if fall else None
        if since is not None and at_s - since >= HELD_S:
            return True
    return False


def ours(classifier: BuiltIn, frames: Sequence[TrackFrame]) -> tuple[list[float], list[bool]]:
    """Times and whether the newest track is found fallen."""
    actions = Actions(classifier)
    found = [(frame.captured_at_ns / 1e9, actions.update(frame).tracks) for frame in frames]
    seen = [(at_s, tracks) for at_s, tracks in found if tracks]
    return [at_s for at_s, _ in seen], [tracks[-1].action == base.FALLEN for _, tracks in seen]


def on_generated(classifier: BuiltIn, nfd: Nfd, seeds: Sequence[int]) -> dict[str, Score]:
    """Whole scenes: was there a fall?"""
    scores = {"built-in": Score(), "nfd network": Score(), "nfd network and logic": Score()}
    for kind in (*FALLS, *NOT_FALLS):
        for seed in seeds:
            frames = scene(kind, (10.0, 15.0, 30.0)[seed % 3], seed).track_frames()
            scores["built-in"].add(kind in FALLS, falls_held(*ours(classifier, frames)))
            answers = nfd.follow(frames)
            down = [int(found.argmax()) in (DESCENDING, FALLEN) for _, found, _ in answers]
            scores["nfd network"].add(kind in FALLS, falls_held([at_s for at_s, _, _ in answers], down))
            scores["nfd network and logic"].add(kind in FALLS, any(event for _, _, event in answers))
    return scores


def on_scenes(classifier: BuiltIn, nfd: Nfd, data: Path) -> dict[str, Score]:
    """Single answers on the OpenPose scenes: is the person fallen?"""
    scores = {"built-in": Score(), "nfd network": Score()}
    for segment in scene_segments(data):
        frames, truth = segment.frames(), segment.action == base.FALLEN
        for at_s, fallen in zip(*ours(classifier, frames), strict=True):
            if at_s >= SETTLED_S:
                scores["built-in"].add(truth, fallen)
        for at_s, found, _ in nfd.follow(frames):
            if at_s >= SETTLED_S:
                scores["nfd network"].add(truth, int(found.argmax()) in (DESCENDING, FALLEN))
    return scores


def on_theirs(classifier: BuiltIn, nfd: Nfd, count: int) -> dict[str, Score]:
    """Sequences of nfd's own generator, which nfd was trained on: has the person fallen at the end?"""
    scores = {"built-in": Score(), "nfd network": Score()}
    features, labels = nfd.synthetic.generate_dataset(count, seed=4321)
    found = nfd.probabilities(features).argmax(axis=1)
    for history, label, theirs in zip(features, labels, found, strict=True):
        if int(label) not in (0, FALLEN):
            continue
        scores["built-in"].add(int(label) == FALLEN, ours(classifier, _frames(history))[1][-1])
        scores["nfd network"].add(int(label) == FALLEN, int(theirs) in (DESCENDING, FALLEN))
    return scores


def _frames(history: Float64Array) -> list[TrackFrame]:
    """The frames that a history (32, 60) of nfd's features was made of: joints relative to the box, and the box."""
    frames = []
    for seq in range(HISTORY):
        x, y, width, height = history[seq, 51:55]
        joints = history[seq, :34].reshape(17, 2) * [width, height] + [x, y]
        keypoints = np.column_stack([joints * SIZE_PX, history[seq, 34:51]]).astype(np.float32)
        box = np.array([x - width / 2, y - height / 2, x + width / 2, y + height / 2]) * np.tile(SIZE_PX, 2)
        track = Track(1, box.astype(np.float32), 0.9, keypoints, TrackState.CONFIRMED, seq * STEP_S)
        frames.append(TrackFrame("nfd", 1, seq, round(seq * STEP_S * 1e9), SIZE_PX, (track,)))
    return frames


def compared(network: Network, wheel: Path, data: Path) -> str:
    """Tables of a network of ours that was trained without the OpenPose scenes in `data`, beside that of the wheel."""
    nfd, classifier = Nfd(wheel), BuiltIn(LABELS, network)
    parts = []
    for title, scores in (
        ("OpenPose scenes, single answers", on_scenes(classifier, nfd, data)),
        ("Generated scenes, was there a fall", on_generated(classifier, nfd, SEEDS)),
        ("Sequences of nfd's generator, last answer", on_theirs(classifier, nfd, THEIR_SEQUENCES)),
    ):
        rows = "\n".join(f"| {name} | {score} |" for name, score in scores.items())
        parts.append(
            f"\n### {title}\n\n| | precision | recall | F1 | false alarms |\n|---|---:|---:|---:|---:|\n{rows}"
        )
    return "\n".join(parts)
