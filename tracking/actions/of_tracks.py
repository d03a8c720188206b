"""The actions of a camera's tracks: which moments are remembered, when people are classified, what is reported."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from operator import attrgetter
from typing import Any

import numpy as np

from posebus.arrays import Int64Array
from posebus.messages import Track, TrackFrame, TrackState
from tracking.actions.base import OTHER, ActionClassifier
from tracking.actions.people import People, seen_poses, windows_of

SMOOTHED_S = 0.5
"""Probabilities are averaged over about this time, so that an action does not flicker."""

LEAST_SCORE = 0.5
"""Of the smoothed probability of a reported action."""

KEPT_S = 1.5
"""After this long without joints, no action is reported."""

FORGOTTEN_S = 60.0
MAX_PEOPLE = 300
"""Tracks that are not reported for so long, and the oldest of more than so many, are forgotten."""

LONG_AGO_S = 10.0
"""Moments before a pause of this length say nothing about what a person does now."""

_BEFORE_ACTION: Callable[[Track], tuple[Any, ...]] = attrgetter(*(one.name for one in fields(Track)[:-2]))
"""The fields of a track but the last two, which are its action and score: `replace` takes three times as long."""


class Actions:
    """Adds actions to the frames of one camera. Pure: times are those of the frames."""

    def __init__(self, classifier: ActionClassifier, setting: str = "") -> None:
        """`setting` tells classifiers apart in snapshots."""
        self.setting = setting
        self._classifier = classifier
        self._epoch = -1
        self._found: dict[int, tuple[float, str, float]] | None = None
        """What is reported until the next sample, None before it is asked for: see `_find`."""
        self._begin()

    def update(self, frame: TrackFrame) -> TrackFrame:
        """Return `frame` with the actions of its tracks. Frames come in order; coordinates are square pixels."""
        at_s = frame.captured_at_ns / 1e9
        if frame.epoch != self._epoch or at_s < self._sampled_s:
            self._epoch = frame.epoch
            self._begin()
        if frame.renamed:
            self._people.rename(frame.renamed)
            self._found = None
        # All people are sampled in the same frames, so that one call classifies all of them.
        if frame.inferred and at_s - self._sampled_s >= self._classifier.sample_s - 1e-3:
            self._sample(frame, at_s)
        tracks = tuple(self._reported(track, at_s) for track in frame.tracks)
        for track in frame.tracks:
            if track.state == TrackState.ENDED:
                self._people.forget([track.id])
                self._found = None
        return replace(frame, tracks=tracks)

    def state_dict(self) -> dict[str, Any]:
        """What the next frames need: at most `MAX_PEOPLE` people of a few kB each."""
        return {
            "setting": self.setting,
            "epoch": self._epoch,
            "sampled_s": self._sampled_s,
            "people": self._people.state(),
        }

    def load_state(self, state: dict[str, Any]) -> None:
        """Restore `state_dict`. The state of another classifier is left alone; raises KeyError, TypeError or ValueError
        for one of another version."""
        if state["setting"] != self.setting:
            return
        epoch, sampled_s = int(state["epoch"]), float(state["sampled_s"])
        people = self._nobody()
        people.load(state["people"])
        self._epoch, self._sampled_s, self._people, self._found = epoch, sampled_s, people, None

    def _nobody(self) -> People:
        return People(self._classifier.samples, len(self._classifier.labels))

    def _begin(self) -> None:
        self._people = self._nobody()
        self._sampled_s = float("-inf")
        self._found = None

    def _sample(self, frame: TrackFrame, at_s: float) -> None:
        self._sampled_s = at_s
        self._found = None
        numbers, poses_px = seen_poses(frame.tracks)
        if numbers:
            rows = self._people.add(numbers, at_s, poses_px, at_s - LONG_AGO_S)
            waited_s = at_s - self._people.known.classified_s[rows] - self._classifier.every_s + 1e-3
            if (waited_s >= 0.0).any():
                # Those who would be due in the next sample come along, so that all are classified together from now on.
                self._classify(rows[waited_s >= -self._classifier.sample_s], at_s, frame.size_px)
        if len(self._people.row_of) > min(len(numbers), MAX_PEOPLE):
            last_s = self._people.last_s()
            self._people.forget([number for number, one_s in last_s.items() if at_s - one_s > FORGOTTEN_S])
            newest = sorted(self._people.row_of, key=lambda number: -last_s[number])
            self._people.forget(newest[MAX_PEOPLE:])

    def _classify(self, rows: Int64Array, at_s: float, size_px: tuple[int, int]) -> None:
        known = self._people.known
        answer = self._classifier.classify(windows_of(known, rows, at_s, size_px))
        before, first = known.probabilities[rows], np.isinf(known.classified_s[rows])
        part = 1.0 - np.exp(-(at_s - known.classified_s[rows]) / SMOOTHED_S)
        smoothed = before + part[:, None] * (answer.probabilities - before)
        known.probabilities[rows] = np.where(first[:, None], answer.probabilities, smoothed)
        known.classified_s[rows] = at_s
        known.stature_px[rows], known.descent[rows] = answer.stature_px, answer.descent

    def _reported(self, track: Track, at_s: float) -> Track:
        if self._found is None:
            self._found = self._find()
        found = self._found.get(track.id)
        if found is None or at_s > found[0]:
            return track
        return Track(*(*_BEFORE_ACTION(track), found[1], found[2]))

    def _find(self) -> dict[int, tuple[float, str, float]]:
        """What is reported of tracks until the next sample, by number: until when, the action, and its score."""
        known, rows = self._people.known, np.array(list(self._people.row_of.values()), np.int64)
        probabilities = np.nan_to_num(known.probabilities[rows])  # nothing of people who were not classified yet
        best, scores = probabilities.argmax(axis=1).tolist(), probabilities.max(axis=1).tolist()
        until_s = (known.at_s[rows, -1] + KEPT_S).tolist()
        labels = self._classifier.labels
        return {
            number: (one_s, labels[place], score)
            for number, one_s, place, score in zip(self._people.row_of, until_s, best, scores, strict=True)
            if score >= LEAST_SCORE and labels[place] != OTHER
        }
